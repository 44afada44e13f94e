/*
 * order_lookup.h
 *		Order rows and refunds, found without a statement, or in the result of one.
 */
#ifndef INV_ORDER_LOOKUP_H
#define INV_ORDER_LOOKUP_H

#include "store/binding.h"
#include "stock/order_row.h"

extern bool inv_direct_lock_order_row(InvStore *store, Datum order, InvOrderRow *row);
extern bool inv_find_order_row(InvStore *store, uint64 rows, uint64 *next, Datum order,
							   uint64 *found);
extern bool inv_direct_sum_refunds(InvStore *store, Datum order, int64 *units);

#endif /* INV_ORDER_LOOKUP_H */
