/*
 * hot_check.c
 *		Compare the counter of a hot item with the tables.
 *
 * Reads both without a lock: the counter must be at rest, and unchanged from before the
 * tables are read until after.
 */
#include "postgres.h"

#include "shmem/counter.h"
#include "shmem/hot_table.h"
#include "store/binding.h"
#include "store/query.h"
#include "stock/hot_check.h"
#include "stock/hot_item.h"
#include "stock/hot_row.h"
#include "stock/quantity.h"

/*
 * Does the counter of a hot item differ from what the tables say (I9)?  False also if
 * that cannot be said, because something is in flight or changed while the tables were
 * read.
 */
bool
inv_hot_counter_differs(InvStore *store, Datum item, int64 *expected, int64 *actual)
{
	InvCounterRef counter;
	InvCounterValues now;
	InvHotCount count;
	InvHotRow row;
	uint64 changes_before, changes_after;

	if (!inv_hot_may_exist(store) || !inv_hot_find_entry(store, item, &counter) ||
		!inv_counter_at_rest(&counter, &changes_before))
		return false;
	if (!inv_hot_row_read(store, item, INV_SNAPSHOT_LATEST, &row) ||
		!inv_hot_count(store, item, &row, &count) || count.own_row)
		return false;
	/* of an earlier version of the table: it is counted again before it is used */
	if (inv_counter_read(&counter, &now) != INV_HOT_STATE_HOT ||
		now.table_version != counter.table_version ||
		!inv_counter_at_rest(&counter, &changes_after) || changes_after != changes_before)
		return false;
	*expected = inv_above_floor(count.values.stock, count.values.floor);
	*actual = inv_above_floor(now.stock, now.floor);
	return count.exact && (now.stock != count.values.stock || now.floor != count.values.floor);
}
