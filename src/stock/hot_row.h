/*
 * hot_row.h
 *		A hot item as the tables have it.
 */
#ifndef INV_HOT_ROW_H
#define INV_HOT_ROW_H

#include "shmem/hot_table.h"
#include "store/binding.h"
#include "store/query.h"

/* An item's row in "hot". */
typedef struct InvHotRow
{
	int64 settled; /* movements up to this epoch are in the stock column */
	bool hot;
	bool own; /* written by this transaction */
	bool keep_cold;
} InvHotRow;

/* A hot item, counted by the tables. */
typedef struct InvHotCount
{
	InvCounterValues values; /* for its counter */
	bool exact;		/* false: the stock is out of range, and is counted as far as it goes */
	bool unsettled; /* there are movements that are not in the stock column */
	bool own_row;	/* this transaction has written the item's row */
} InvHotCount;

extern bool inv_hot_row_read(InvStore *store, Datum item, InvSnapshotMode mode, InvHotRow *row);
extern int64 inv_hot_sum_movements(InvStore *store, Datum item, int64 after, int64 upto_epoch,
								   InvSnapshotMode mode, int64 *last);
extern int64 inv_hot_sum_unsettled(InvStore *store, Datum item, InvSnapshotMode mode);
extern void inv_hot_apply_to_row(InvStore *store, Datum item, int64 sum, int64 upto_epoch,
								 bool hot);
extern void inv_hot_apply_all(InvStore *store, Datum item, const InvHotRow *row, int64 upto_epoch,
							  bool to_row);
extern bool inv_hot_count(InvStore *store, Datum item, const InvHotRow *row, InvHotCount *count);

#endif /* INV_HOT_ROW_H */
