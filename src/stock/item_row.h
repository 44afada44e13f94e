/*
 * item_row.h
 *		Stock of a cold item, in its row.
 */
#ifndef INV_ITEM_ROW_H
#define INV_ITEM_ROW_H

#include "store/binding.h"
#include "store/query.h"
#include "stock/quantity.h"

extern void inv_item_row_read(InvStore *store, InvTake *take);
extern void inv_item_row_lock(InvStore *store, InvTake *take);
extern void inv_item_row_read_many(InvStore *store, InvTake *takes, int count, bool lock);
extern void inv_item_row_take_many(InvStore *store, InvTake *takes, int count);
extern void inv_item_row_give_many(InvStore *store, InvGive *gives, int count);
extern InvRowLevel inv_item_row_change(InvStore *store, Datum item, int64 delta, bool settling,
									   InvSnapshotMode mode);

#endif /* INV_ITEM_ROW_H */
