/*
 * heat.c
 *		Items become hot, are settled, and cool: by hand and by the worker.
 *
 * Heating marks an item in the ledger's table "hot"; the first session that needs
 * its counter publishes it.  Settling adds the movements of closed epochs to the
 * stock column.  Cooling waits until nothing is in flight, adds all unsettled
 * movements to the stock column, and removes the mark.
 *
 * This file writes the rows of these items and of "hot".  It changes counters only
 * through shmem/, and reads entries only in two conditions (InvHotEntryTest), which
 * are called under an entry's spinlock.
 *
 * Expects an entered store.  Each transition locks the item's row and then decides
 * by what the latest snapshot shows.  Several items are handled in key order, which
 * is the order in which carts lock their rows (invariant 10).
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "common/int.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/datum.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/guc.h"
#include "shmem/counter.h"
#include "shmem/counter_state.h"
#include "shmem/hot_directory.h"
#include "shmem/hot_table.h"
#include "shmem/worker_slot.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/enter.h"
#include "store/query.h"
#include "store/query_text.h"
#include "stock/hot_item.h"
#include "stock/hot_publish.h"
#include "stock/hot_row.h"
#include "commands/argument.h"
#include "maintenance/heat.h"
#include "maintenance/hot_list.h"

/* the deadline of a transition that does not wait for transactions in flight */
#define NO_WAIT 0

/* An item's row, locked by this transaction if it exists. */
typedef struct LockedRow
{
	bool exists;
	bool tracked; /* its stock is not null */
	int64 stock;
	int64 floor;
} LockedRow;

/*
 * Lock an item's row, for sale or not.  If it exists, no other transaction writes it,
 * and none heats, publishes, settles or cools the item, until this one ends.
 */
static LockedRow
lock_stock_row(InvStore *store, Datum item)
{
	LockedRow row = { 0 };
	bool isnull;

	Assert(GetUserId() == store->owner); /* the store is entered */
	row.exists = inv_execute(store, INV_STMT_LOCK_ANY, &item, NULL, INV_SNAPSHOT_LATEST) > 0;
	if (!row.exists)
		return row;
	row.stock = DatumGetInt64(inv_result(0, 1, &isnull));
	row.tracked = !isnull;
	row.floor = inv_result_int64(0, 2);
	return row;
}

/* Raise an error if the locked row cannot belong to a hot item. */
static void
check_stock_row(InvStore *store, Datum item, const LockedRow *row)
{
	if (!row->exists)
		inv_error_item_not_found(
			psprintf("Item \"%s\" does not exist.", inv_item_text(store, item)));
	if (!row->tracked)
		inv_error_untracked(inv_item_text(store, item));
}

/* ---- heating ---- */

/* Raise an error if no item of the store can become hot. */
static void
check_can_heat(InvStore *store)
{
	if (inv_hot_mode == INV_HOT_MODE_OFF)
		inv_error_no_hot_items("hot items are switched off",
							   "Set inventory.hot_mode to manual or auto.");
	if (inv_hot_store(store) == NULL)
		inv_error_no_hot_items(
			"hot items need shared memory",
			"Add inventory to shared_preload_libraries, and restart the server.");
}

/*
 * Mark an item as hot; false if it already is.  Without by_hand also false, instead
 * of an error, for an item that cannot be hot.
 */
static bool
heat_item(InvStore *store, Datum item, bool by_hand)
{
	/* first, because entries of dropped tables are reclaimed only before there is an xid */
	bool has_room = inv_hot_directory_has_room(1);
	LockedRow locked = lock_stock_row(store, item);
	InvHotRow row;

	Assert(store->hot_store != NULL);
	if (by_hand)
		check_stock_row(store, item, &locked);
	if (!locked.tracked)
		return false;
	if (inv_hot_row_read(store, item, INV_SNAPSHOT_LATEST, &row) && row.hot)
		return false;
	if (!has_room)
		inv_error_hot_full(inv_hot_table_capacity());
	inv_hot_mark_changed(store);
	inv_execute(store, INV_STMT_MARK_HOT, &item, NULL, INV_SNAPSHOT_LATEST);
	inv_worker_start_at_commit();
	return true;
}

/*
 * The keys of the rows for which sessions queue, in no order.  Sessions queue at a
 * version of the row that may have been replaced since; but the guard refuses a
 * change of the key, so every version has the row's key.  The lock on the table has
 * been held since before the queues were listed and keeps vacuum from truncating
 * the table, so the block of each version exists.
 */
static Datum *
read_contended_items(InvStore *store, int *count)
{
	Datum threshold = Int64GetDatum(inv_hot_queue_threshold);
	uint64 rows = inv_execute(store, INV_STMT_CONTENDED, &threshold, NULL, INV_SNAPSHOT_LATEST);
	Datum *items = palloc(sizeof(Datum) * Max(rows, 1));
	Relation table = table_open(store->items, NoLock);
	TupleTableSlot *slot = table_slot_create(table, NULL);
	Form_pg_attribute key = TupleDescAttr(RelationGetDescr(table), store->item_id.attnum - 1);

	Assert(CheckRelationLockedByMe(table, AccessShareLock, true));
	*count = 0;
	for (uint64 row = 0; row < rows; row++)
	{
		ItemPointerData version;
		bool isnull;

		ItemPointerSet(&version, (BlockNumber) inv_result_int64(row, 1),
					   (OffsetNumber) inv_result_int64(row, 2));
		if (table_tuple_fetch_row_version(table, &version, SnapshotAny, slot))
			items[(*count)++] = datumCopy(slot_getattr(slot, store->item_id.attnum, &isnull),
										  key->attbyval, key->attlen);
		ExecClearTuple(slot);
	}
	ExecDropSingleTupleTableSlot(slot);
	table_close(table, NoLock);
	return items;
}

static int
compare_contended_items(const void *a, const void *b, void *store)
{
	return inv_item_compare(store, *(const Datum *) a, *(const Datum *) b);
}

/* Heat items for whose rows sessions queue, while there is room; returns how many. */
int64
inv_heat_contended(InvStore *store)
{
	int count;
	Datum *items = read_contended_items(store, &count);
	int64 heated = 0;

	/* rows are locked in key order (invariant 10) */
	qsort_arg(items, count, sizeof(Datum), compare_contended_items, store);
	for (int i = 0; i < count && inv_hot_directory_has_room(1); i++)
		heated += heat_item(store, items[i], false);
	return heated;
}

/* ---- settling ---- */

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
 * May the sum of closed epochs be added to the row (I3)?  Not if the stock column
 * cannot hold the result.  Not if a closed epoch has sales of units that were put in
 * in a later one, so that the row would fall below 0, or below a floor under 0,
 * until the later epoch is settled: then both are settled together, later.
 */
static bool
row_can_take_sum(InvStore *store, Datum item, const LockedRow *locked, const InvHotRow *row,
				 int64 sum)
{
	int64 stock, sum_of_all, last;

	if (pg_add_s64_overflow(locked->stock, sum, &stock) || stock > inv_max_units(store))
		return false;
	if (sum >= 0 || stock >= Min(locked->floor, 0))
		return true;
	sum_of_all =
		inv_hot_sum_movements(store, item, row->settled, PG_INT64_MAX, INV_SNAPSHOT_LATEST, &last);
	return sum_of_all <= sum;
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
	LockedRow locked;
	InvHotRow row;
	int64 upto_epoch, sum, last;

	if (!inv_hot_find_counter(store, item, &counter))
		return false;
	if (inv_counter_has_own_units(&counter))
		inv_error_in_flight(inv_item_text(store, item));
	if (!inv_counter_close_epoch(&counter, &upto_epoch))
		return false;
	locked = lock_stock_row(store, item);
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

/*
 * Make the hot items cold that have no entry, because there is no room for one:
 * looking for the counter of such an item does that.
 */
static void
demote_items_without_entry(InvStore *store)
{
	uint64 count;
	Datum *items = inv_read_hot_items(store, &count);
	InvCounterRef counter;

	for (uint64 i = 0; i < count; i++)
		(void) inv_hot_find_counter(store, items[i], &counter);
}

/*
 * Bring the stock column of at most max_items hot items up to date; returns of how
 * many.  Raises an error if this transaction has units of one in flight.
 */
int64
inv_settle_items(InvStore *store, int64 max_items)
{
	Assert(max_items > 0);
	if (inv_hot_lacks_entries(store))
		demote_items_without_entry(store);
	return inv_apply_to_hot_items(store, has_epochs_to_settle, settle_item, max_items);
}

/* ---- cooling ---- */

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
		inv_error_busy(inv_item_text(store, item), "other transactions have units of it in flight");
	Assert(result != INV_COUNTER_SHORT && result != INV_COUNTER_OVERFLOW);
	return result == INV_COUNTER_DONE;
}

/* Make a hot item cold in this transaction; false if it is cold, or stays hot. */
static bool
cool_item(InvStore *store, Datum item, int64 deadline)
{
	LockedRow locked = lock_stock_row(store, item);
	int64 upto_epoch, ignored;
	int64 sum = 0;
	InvCounterRef counter;
	InvHotRow row;

	if (!inv_hot_row_read(store, item, INV_SNAPSHOT_LATEST, &row) || !row.hot)
	{
		check_stock_row(store, item, &locked);
		return false;
	}
	if (inv_hot_state(store, item, &counter) != INV_HOT_STATE_HOT)
		return inv_hot_demote(store, item);
	if (!close_counter(store, item, &counter, deadline, &upto_epoch))
		return false;
	Assert(inv_counter_is_cooling(&counter)); /* I6: until this transaction ends */
	/* a logical subscriber may have deleted the row: nothing is left to add to */
	if (locked.exists)
		sum = inv_hot_sum_movements(store, item, row.settled, upto_epoch, INV_SNAPSHOT_LATEST,
									&ignored);
	inv_hot_apply_to_row(store, item, sum, upto_epoch, false);
	return true;
}

/* Cool an item; wait for transactions in flight, and raise an error if they last too long. */
static bool
cool_or_raise(InvStore *store, Datum item)
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
static int64
cool_all_items(InvStore *store)
{
	uint64 count;
	Datum *items = inv_read_hot_items(store, &count);
	int64 cooled = 0;

	for (uint64 i = 0; i < count; i++)
		cooled += cool_or_raise(store, items[i]);
	return cooled;
}

/* Has the item not been bought for a while?  With hot items switched off, every item passes. */
static bool
is_to_be_cooled(const InvHotEntry *entry, int64 now)
{
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
	return inv_apply_to_hot_items(store, is_to_be_cooled, cool_without_wait, PG_INT64_MAX);
}

/* ---- SQL functions ---- */

PG_FUNCTION_INFO_V1(inventory_heat);
PG_FUNCTION_INFO_V1(inventory_cool);
PG_FUNCTION_INFO_V1(inventory_settle);

/* Enter the store of the first argument, for its owner, in a function that writes. */
static InvStore *
enter_hot_call(InvCall *call, FunctionCallInfo fcinfo, const char *name)
{
	PreventCommandIfReadOnly(name);
	PreventCommandIfParallelMode(name);
	inv_store_enter_owned(call, PG_ARGISNULL(0) ? InvalidOid : PG_GETARG_OID(0));
	return call->store;
}

/* heat(items, item): mark an item as hot; false if it already is. */
Datum
inventory_heat(PG_FUNCTION_ARGS)
{
	InvCall call;
	InvStore *store = enter_hot_call(&call, fcinfo, "heat()");
	bool heated;

	check_can_heat(store);
	heated = heat_item(store, inv_getarg_item(store, fcinfo, 1), true);
	inv_store_leave(&call);
	PG_RETURN_BOOL(heated);
}

/* cool(items, item): make an item cold, or all items of the store; returns how many were hot. */
Datum
inventory_cool(PG_FUNCTION_ARGS)
{
	InvCall call;
	InvStore *store = enter_hot_call(&call, fcinfo, "cool()");
	int64 cooled;

	if (PG_ARGISNULL(1))
		cooled = cool_all_items(store);
	else
		cooled = cool_or_raise(store, inv_getarg_item(store, fcinfo, 1));
	inv_store_leave(&call);
	PG_RETURN_INT64(cooled);
}

/* settle(items): bring the stock column of hot items up to date; returns of how many. */
Datum
inventory_settle(PG_FUNCTION_ARGS)
{
	InvCall call;
	InvStore *store = enter_hot_call(&call, fcinfo, "settle()");
	int64 settled = inv_settle_items(store, PG_INT64_MAX);

	if (!inv_hot_known_none(store))
		inv_worker_start_at_commit();
	inv_store_leave(&call);
	PG_RETURN_INT64(settled);
}
