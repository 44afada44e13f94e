/*
 * direct_read.h
 *		What can be sold of an item, read through indexes, without a statement.
 */
#ifndef INV_DIRECT_READ_H
#define INV_DIRECT_READ_H

#include "executor/tuptable.h"

#include "store/binding.h"
#include "stock/quantity.h"

/*
 * Read what is committed now of an item, and its overdue holds if the take lacks units.
 * The status is INV_STATUS_ITEM_NOT_FOUND if it does not exist, else INV_STATUS_OK.  False,
 * and nothing read, if that needs a statement.
 */
extern bool inv_direct_read(InvStore *store, InvTake *take);

extern void inv_read_take(InvStore *store, TupleTableSlot *row, InvTake *take);

#endif /* INV_DIRECT_READ_H */
