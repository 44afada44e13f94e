/*
 * prepare_order.h
 *		Rows of orders that a function of the shop makes.
 */
#ifndef INV_PREPARE_ORDER_H
#define INV_PREPARE_ORDER_H

#include "store/binding.h"
#include "commands/cart.h"
#include "commands/header.h"

extern void inv_prepare_order(InvStore *store, InvCart *cart, InvHeader *header,
							  const InvUser *user);

#endif /* INV_PREPARE_ORDER_H */
