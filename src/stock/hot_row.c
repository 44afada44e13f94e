/*
 * hot_row.c
 *		A hot item as the tables have it.
 *
 * Durable are the item's row, its movements with an epoch, and its row in "hot", which
 * says up to which epoch the movements are in the stock column.  On hand is the stock
 * plus the movements after that epoch, and what can be sold is that minus the floor.
 *
 * Reads expect no lock.  What is read is the truth only under the lock of the item's row,
 * with the latest snapshot: all that settle, cool, demote or publish have that lock.
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/int.h"

#include "base/compat.h"
#include "base/error.h"
#include "base/store_error.h"
#include "shmem/hot_table.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/query.h"
#include "store/query_text.h"
#include "store/table_check.h"
#include "stock/hot_item.h"
#include "stock/hot_row.h"
#include "stock/item_row.h"

/* more epochs than an item can have; leaves room for sums of epochs */
#define MAX_EPOCH (PG_INT64_MAX / 2)

static bool
is_own_xid(Datum xmin)
{
	return TransactionIdIsCurrentTransactionId(DatumGetTransactionId(xmin));
}

/* The item's row in "hot"; false if it was never hot. */
bool
inv_hot_row_read(InvStore *store, Datum item, InvSnapshotMode mode, InvHotRow *row)
{
	uint64 rows = inv_execute(store, INV_STMT_HOT_ROW, &item, NULL, mode);
	bool isnull;

	if (rows == 0)
		return false;
	if (rows > 1)
		inv_error_broken_store(
			store->store_name, store->items,
			psprintf("Item \"%s\" has several rows in \"hot\".", inv_item_text(store, item)));
	row->settled = inv_result_int64(0, 1);
	row->hot = DatumGetBool(inv_result(0, 2, &isnull));
	row->own = is_own_xid(inv_result(0, 3, &isnull));
	row->keep_cold = DatumGetBool(inv_result(0, 4, &isnull));
	return true;
}

/*
 * The sum of the item's movements of the epochs after one up to another; *last is the
 * last of these epochs that has movements, or "after".
 */
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
 * What a hot item has beside its stock column; 0 for a cold one.  To an old snapshot an
 * item can be hot that is cold now.
 */
int64
inv_hot_sum_unsettled(InvStore *store, Datum item, InvSnapshotMode mode)
{
	InvHotRow row;
	int64 last;

	if (inv_hot_never_was(store))
		return 0;
	if (!inv_hot_row_read(store, item, mode, &row) || !row.hot)
		return 0;
	return inv_hot_sum_movements(store, item, row.settled, PG_INT64_MAX, mode, &last);
}

/* Error context callback: the shop's own code can refuse the row of an item. */
static void
add_apply_context(void *item)
{
	errcontext("writing what was sold of hot item \"%s\" into its row", (const char *) item);
}

/*
 * Settle: add the sum of the movements up to an epoch to the stock column, and note the
 * epoch, and whether the item stays hot (I2).  Expects the row to be locked, and the sum
 * to have been read under that lock.
 */
void
inv_hot_apply_to_row(InvStore *store, Datum item, int64 sum, int64 upto_epoch, bool hot)
{
	Datum settled[] = { item, Int64GetDatum(upto_epoch), BoolGetDatum(hot) };
	const char *name = inv_item_text(store, item);
	ErrorContextCallback context = { error_context_stack, add_apply_context, (void *) name };

	/* first: a trigger on items can call the engine, and must not find the sum unsettled */
	if (inv_execute(store, INV_STMT_MARK_SETTLED, settled, NULL, INV_SNAPSHOT_LATEST) != 1)
		inv_error_broken_store(store->store_name, store->items,
							   "A hot item has no row in its table of hot items.");
	error_context_stack = &context;
	if (sum != 0)
		(void) inv_item_row_change(store, item, sum, true, INV_SNAPSHOT_LATEST);
	error_context_stack = context.previous;
	INV_POINT("inventory-after-settled-row");
}

/*
 * Make a hot item cold: add all its movements to its stock column, unless its row is gone, and
 * note the last epoch that it had.  Expects the row to be locked.
 */
void
inv_hot_apply_all(InvStore *store, Datum item, const InvHotRow *row, int64 upto_epoch, bool to_row)
{
	int64 last;
	int64 sum =
		inv_hot_sum_movements(store, item, row->settled, PG_INT64_MAX, INV_SNAPSHOT_LATEST, &last);

	inv_hot_apply_to_row(store, item, to_row ? sum : 0, Max(upto_epoch, last), false);
}

/* ---- counting ---- */

/*
 * Count what the tables have of an item whose row in "hot" was read, as committed now:
 * what its counter is published with.  Of the movements nothing counts that this transaction has
 * changed.  False if there is no such item.  Raises 55000
 * where the tables have what the engine does not write: they are their owner's, but the
 * counters are shared by all.
 */
bool
inv_hot_count(InvStore *store, Datum item, const InvHotRow *row, InvHotCount *count)
{
	InvCounterValues *values = &count->values;
	int64 stock, sum, last;
	bool isnull;

	if (inv_execute(store, INV_STMT_READ_HOT, &item, NULL, INV_SNAPSHOT_LATEST) == 0)
		return false;
	memset(count, 0, sizeof(*count));
	stock = DatumGetInt64(inv_result(0, 1, &isnull));
	if (isnull)
		inv_error_broken_store(store->store_name, store->items, "The stock of a hot item is null.");
	values->floor = inv_result_int64(0, 2);
	values->limit = DatumGetInt64(inv_result(0, 3, &isnull));
	values->limited = !isnull;
	values->for_sale = DatumGetBool(inv_result(0, 4, &isnull));
	count->own_row = is_own_xid(inv_result(0, 5, &isnull)) ||
					 inv_ledger_table_is_locked(store, INV_LEDGER_MOVEMENTS);

	sum = inv_hot_sum_movements(store, item, row->settled, PG_INT64_MAX, INV_SNAPSHOT_COMMITTED,
								&last);
	if (row->settled < 0 || last > MAX_EPOCH)
		inv_error_broken_store(store->store_name, store->items,
							   "Its ledger has an epoch that the engine did not write.");
	count->unsettled = last > row->settled;
	/* a sum that no column can hold was not written by the engine; less is safe to sell */
	count->exact = !pg_add_s64_overflow(stock, sum, &values->stock);
	if (!count->exact)
		values->stock = sum > 0 ? PG_INT64_MAX : PG_INT64_MIN;
	values->max_stock = inv_max_units(store);
	values->settled = row->settled;
	values->epoch = Max(row->settled + 1, last);
	/* unknown, so the first take that is short looks for overdue holds */
	values->next_expiry = DT_NOBEGIN;
	return true;
}
