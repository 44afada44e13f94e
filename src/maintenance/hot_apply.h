/*
 * hot_apply.h
 *		A transition of several hot items, one of which may fail.
 */
#ifndef INV_HOT_APPLY_H
#define INV_HOT_APPLY_H

#include "store/binding.h"

/* A transition of an item, which locks its row; false if nothing was changed. */
typedef bool (*InvItemTransition)(InvStore *store, Datum item);

extern int64 inv_apply_to_items(InvStore *store, Datum *items, uint64 count,
								InvItemTransition transition, int64 max_items);

#endif /* INV_HOT_APPLY_H */
