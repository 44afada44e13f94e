/*
 * settle.h
 *		Hot items are settled.
 */
#ifndef INV_SETTLE_H
#define INV_SETTLE_H

#include "store/binding.h"

extern int64 inv_settle_items(InvStore *store, int64 max_items, bool by_hand);

#endif /* INV_SETTLE_H */
