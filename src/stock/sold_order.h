/*
 * sold_order.h
 *		An order, and what was sold on it.
 */
#ifndef INV_SOLD_ORDER_H
#define INV_SOLD_ORDER_H

#include "store/binding.h"
#include "stock/order_row.h"

/* What one user bought of an item in an order. */
typedef struct InvSold
{
	Datum item;
	int64 quantity; /* whole units */
	char *text;		/* the same as its row has it; null if no row says it */
	int64 refunded; /* of these units */
	InvUser user;	/* who bought it */
	int64 counted;	/* of these, against the purchase limit: those sold before the attach do not */
	bool is_only;	/* of its order */
} InvSold;

/* An order that is locked. */
typedef struct InvOrder
{
	Datum key;
	bool exists;
	bool changed;		 /* others have changed its row */
	bool known;			 /* where the ledger follows orders: it has movements of the line */
	bool final;			 /* there: the line is final */
	InvOrderRow row;	 /* locked; where the store has orders, and the row has not been deleted */
	InvUser header_user; /* where lines have no user of their own: that of the header */
	InvSold *sold;
	int count; /* 0: it does not exist, or nothing was sold on it */
} InvOrder;

#endif /* INV_SOLD_ORDER_H */
