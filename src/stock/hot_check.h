/*
 * hot_check.h
 *		Compare the counter of a hot item with the tables.
 */
#ifndef INV_HOT_CHECK_H
#define INV_HOT_CHECK_H

#include "store/binding.h"

extern bool inv_hot_counter_differs(InvStore *store, Datum item, int64 *expected, int64 *actual);

#endif /* INV_HOT_CHECK_H */
