/*
 * order.h
 *		Order rows.
 */
#ifndef INV_ORDER_H
#define INV_ORDER_H

#include "store/binding.h"
#include "commands/cart.h"

extern void inv_check_units_of_orders(InvStore *store, const InvCart *cart);
extern void inv_insert_cart(InvStore *store, InvCart *cart, const InvUser *user);

#endif /* INV_ORDER_H */
