/*
 * heat.c
 *		Items become hot, are settled, and cool: by hand and by the worker.
 *
 * Each locks the item's row first, and decides by what it sees then with the latest
 * snapshot.  Heating only marks the item: whoever buys it next publishes its counter.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "common/int.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/datum.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/error.h"
#include "base/guc.h"
#include "shmem/counter.h"
#include "shmem/counter_state.h"
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

/* What a locked row has. */
typedef struct LockedRow
{
	bool exists;
	bool tracked;
	int64 stock;
	int64 floor;
} LockedRow;

static LockedRow
lock_stock_row(InvStore *store, Datum item)
{
	LockedRow row = { 0 };
	bool isnull;

	row.exists = inv_execute(store, INV_STMT_LOCK_ANY, &item, NULL, INV_SNAPSHOT_LATEST) > 0;
	if (!row.exists)
		return row;
	row.stock = DatumGetInt64(inv_result(0, 1, &isnull));
	row.tracked = !isnull;
	row.floor = inv_result_int64(0, 2);
	return row;
}

/* Raise what keeps a locked row from being hot. */
static void
check_row(InvStore *store, Datum item, const LockedRow *row)
{
	if (!row->exists)
		inv_error_item_not_found(
			psprintf("Item \"%s\" does not exist.", inv_item_text(store, item)));
	if (!row->tracked)
		inv_error_untracked(inv_item_text(store, item));
}

/* ---- heating ---- */

/* Can there be hot items here at all? */
static void
check_heating(InvStore *store)
{
	if (inv_hot_mode == INV_HOT_MODE_OFF)
		inv_error_no_hot_items("hot items are switched off",
							   "Set inventory.hot_mode to manual or auto.");
	if (inv_hot_store(store) == NULL)
		inv_error_no_hot_items(
			"hot items need shared memory",
			"Add inventory to shared_preload_libraries, and restart the server.");
}

/* Mark an item; false if it is hot already, or, where nobody asked for it, cannot be. */
static bool
heat_item(InvStore *store, Datum item, bool by_hand)
{
	bool room = inv_hot_table_has_room(1); /* before there is a transaction id */
	LockedRow locked = lock_stock_row(store, item);
	InvHotRow row;

	if (by_hand)
		check_row(store, item, &locked);
	if (!locked.tracked)
		return false;
	if (inv_hot_row_read(store, item, INV_SNAPSHOT_LATEST, &row) && row.hot)
		return false;
	if (!room)
		inv_error_hot_full(inv_hot_table_capacity());
	inv_hot_mark_changed(store);
	inv_execute(store, INV_STMT_MARK_HOT, &item, NULL, INV_SNAPSHOT_LATEST);
	inv_worker_need();
	return true;
}

/* The items of a result, which the next statement replaces. */
static Datum *
items_of_result(uint64 rows)
{
	Datum *items = palloc(sizeof(Datum) * Max(rows, 1));
	bool isnull;

	for (uint64 row = 0; row < rows; row++)
		items[row] = inv_result(row, 1, &isnull);
	return items;
}

/*
 * The keys of rows that sessions queue for.  What they wait at is often an old version
 * by now, but its key is that of the row.
 */
static Datum *
contended_items(InvStore *store, int *count)
{
	Datum waiters = Int64GetDatum(inv_hot_queue_threshold);
	uint64 rows = inv_execute(store, INV_STMT_CONTENDED, &waiters, NULL, INV_SNAPSHOT_LATEST);
	Datum *items = palloc(sizeof(Datum) * Max(rows, 1));
	Relation table = table_open(store->items, NoLock);
	TupleTableSlot *slot = table_slot_create(table, NULL);
	Form_pg_attribute key = TupleDescAttr(RelationGetDescr(table), store->item_id.attnum - 1);

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
compare_keys(const void *a, const void *b, void *store)
{
	return inv_item_compare(store, *(const Datum *) a, *(const Datum *) b);
}

/* Heat what sessions queue for, as far as there is room; how many. */
int64
inv_heat_contended(InvStore *store)
{
	int count;
	Datum *items = contended_items(store, &count);
	int64 heated = 0;

	/* rows are locked in key order */
	qsort_arg(items, count, sizeof(Datum), compare_keys, store);
	for (int i = 0; i < count && inv_hot_table_has_room(1); i++)
		heated += heat_item(store, items[i], false);
	return heated;
}

/* ---- settling ---- */

/* Put what nobody can add to any more into the stock column; false if nothing was done. */
static bool
settle_item(InvStore *store, Datum item)
{
	InvCounterRef counter;
	InvCounterValues now;
	InvHotRow row;
	int64 upto_epoch, sum, last, left, ignored;
	LockedRow locked;

	if (!inv_hot_find_counter(store, item, &counter))
		return false;
	if (inv_counter_is_own(&counter))
		inv_error_in_flight(inv_item_text(store, item));
	if (!inv_counter_close_epoch(&counter, &upto_epoch))
		return false;
	locked = lock_stock_row(store, item);
	/* it may have cooled, and be hot again, before the lock came */
	if (inv_counter_look(&counter, &now) != INV_HOT_STATE_HOT ||
		!inv_hot_row_read(store, item, INV_SNAPSHOT_LATEST, &row) || !row.hot ||
		row.settled >= upto_epoch)
		return false;
	sum = inv_hot_sum_movements(store, item, row.settled, upto_epoch, INV_SNAPSHOT_LATEST, &last);
	/* what was sold can have been put in in a later epoch: then both are settled later */
	if (pg_add_s64_overflow(locked.stock, sum, &left) || left > inv_max_units(store) ||
		(sum < 0 && left < Min(locked.floor, 0) &&
		 locked.stock + inv_hot_sum_movements(store, item, row.settled, PG_INT64_MAX,
											  INV_SNAPSHOT_LATEST, &ignored) >
			 left))
		return false;
	inv_counter_settled(&counter, upto_epoch);
	if (last == row.settled)
		return false;
	inv_hot_apply_to_row(store, item, sum, upto_epoch, true);
	return true;
}

static bool
wants_settling(const InvHotEntry *entry)
{
	return entry->state == INV_HOT_STATE_UNPUBLISHED ||
		   (entry->state == INV_HOT_STATE_HOT &&
			(entry->touched || entry->now.epoch - 1 > entry->now.settled));
}

/* Do something to the hot items of the store that are wanted, in key order; to how many. */
static int64
for_each_hot(InvStore *store, bool (*wanted)(const InvHotEntry *), bool (*what)(InvStore *, Datum),
			 int64 max_items)
{
	int count;
	int64 *numbers;
	Datum *array, *items, value;
	uint64 rows;
	int64 done = 0;

	if (!inv_hot_may_exist(store))
		return 0;
	numbers = inv_hot_table_numbers(store->items, wanted, &count);
	if (count == 0)
		return 0;
	array = palloc(sizeof(Datum) * count);
	for (int i = 0; i < count; i++)
		array[i] = Int64GetDatum(numbers[i]);
	value = inv_make_array(INT8OID, array, NULL, count);
	rows = inv_execute(store, INV_STMT_HOT_OF_NUMBERS, &value, NULL, INV_SNAPSHOT_LATEST);
	items = items_of_result(rows);
	for (uint64 row = 0; row < rows && done < max_items; row++)
		done += what(store, items[row]);
	return done;
}

/* Whoever looks for the counter of an item that cannot have one makes it cold. */
static void
demote_left_out(InvStore *store)
{
	uint64 rows = inv_execute(store, INV_STMT_HOT_ROWS, NULL, NULL, INV_SNAPSHOT_LATEST);
	Datum *items = items_of_result(rows);
	InvCounterRef counter;

	for (uint64 row = 0; row < rows; row++)
		(void) inv_hot_find_counter(store, items[row], &counter);
}

/* Settle items that want it, no more than so many; how many. */
int64
inv_settle_some(InvStore *store, int64 max_items)
{
	if (inv_hot_lacks_entries(store))
		demote_left_out(store);
	return for_each_hot(store, wants_settling, settle_item, max_items);
}

/* ---- cooling ---- */

/* Make a hot item cold; false if it is. */
static bool
cool_item(InvStore *store, Datum item, TimestampTz deadline)
{
	LockedRow locked = lock_stock_row(store, item);
	int64 upto_epoch, sum, last;
	InvCounterRef counter;
	InvHotRow row;

	if (!inv_hot_row_read(store, item, INV_SNAPSHOT_LATEST, &row) || !row.hot)
	{
		check_row(store, item, &locked);
		return false;
	}
	if (inv_hot_state(store, item, &counter) != INV_HOT_STATE_HOT)
		return inv_hot_demote(store, item);
	switch (inv_counter_cool(&counter, deadline, &upto_epoch))
	{
		case INV_COUNTER_DONE:
			break;
		case INV_COUNTER_OWN:
			inv_error_in_flight(inv_item_text(store, item));
		case INV_COUNTER_WAIT:
			if (deadline == 0)
				return false;
			inv_error_busy(inv_item_text(store, item), "others have units of it in flight");
		default:
			return false;
	}
	/* a row that was deleted by a subscriber, which nobody asks, has nothing to gain */
	sum = locked.exists ? inv_hot_sum_movements(store, item, row.settled, upto_epoch,
												INV_SNAPSHOT_LATEST, &last)
						: 0;
	inv_hot_apply_to_row(store, item, sum, upto_epoch, false);
	return true;
}

static bool
cool_in_time(InvStore *store, Datum item)
{
	return cool_item(store, item,
					 TimestampTzPlusMilliseconds(GetCurrentTimestamp(), inv_hot_lock_timeout));
}

/* Cool if nobody is in flight at this instant. */
static bool
cool_if_idle(InvStore *store, Datum item)
{
	return cool_item(store, item, 0);
}

/* Cool all that the table says is hot, in key order, whether it has a counter or not. */
static int64
cool_all(InvStore *store)
{
	uint64 rows = inv_execute(store, INV_STMT_HOT_ROWS, NULL, NULL, INV_SNAPSHOT_LATEST);
	Datum *items = items_of_result(rows);
	int64 cooled = 0;

	for (uint64 row = 0; row < rows; row++)
		cooled += cool_in_time(store, items[row]);
	return cooled;
}

static bool
is_idle(const InvHotEntry *entry)
{
	if (inv_hot_mode == INV_HOT_MODE_OFF)
		return true;
	return entry->state == INV_HOT_STATE_HOT &&
		   entry->last_used < GetCurrentTimestamp() - inv_hot_idle_timeout * USECS_PER_SEC;
}

/* Cool what nobody has bought for a while, or all if hot items are switched off; how many. */
int64
inv_cool_idle(InvStore *store)
{
	return for_each_hot(store, is_idle, cool_if_idle, PG_INT64_MAX);
}

/* ---- SQL functions ---- */

PG_FUNCTION_INFO_V1(inventory_heat);
PG_FUNCTION_INFO_V1(inventory_cool);
PG_FUNCTION_INFO_V1(inventory_settle);
PG_FUNCTION_INFO_V1(inventory_count_hot);

static InvStore *
enter_for_write(InvCall *call, FunctionCallInfo fcinfo, const char *name)
{
	PreventCommandIfReadOnly(name);
	PreventCommandIfParallelMode(name);
	inv_store_enter_owned(call, PG_ARGISNULL(0) ? InvalidOid : PG_GETARG_OID(0));
	return call->store;
}

/* heat(items, item): mark an item as hot; false if it is already. */
Datum
inventory_heat(PG_FUNCTION_ARGS)
{
	InvCall call;
	InvStore *store = enter_for_write(&call, fcinfo, "heat()");
	bool heated;

	check_heating(store);
	heated = heat_item(store, inv_getarg_item(store, fcinfo, 1), true);
	inv_store_leave(&call);
	PG_RETURN_BOOL(heated);
}

/* cool(items, item): make it cold, or all items of the store; how many were hot. */
Datum
inventory_cool(PG_FUNCTION_ARGS)
{
	InvCall call;
	InvStore *store = enter_for_write(&call, fcinfo, "cool()");
	int64 cooled;

	if (PG_ARGISNULL(1))
		cooled = cool_all(store);
	else
		cooled = cool_in_time(store, inv_getarg_item(store, fcinfo, 1));
	inv_store_leave(&call);
	PG_RETURN_INT64(cooled);
}

/* settle(items): bring the stock column of hot items up to date; of how many. */
Datum
inventory_settle(PG_FUNCTION_ARGS)
{
	InvCall call;
	InvStore *store = enter_for_write(&call, fcinfo, "settle()");
	int64 settled = inv_settle_some(store, PG_INT64_MAX);

	inv_store_leave(&call);
	PG_RETURN_INT64(settled);
}

/* count_hot(items): how many items of the store are hot, by its own table. */
Datum
inventory_count_hot(PG_FUNCTION_ARGS)
{
	InvCall call;
	uint64 rows;

	inv_store_enter_owned(&call, PG_ARGISNULL(0) ? InvalidOid : PG_GETARG_OID(0));
	rows = inv_execute(call.store, INV_STMT_HOT_ROWS, NULL, NULL, INV_SNAPSHOT_LATEST);
	inv_store_leave(&call);
	PG_RETURN_INT64(rows);
}
