/*
 * order_change.h
 *		The rows of order lines, and the changes of them that others made.
 */
#ifndef INV_ORDER_CHANGE_H
#define INV_ORDER_CHANGE_H

#include "store/binding.h"

/* The bound columns of an order row. */
typedef struct InvOrderRow
{
	bool exists;
	Datum order;
	bool no_order;
	Datum item; /* as orders have it */
	bool no_item;
	int64 units; /* whole units */
	bool no_units;
	InvUser user;
} InvOrderRow;

extern bool inv_same_order_key(InvStore *store, const InvOrderRow *a, const InvOrderRow *b);
extern bool inv_same_order_item(InvStore *store, const InvOrderRow *a, const InvOrderRow *b);
extern bool inv_same_order_units(const InvOrderRow *a, const InvOrderRow *b);
extern bool inv_same_order_user(InvStore *store, const InvOrderRow *a, const InvOrderRow *b);
extern bool inv_same_line(InvStore *store, const InvOrderRow *a, const InvOrderRow *b);
extern void inv_record_change(InvStore *store, Datum order, const char *operation,
							  const InvOrderRow *before, const InvOrderRow *after);

#endif /* INV_ORDER_CHANGE_H */
