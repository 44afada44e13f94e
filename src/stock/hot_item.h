/*
 * hot_item.h
 *		Hot items as the tables have them, and how their counters come to be.
 */
#ifndef INV_HOT_ITEM_H
#define INV_HOT_ITEM_H

#include "shmem/hot_table.h"
#include "store/binding.h"
#include "store/query.h"

/* An item's row in "hot". */
typedef struct InvHotRow
{
	int64 settled; /* movements up to this epoch are in the stock column */
	bool hot;
	bool own; /* written by this transaction */
} InvHotRow;

extern void inv_hot_item_init(void);

extern bool inv_hot_none(InvStore *store);
extern bool inv_hot_left_out(InvStore *store);
extern bool inv_hot_not(InvStore *store, Datum item);
extern bool inv_hot_any(InvStore *store);
extern bool inv_hot_find(InvStore *store, Datum item, InvCounterRef *counter);
extern InvHotState inv_hot_state(InvStore *store, Datum item, InvCounterRef *counter);
extern bool inv_hot_differs(InvStore *store, Datum item, int64 *expected, int64 *actual);
extern int64 inv_hot_unsettled(InvStore *store, Datum item, InvSnapshotMode mode);

/* for heat.c */
extern InvHotStore *inv_hot_store(InvStore *store);
extern bool inv_hot_row(InvStore *store, Datum item, InvSnapshotMode mode, InvHotRow *row);
extern int64 inv_hot_sum(InvStore *store, Datum item, int64 after, int64 upto_epoch,
						 InvSnapshotMode mode, int64 *last);
extern void inv_hot_apply_to_row(InvStore *store, Datum item, int64 sum, int64 upto_epoch,
								 bool hot);
extern void inv_hot_will_change(InvStore *store);
extern bool inv_hot_demote(InvStore *store, Datum item);

#endif /* INV_HOT_ITEM_H */
