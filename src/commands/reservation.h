/*
 * reservation.h
 *		Reservations after they are made.
 */
#ifndef INV_RESERVATION_H
#define INV_RESERVATION_H

#include "store/binding.h"
#include "commands/hold_row.h"

extern bool inv_release_reservation(InvStore *store, const InvHold *hold);

#endif /* INV_RESERVATION_H */
