/*
 * order_lookup.h
 *		Order rows and refunds, found without a statement.
 */
#ifndef INV_ORDER_LOOKUP_H
#define INV_ORDER_LOOKUP_H

#include "store/binding.h"
#include "stock/order_change.h"

extern bool inv_direct_lock_order_row(InvStore *store, Datum order, InvOrderRow *row);
extern bool inv_direct_sum_refunds(InvStore *store, Datum order, int64 *units);

#endif /* INV_ORDER_LOOKUP_H */
