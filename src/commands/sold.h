/*
 * sold.h
 *		What was sold on an order, and what of it is refunded.
 */
#ifndef INV_SOLD_H
#define INV_SOLD_H

#include "base/compat.h"
#include "store/binding.h"

/* What one user bought of an item in an order. */
typedef struct InvSold
{
	Datum item;
	int64 quantity; /* whole units */
	char *text;		/* the same as its row has it, or null if there is no row */
	int64 refunded; /* of these units */
	InvUser user;	/* who bought it */
	int64 counted;	/* of these, against the purchase limit: those sold before the attach do not */
} InvSold;

/* An order that is locked. */
typedef struct InvOrder
{
	Datum key;
	InvSold *sold; /* one element for an order row */
	int count;	   /* 0: there is no such order */
} InvOrder;

extern void inv_lock_orders(InvStore *store, InvOrder *orders, int count);
extern InvOrder inv_lock_order(InvStore *store, Datum key);
extern InvSold *inv_only_sold(const InvOrder *order, const char *what);
extern int64 inv_refunded_units(InvStore *store, Datum order, const InvSold *sold);
extern int64 inv_sold_left(const InvSold *sold);
INV_NORETURN extern void inv_error_order_refunded(InvStore *store, Datum order, int64 quantity,
												  int64 refunded, const InvSold *sold);
extern char *inv_order_text(InvStore *store, Datum order);

#endif /* INV_SOLD_H */
