/*
 * sold.h
 *		What was sold on an order, and what of it is refunded.
 */
#ifndef INV_SOLD_H
#define INV_SOLD_H

#include "base/compat.h"
#include "store/binding.h"
#include "stock/order_row.h"
#include "stock/sold_order.h"

extern void inv_lock_orders(InvStore *store, InvOrder *orders, int count);
extern void inv_check_sold(InvStore *store, const InvOrder *order);
extern InvOrder inv_lock_order(InvStore *store, Datum key);
extern InvSold *inv_only_sold(const InvOrder *order, const char *what, const char *hint);
extern void inv_check_refunded(InvStore *store, Datum order, InvSold *sold, int64 quantity);
extern void inv_replace_changes(InvStore *store, const InvOrder *order, const InvSold *sold,
								int64 quantity);
extern int64 inv_line_left(InvStore *store, const InvOrderRow *row);
extern int64 inv_sold_left(const InvSold *sold);
INV_NORETURN extern void inv_error_order_refunded(InvStore *store, Datum order, int64 quantity,
												  int64 refunded, const InvSold *sold);

#endif /* INV_SOLD_H */
