/*
 * row_take.h
 *		Take units of cold items from their rows.
 */
#ifndef INV_ROW_TAKE_H
#define INV_ROW_TAKE_H

#include "store/binding.h"
#include "stock/quantity.h"

extern void inv_row_take(InvStore *store, InvTake *take);
extern void inv_row_take_locked(InvStore *store, InvTake *takes, int count);

#endif /* INV_ROW_TAKE_H */
