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
#include "stock/hot_publish.h"
#include "stock/hot_row.h"

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

	if (inv_hot_state(store, item, &counter) != INV_HOT_STATE_HOT ||
		!inv_counter_at_rest(&counter, &changes_before))
		return false;
	if (!inv_hot_row_read(store, item, INV_SNAPSHOT_LATEST, &row) ||
		!inv_hot_count(store, item, &row, &count) || count.own_row)
		return false;
	if (inv_counter_read(&counter, &now) != INV_HOT_STATE_HOT ||
		!inv_counter_at_rest(&counter, &changes_after) || changes_after != changes_before)
		return false;
	*expected = count.values.available;
	*actual = now.available;
	return *actual != *expected && inv_hot_is_exact(*expected);
}
