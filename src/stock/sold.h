/*
 * sold.h
 *		What was sold on an order line, and the changes of its row that others made.
 */
#ifndef INV_SOLD_H
#define INV_SOLD_H

#include "store/binding.h"
#include "stock/order_row.h"

/* What was sold of an item on a line. */
typedef struct InvSoldItem
{
	Datum item;
	int64 units;
	InvUser user;
} InvSoldItem;

extern bool inv_lock_changed_line(InvStore *store, Datum order);
extern InvSoldItem *inv_sold_on_line(InvStore *store, Datum order, const InvOrderRow *row,
									 int *count);
extern void inv_record_change(InvStore *store, Datum order, const char *operation,
							  const InvOrderRow *before, const InvOrderRow *after);

#endif /* INV_SOLD_H */
