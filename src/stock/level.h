/*
 * level.h
 *		What can be sold of items, for an answer that shows it.
 */
#ifndef INV_LEVEL_H
#define INV_LEVEL_H

#include "base/error.h"
#include "store/binding.h"
#include "stock/quantity.h"

extern void inv_level_read_many(InvStore *store, InvTake *takes, int count);
extern int64 inv_level_read(InvStore *store, Datum item, InvStatus *status, bool *tracked);

#endif /* INV_LEVEL_H */
