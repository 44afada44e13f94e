/*
 * sold.h
 *		What was sold on an order, and what of it is refunded.
 */
#ifndef INV_SOLD_H
#define INV_SOLD_H

#include "base/compat.h"
#include "base/fact.h"
#include "store/binding.h"
#include "stock/order_change.h"

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

extern void inv_lock_orders(InvStore *store, InvOrder *orders, int count);
extern InvOrder inv_lock_order(InvStore *store, Datum key);
extern InvSold *inv_only_sold(const InvOrder *order, const char *what);
extern void inv_check_refunded(InvStore *store, Datum order, InvSold *sold, int64 quantity);
extern void inv_replace_changes(InvStore *store, const InvOrder *order, const InvSold *sold,
								int64 quantity);
extern int64 inv_line_left(InvStore *store, const InvOrderRow *row);
extern int64 inv_sold_left(const InvSold *sold);
INV_NORETURN extern void inv_error_order_refunded(InvStore *store, Datum order, int64 quantity,
												  int64 refunded, const InvSold *sold);
extern InvFacts *inv_order_facts(InvStore *store, Datum order);
extern char *inv_order_text(InvStore *store, Datum order);

#endif /* INV_SOLD_H */
