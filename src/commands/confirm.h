/*
 * confirm.h
 *		Reservations become orders.
 */
#ifndef INV_CONFIRM_H
#define INV_CONFIRM_H

#include "utils/jsonb.h"

#include "store/binding.h"
#include "commands/cart.h"
#include "commands/hold_row.h"

extern bool inv_confirm_reservation(InvStore *store, InvHold *hold, Jsonb *order_data,
									InvCart *cart);

#endif /* INV_CONFIRM_H */
