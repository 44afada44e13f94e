/*
 * order_change.h
 *		The changes of order lines that others made.
 */
#ifndef INV_ORDER_CHANGE_H
#define INV_ORDER_CHANGE_H

#include "store/binding.h"
#include "stock/order_row.h"

extern void inv_record_change(InvStore *store, Datum order, const char *operation,
							  const InvOrderRow *before, const InvOrderRow *after);

#endif /* INV_ORDER_CHANGE_H */
