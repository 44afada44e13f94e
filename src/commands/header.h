/*
 * header.h
 *		The header of order lines.
 */
#ifndef INV_HEADER_H
#define INV_HEADER_H

#include "utils/jsonb.h"

#include "store/binding.h"
#include "commands/cart.h"
#include "commands/idempotency.h"

/* The header of the lines of a call. */
typedef struct InvHeader
{
	bool inserts;	   /* the call inserts it; else the lines name theirs, or have none */
	Jsonb *order_data; /* as the caller gave it, or null */
	Jsonb *data;	   /* order_data.header, or what prepare_order makes of it; or null */
	uint64 columns;	   /* what the caller sets: bitmap over InvStore.header_columns */
} InvHeader;

extern Jsonb *inv_header_split(InvStore *store, InvHeader *header, Jsonb *order_data);
extern void inv_header_find(InvStore *store, InvHeader *header, InvCart *cart, const InvUser *user);
extern void inv_header_insert(InvStore *store, InvHeader *header, InvCart *cart,
							  const InvUser *user);
extern void inv_header_keep(InvStore *store, InvCart *cart, Datum order);
extern void inv_header_read(InvStore *store, InvCart *cart);
extern void inv_header_check_replay(InvStore *store, Jsonb *lines, Jsonb *order_data,
									Jsonb *answer);
extern void inv_header_check_confirmed(InvStore *store, Jsonb *order_data, const InvCart *cart);

#endif /* INV_HEADER_H */
