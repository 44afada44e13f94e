/*
 * row_take.h
 *		Take units of one cold item from its row.
 */
#ifndef INV_ROW_TAKE_H
#define INV_ROW_TAKE_H

#include "store/binding.h"
#include "stock/quantity.h"

extern void inv_row_take(InvStore *store, InvTake *take);

#endif /* INV_ROW_TAKE_H */
