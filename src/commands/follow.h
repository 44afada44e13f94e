/*
 * follow.h
 *		The ledger follows what order lines are worth.
 */
#ifndef INV_FOLLOW_H
#define INV_FOLLOW_H

#include "store/binding.h"
#include "commands/cart.h"

/* Before the engine reads what was sold on a line. */
extern void inv_follow_waiting(InvStore *store);

/*
 * Around what the engine writes into orders before it books it:
 *
 *		inv_follow_begin(store);
 *		... order rows, movements ...
 *		inv_follow_cart(store, cart);		or inv_follow_lines(store, reason)
 */
extern void inv_follow_begin(InvStore *store);
extern void inv_follow_cart(InvStore *store, const InvCart *cart);
extern void inv_follow_lines(InvStore *store, const char *reason);

#endif /* INV_FOLLOW_H */
