/*
 * cool.c
 *		Hot items become cold.
 *
 * Cooling waits until nothing is in flight, adds all unsettled movements to the stock
 * column, and removes the mark.  It locks the item's row, and then decides by what the
 * latest snapshot shows.
 *
 * Expects an entered store.  Writes the rows of items and of "hot"; changes counters only
 * through shmem/, and reads entries only in a condition (InvHotEntryTest), which is called
 * under an entry's spinlock.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/timestamp.h"

#include "base/clock.h"
#include "base/compat.h"
#include "base/error.h"
#include "base/guc.h"
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
#include "maintenance/cool.h"
#include "maintenance/hot_apply.h"
#include "maintenance/hot_list.h"
#include "maintenance/locked_row.h"

/* the deadline of a transition that does not wait for transactions in flight */
#define NO_WAIT 0

/*
 * Close the counter to takes and gives, at an instant when none is in flight: then
 * all epochs up to upto_epoch are complete.  Until the deadline no new transaction
 * may begin one.  At the deadline raise an error or, with NO_WAIT, return false;
 * also return false if the counter is no longer hot.
 */
static bool
close_counter(InvStore *store, Datum item, const InvCounterRef *counter, int64 deadline,
			  int64 *upto_epoch)
{
	InvCounterResult result = inv_counter_cool(counter, deadline, upto_epoch);

	if (result == INV_COUNTER_OWN)
		inv_error_in_flight(inv_item_text(store, item));
	if (result == INV_COUNTER_WAIT && deadline != NO_WAIT)
		inv_error_busy(inv_item_facts(store, item),
					   "other transactions have units of it in flight");
	Assert(result != INV_COUNTER_SHORT && result != INV_COUNTER_OVERFLOW);
	return result == INV_COUNTER_DONE;
}

/*
 * Close the counter of a hot item, whose row is locked; false if it stays hot.  *demoted: it
 * had no counter, and is cold now.
 */
static bool
close_or_demote(InvStore *store, Datum item, int64 deadline, int64 *upto_epoch, bool *demoted)
{
	InvCounterRef counter;

	for (;;)
	{
		bool hot = inv_hot_state(store, item, &counter) == INV_HOT_STATE_HOT;

		CHECK_FOR_INTERRUPTS();
		*demoted = !hot && inv_hot_demote(store, item);
		if (*demoted)
			return true;
		if (hot && close_counter(store, item, &counter, deadline, upto_epoch))
		{
			Assert(inv_counter_is_cooling(&counter)); /* I6: until this transaction ends */
			return true;
		}
		if (deadline == NO_WAIT)
			return false;
		/* another session's cooling is ending, or the table was changed */
		if (inv_clock_now() > deadline)
			inv_error_busy(inv_item_facts(store, item), "another session is cooling it");
		pg_usleep(1000);
	}
}

/* Make a hot item cold in this transaction; false if it is cold, or stays hot. */
static bool
cool_item(InvStore *store, Datum item, int64 deadline)
{
	InvLockedRow locked = inv_lock_stock_row(store, item);
	int64 upto_epoch;
	bool demoted;
	InvHotRow row;

	if (!inv_hot_row_read(store, item, INV_SNAPSHOT_LATEST, &row) || !row.hot)
	{
		inv_check_stock_row(store, item, &locked);
		return false;
	}
	if (!close_or_demote(store, item, deadline, &upto_epoch, &demoted))
		return false;
	if (demoted)
		return true;
	INV_POINT("inventory-after-close");
	/* a logical subscriber may have deleted the row: nothing is left to add to */
	inv_hot_apply_all(store, item, &row, upto_epoch, locked.exists);
	return true;
}

/* Cool an item; wait for transactions in flight, and raise an error if they last too long. */
bool
inv_cool_item(InvStore *store, Datum item)
{
	return cool_item(store, item, inv_clock_after(inv_hot_lock_timeout));
}

/* Cool an item if nothing of it is in flight at this instant. */
static bool
cool_without_wait(InvStore *store, Datum item)
{
	return cool_item(store, item, NO_WAIT);
}

/* Cool all items that are hot according to the ledger; returns how many. */
int64
inv_cool_all(InvStore *store)
{
	uint64 count;
	Datum *items = inv_read_hot_items(store, &count);
	int64 cooled = 0;

	for (uint64 i = 0; i < count; i++)
		cooled += inv_cool_item(store, items[i]);
	return cooled;
}

/* Has the item not been bought for a while?  With hot items switched off, every item passes. */
static bool
is_to_be_cooled(const InvHotEntry *entry, int64 now)
{
	if (entry->retry_at > now)
		return false;
	if (inv_hot_mode == INV_HOT_MODE_OFF)
		return true;
	return entry->state == INV_HOT_STATE_HOT &&
		   entry->last_used < now - inv_hot_idle_timeout * USECS_PER_SEC;
}

/*
 * Cool items that have not been bought for a while, or all if hot items are
 * switched off, as far as nothing of them is in flight; returns how many.
 */
int64
inv_cool_idle(InvStore *store)
{
	uint64 count;
	Datum *items;

	if (!inv_hot_may_exist(store))
		return 0;
	items = inv_select_hot_items(store, is_to_be_cooled, &count);
	return inv_apply_to_items(store, items, count, cool_without_wait, PG_INT64_MAX);
}
