/*
 * settle.c
 *		Hot items are settled.
 *
 * Settling adds the movements of closed epochs to the stock column.  It locks the item's
 * row, and then decides by what the latest snapshot shows.
 *
 * Expects an entered store.  Writes the rows of items and of "hot"; changes counters only
 * through shmem/, and reads entries only in conditions (InvHotEntryTest), which are called
 * under an entry's spinlock.
 */
#include "postgres.h"

#include "common/int.h"

#include "base/compat.h"
#include "base/error.h"
#include "base/hot_error.h"
#include "shmem/counter.h"
#include "shmem/counter_state.h"
#include "shmem/hot_directory.h"
#include "shmem/hot_table.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/query.h"
#include "stock/hot_item.h"
#include "stock/hot_publish.h"
#include "stock/hot_row.h"
#include "maintenance/hot_apply.h"
#include "maintenance/hot_list.h"
#include "maintenance/locked_row.h"
#include "maintenance/settle.h"

/*
 * With the item's row locked: are epochs up to upto_epoch still to be settled?
 * While the lock was waited for, another session may have settled them, or cooled
 * the item, which may even be hot again with another entry.
 */
static bool
is_still_unsettled(InvStore *store, Datum item, const InvCounterRef *counter, int64 upto_epoch,
				   InvHotRow *row)
{
	InvCounterValues now;

	return inv_counter_read(counter, &now) == INV_HOT_STATE_HOT &&
		   inv_hot_row_read(store, item, INV_SNAPSHOT_LATEST, row) && row->hot &&
		   row->settled < upto_epoch;
}

/*
 * May the sum of closed epochs be added to the row (I3)?  Not if the row would fall below 0,
 * or below a floor under 0, or overflow, until a later epoch is settled: a closed epoch can
 * have sales of units that were put in in a later one.  Then both are settled together,
 * later.  Raises 22003 if no later epoch helps a stock that is too large.
 */
static bool
row_can_take_sum(InvStore *store, Datum item, const InvLockedRow *locked, const InvHotRow *row,
				 int64 sum)
{
	int64 stock, sum_of_all, last;
	bool too_large =
		pg_add_s64_overflow(locked->stock, sum, &stock) || stock > inv_max_units(store);

	if (!too_large && (sum >= 0 || stock >= Min(locked->floor, 0)))
		return true;
	sum_of_all =
		inv_hot_sum_movements(store, item, row->settled, PG_INT64_MAX, INV_SNAPSHOT_LATEST, &last);
	if (too_large && sum_of_all >= sum)
		inv_error_overflow("stock");
	return !too_large && sum_of_all <= sum;
}

/*
 * Add the movements of the item's closed epochs to its stock column; false if
 * none was added.  No pending change refers to a closed epoch, or ever will (I6),
 * so the latest snapshot has all of its movements.  The counter learns at the end of
 * the transaction up to which epoch the column is complete.
 */
static bool
settle_item(InvStore *store, Datum item)
{
	InvCounterRef counter;
	InvLockedRow locked;
	InvHotRow row;
	int64 upto_epoch, sum, last;

	if (!inv_hot_find_counter(store, item, &counter))
		return false;
	if (inv_counter_has_own_units(&counter))
		inv_error_in_flight(inv_item_text(store, item));
	if (!inv_counter_close_epoch(&counter, &upto_epoch))
		return false;
	INV_POINT("inventory-after-epoch");
	locked = inv_lock_stock_row(store, item);
	if (!is_still_unsettled(store, item, &counter, upto_epoch, &row))
		return false;
	sum = inv_hot_sum_movements(store, item, row.settled, upto_epoch, INV_SNAPSHOT_LATEST, &last);
	if (!row_can_take_sum(store, item, &locked, &row, sum))
		return false;
	inv_counter_settled(&counter, upto_epoch);
	if (last == row.settled)
		return false; /* no movement of these epochs was committed */
	inv_hot_apply_to_row(store, item, sum, upto_epoch, true);
	return true;
}

/*
 * Does the item have epochs to settle?  An unpublished item may have movements of
 * before the server's start: settling publishes it to find out.
 */
static bool
has_epochs_to_settle(const InvHotEntry *entry, int64 now pg_attribute_unused())
{
	return entry->state == INV_HOT_STATE_UNPUBLISHED ||
		   (entry->state == INV_HOT_STATE_HOT &&
			(entry->has_movements || entry->values.epoch - 1 > entry->values.settled));
}

/* The same, for the worker, which leaves an item that could not be settled alone for a while. */
static bool
is_to_be_settled(const InvHotEntry *entry, int64 now)
{
	return entry->retry_at <= now && has_epochs_to_settle(entry, now);
}

/*
 * Make a hot item cold that has no entry, because there is no room for one: looking for
 * the counter of such an item does that.
 */
static bool
demote_without_entry(InvStore *store, Datum item)
{
	InvCounterRef counter;

	return !inv_hot_find_counter(store, item, &counter);
}

/*
 * Bring the stock column of at most max_items hot items up to date; returns of how
 * many.  Raises an error if this transaction has units of one in flight.
 */
int64
inv_settle_items(InvStore *store, int64 max_items, bool by_hand)
{
	uint64 count;
	Datum *items;

	Assert(max_items > 0);
	if (inv_hot_lacks_entries(store))
	{
		items = inv_read_hot_items(store, &count);
		(void) inv_apply_to_items(store, items, count, demote_without_entry, PG_INT64_MAX);
	}
	if (!inv_hot_may_exist(store))
		return 0;
	items = inv_select_hot_items(store, by_hand ? has_epochs_to_settle : is_to_be_settled, &count);
	return inv_apply_to_items(store, items, count, settle_item, max_items);
}
