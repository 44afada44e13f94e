/*
 * hot_stock.h
 *		Stock of a hot item, in its counter: what item_row.c is for cold items.
 */
#ifndef INV_HOT_STOCK_H
#define INV_HOT_STOCK_H

#include "shmem/counter.h"
#include "shmem/hot_table.h"
#include "store/binding.h"
#include "stock/quantity.h"

extern void inv_hot_stock_wait(InvStore *store, Datum item, const InvCounterRef *counter,
							   InvCounterTake *take, int64 *deadline);
extern bool inv_hot_stock_find_many(InvStore *store, InvTake *takes, int count);
extern bool inv_hot_stock_read(InvStore *store, InvTake *take);
extern void inv_hot_stock_judge(InvStore *store, InvTake *take);
extern bool inv_hot_stock_take(InvStore *store, InvTake *take);
extern void inv_hot_stock_untake(InvTake *take);
extern bool inv_hot_stock_give(InvStore *store, InvGive *give);
extern bool inv_hot_stock_change(InvStore *store, InvStock *stock, int64 delta, int64 least);

#endif /* INV_HOT_STOCK_H */
