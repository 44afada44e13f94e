/*
 * orders_guard.h
 *		The trigger on orders.
 */
#ifndef INV_ORDERS_GUARD_H
#define INV_ORDERS_GUARD_H

extern void inv_orders_guard_init(void);

#endif /* INV_ORDERS_GUARD_H */
