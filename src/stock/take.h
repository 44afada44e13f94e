/*
 * take.h
 *		Take units of items: all that is asked for, or nothing.
 */
#ifndef INV_TAKE_H
#define INV_TAKE_H

#include "store/binding.h"
#include "stock/quantity.h"

extern bool inv_take_may_succeed(InvStore *store, InvTake *takes, int count, const InvUser *user);
extern InvTake *inv_find_take(InvStore *store, InvTake *takes, int count, Datum item);
extern bool inv_take(InvStore *store, InvTake *takes, int count, const InvUser *user);

#endif /* INV_TAKE_H */
