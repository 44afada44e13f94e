/*
 * cart.h
 *		The lines of a cart.
 */
#ifndef INV_CART_H
#define INV_CART_H

#include "utils/jsonb.h"

#include "store/binding.h"
#include "stock/quantity.h"

#define INV_MAX_LINES 1000

/* A line as the caller gave it, and what became of it. */
typedef struct InvLine
{
	Datum item;
	int64 quantity;
	int take;			 /* index of its item in InvCart.takes */
	uint64 columns;		 /* what the caller sets: bitmap over InvStore.order_columns */
	Jsonb *data;		 /* the values, if columns is not 0 */
	JsonbContainer *own; /* the line as the caller gave it, if it has more than item and quantity */
	Datum order;		 /* key of the order row, once there is one */
	bool no_order;		 /* it is null */
	Datum header;		 /* key of the header of the order row, if it has one */
	bool has_header;
} InvLine;

typedef struct InvCart
{
	InvLine *lines; /* in the order given */
	int line_count;
	InvTake *takes; /* in key order, each item once */
	int take_count;
} InvCart;

/* What the lines are for.  A hold has no order rows yet, so its lines set no columns. */
typedef enum InvPurpose
{
	INV_PURPOSE_SALE,
	INV_PURPOSE_HOLD
} InvPurpose;

extern void inv_cart_of_item(InvStore *store, InvCart *cart, Datum item, int64 quantity,
							 Jsonb *order_data, InvPurpose purpose);
extern void inv_cart_of_lines(InvStore *store, InvCart *cart, Jsonb *lines, Jsonb *order_data,
							  InvPurpose purpose);
extern void inv_check_held(InvStore *store, int64 quantity);
extern int64 inv_cart_units(const InvCart *cart);
extern void inv_cart_of_hold(InvStore *store, InvCart *cart, InvTake *held, int count,
							 Jsonb *order_data);

#endif /* INV_CART_H */
