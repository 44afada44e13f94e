/*
 * cool.h
 *		Hot items become cold.
 */
#ifndef INV_COOL_H
#define INV_COOL_H

#include "store/binding.h"

extern int64 inv_cool_idle(InvStore *store);
extern bool inv_cool_item(InvStore *store, Datum item);
extern int64 inv_cool_all(InvStore *store);

#endif /* INV_COOL_H */
