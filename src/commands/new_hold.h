/*
 * new_hold.h
 *		A new reservation: its units, its rows and movements.
 */
#ifndef INV_NEW_HOLD_H
#define INV_NEW_HOLD_H

#include "store/binding.h"
#include "commands/cart.h"
#include "commands/hold_row.h"

extern bool inv_reserve_units(InvStore *store, InvCart *cart, const InvUser *user, Datum id,
							  TimestampTz *end);
extern bool inv_find_repeated(InvStore *store, const InvCart *cart, const InvUser *user, Datum id,
							  InvHold *hold);

#endif /* INV_NEW_HOLD_H */
