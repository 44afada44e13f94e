/*
 * hot_row.c
 *		A hot item as the tables have it.
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "common/int.h"

#include "base/error.h"
#include "shmem/hot_table.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/query.h"
#include "store/query_text.h"
#include "stock/hot_item.h"
#include "stock/hot_row.h"
#include "stock/item_row.h"

/* more than ever pass */
#define MAX_EPOCH (PG_INT64_MAX / 2)

/* ---- rows ---- */

/* The item's row in "hot"; false if it was never hot. */
bool
inv_hot_row_read(InvStore *store, Datum item, InvSnapshotMode mode, InvHotRow *row)
{
	bool isnull;

	if (inv_execute(store, INV_STMT_HOT_ROW, &item, NULL, mode) == 0)
		return false;
	row->number = inv_result_int64(0, 1);
	row->settled = inv_result_int64(0, 2);
	row->hot = DatumGetBool(inv_result(0, 3, &isnull));
	row->own =
		TransactionIdIsCurrentTransactionId(DatumGetTransactionId(inv_result(0, 4, &isnull)));
	return true;
}

/* The sum of the item's movements of some epochs, and the last of these. */
int64
inv_hot_sum_movements(InvStore *store, Datum item, int64 after, int64 upto_epoch,
					  InvSnapshotMode mode, int64 *last)
{
	Datum values[] = { item, Int64GetDatum(after), Int64GetDatum(upto_epoch) };

	inv_execute(store, INV_STMT_UNSETTLED, values, NULL, mode);
	*last = inv_result_int64(0, 2);
	return inv_result_int64(0, 1);
}

/*
 * What a hot item has beside its stock column; 0 for others.  A reader with an old
 * snapshot may see as hot what is cold now.
 */
int64
inv_hot_sum_unsettled(InvStore *store, Datum item, InvSnapshotMode mode)
{
	InvHotStore *hot_store = RecoveryInProgress() ? NULL : inv_hot_store(store);
	InvHotRow row;
	int64 last;

	if (hot_store ? !hot_store->was_hot && pg_atomic_read_u32(&hot_store->cold) != 0
				  : !store->may_be_hot)
		return 0;
	if (!inv_hot_row_read(store, item, mode, &row) || !row.hot)
		return 0;
	return inv_hot_sum_movements(store, item, row.settled, PG_INT64_MAX, mode, &last);
}

/* Add movements to the row of an item, which is locked. */
void
inv_hot_apply_to_row(InvStore *store, Datum item, int64 sum, int64 upto_epoch, bool hot)
{
	Datum settled[] = { item, Int64GetDatum(upto_epoch), BoolGetDatum(hot) };

	if (sum != 0)
		(void) inv_item_row_change(store, item, sum, true, INV_SNAPSHOT_LATEST);
	if (inv_execute(store, INV_STMT_MARK_SETTLED, settled, NULL, INV_SNAPSHOT_LATEST) != 1)
		inv_error_broken_store(store->store_name,
							   "A hot item has no row in its table of hot items.");
}

/* ---- counting ---- */

/* Count what is above the floor: as much as fits. */
static int64
above_floor(int64 stock, int64 unsettled, int64 floor)
{
	const int64 max_stock = PG_INT64_MAX / 2; /* leaves room for sums with what is in flight */
	int64 above;

	if (pg_add_s64_overflow(stock, unsettled, &above))
		return max_stock;
	if (pg_sub_s64_overflow(above, floor, &above))
		return floor > 0 ? -max_stock : max_stock;
	return Max(Min(above, max_stock), -max_stock);
}

/* Count a locked item with the latest snapshot. */
bool
inv_hot_count(InvStore *store, Datum item, int64 settled, InvCounterValues *counted, bool *own_row,
			  bool *unsettled)
{
	int64 stock, last, sum;
	bool isnull;

	if (inv_execute(store, INV_STMT_READ_HOT, &item, NULL, INV_SNAPSHOT_LATEST) == 0)
		return false;
	stock = DatumGetInt64(inv_result(0, 1, &isnull));
	if (isnull)
		inv_error_broken_store(store->store_name, "The stock of a hot item is null.");
	counted->floor = inv_result_int64(0, 2);
	counted->limit = DatumGetInt64(inv_result(0, 3, &isnull));
	counted->limited = !isnull;
	counted->for_sale = DatumGetBool(inv_result(0, 4, &isnull));
	*own_row =
		TransactionIdIsCurrentTransactionId(DatumGetTransactionId(inv_result(0, 5, &isnull)));
	sum = inv_hot_sum_movements(store, item, settled, PG_INT64_MAX, INV_SNAPSHOT_LATEST, &last);
	*unsettled = last > settled;
	counted->available = above_floor(stock, sum, counted->floor);
	counted->stale = false;
	counted->readings = 0;
	counted->max_stock = inv_max_units(store);
	counted->settled = settled;
	/* the tables are their owner's, the counters are everybody's */
	if (settled < 0 || last > MAX_EPOCH)
		inv_error_broken_store(store->store_name,
							   "Its ledger has an epoch that the engine did not write.");
	counted->epoch = Max(settled + 1, last);
	/* who is short finds out, and without what it has written itself */
	counted->next_expiry = DT_NOBEGIN;
	return true;
}
