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
#include "commands/argument.h"
#include "maintenance/heat.h"

/* What a locked row has. */
typedef struct Locked
{
	bool exists;
	bool tracked;
	int64 stock;
	int64 floor;
} Locked;

static Locked
lock_row(InvStore *store, Datum item)
{
	Locked row = { 0 };
	bool isnull;

	row.exists = inv_execute(store, INV_LOCK_ANY, &item, NULL, INV_LATEST) > 0;
	if (!row.exists)
		return row;
	row.stock = DatumGetInt64(inv_result(0, 1, &isnull));
	row.tracked = !isnull;
	row.floor = inv_result_int64(0, 2);
	return row;
}

/* Raise what keeps a locked row from being hot. */
static void
check_row(InvStore *store, Datum item, const Locked *row)
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
	if (inv_hot_mode == INV_HOT_OFF)
		inv_error_no_hot_items("hot items are switched off",
							   "Set inventory.hot_mode to manual or auto.");
	if (inv_hot_heated(store) == NULL)
		inv_error_no_hot_items(
			"hot items need shared memory",
			"Add inventory to shared_preload_libraries, and restart the server.");
}

/* Mark an item; false if it is hot already, or, where nobody asked for it, cannot be. */
static bool
heat(InvStore *store, Datum item, bool by_hand)
{
	bool room = inv_hotset_has_room(1); /* before there is a transaction id */
	Locked locked = lock_row(store, item);
	InvHotRow row;

	if (by_hand)
		check_row(store, item, &locked);
	if (!locked.tracked)
		return false;
	if (inv_hot_row(store, item, INV_LATEST, &row) && row.hot)
		return false;
	if (!room)
		inv_error_hot_full(inv_hotset_capacity());
	inv_hot_will_change(store);
	inv_execute(store, INV_MARK_HOT, &item, NULL, INV_LATEST);
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
	uint64 rows = inv_execute(store, INV_CONTENDED, &waiters, NULL, INV_LATEST);
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
	for (int i = 0; i < count && inv_hotset_has_room(1); i++)
		heated += heat(store, items[i], false);
	return heated;
}

/* ---- settling ---- */

/* Put what nobody can add to any more into the stock column; false if nothing was done. */
static bool
settle(InvStore *store, Datum item)
{
	InvEscrow escrow;
	InvCounted now;
	InvHotRow row;
	int64 through, sum, last, left, ignored;
	Locked locked;

	if (!inv_hot_find(store, item, &escrow))
		return false;
	if (inv_escrow_is_own(&escrow))
		inv_error_in_flight(inv_item_text(store, item));
	if (!inv_escrow_close_epoch(&escrow, &through))
		return false;
	locked = lock_row(store, item);
	/* it may have cooled, and be hot again, before the lock came */
	if (inv_escrow_look(&escrow, &now) != INV_HOT || !inv_hot_row(store, item, INV_LATEST, &row) ||
		!row.hot || row.settled >= through)
		return false;
	sum = inv_hot_sum(store, item, row.settled, through, INV_LATEST, &last);
	/* what was sold can have been put in in a later epoch: then both are settled later */
	if (pg_add_s64_overflow(locked.stock, sum, &left) || left > inv_max_units(store) ||
		(sum < 0 && left < Min(locked.floor, 0) &&
		 locked.stock + inv_hot_sum(store, item, row.settled, PG_INT64_MAX, INV_LATEST, &ignored) >
			 left))
		return false;
	inv_escrow_settled(&escrow, through);
	if (last == row.settled)
		return false;
	inv_hot_absorb(store, item, sum, through, true);
	return true;
}

static bool
wants_settling(const InvHotEntry *entry)
{
	return entry->state == INV_UNPUBLISHED ||
		   (entry->state == INV_HOT &&
			(entry->touched || entry->now.epoch - 1 > entry->now.settled));
}

/* Do something to the hot items of the store that are wanted, in key order; to how many. */
static int64
for_each_hot(InvStore *store, bool (*wanted)(const InvHotEntry *), bool (*what)(InvStore *, Datum),
			 int64 most)
{
	int count;
	int64 *numbers;
	Datum *array, *items, value;
	uint64 rows;
	int64 done = 0;

	if (!inv_hot_any(store))
		return 0;
	numbers = inv_hotset_numbers(store->items, wanted, &count);
	if (count == 0)
		return 0;
	array = palloc(sizeof(Datum) * count);
	for (int i = 0; i < count; i++)
		array[i] = Int64GetDatum(numbers[i]);
	value = inv_array(INT8OID, array, NULL, count);
	rows = inv_execute(store, INV_HOT_OF_NUMBERS, &value, NULL, INV_LATEST);
	items = items_of_result(rows);
	for (uint64 row = 0; row < rows && done < most; row++)
		done += what(store, items[row]);
	return done;
}

/* Whoever looks for the counter of an item that cannot have one makes it cold. */
static void
fold_left_out(InvStore *store)
{
	uint64 rows = inv_execute(store, INV_HOT_ROWS, NULL, NULL, INV_LATEST);
	Datum *items = items_of_result(rows);
	InvEscrow escrow;

	for (uint64 row = 0; row < rows; row++)
		(void) inv_hot_find(store, items[row], &escrow);
}

/* Settle items that want it, no more than so many; how many. */
int64
inv_settle_some(InvStore *store, int64 most)
{
	if (inv_hot_left_out(store))
		fold_left_out(store);
	return for_each_hot(store, wants_settling, settle, most);
}

/* ---- cooling ---- */

/* Make a hot item cold; false if it is. */
static bool
cool(InvStore *store, Datum item, TimestampTz deadline)
{
	Locked locked = lock_row(store, item);
	int64 through, sum, last;
	InvEscrow escrow;
	InvHotRow row;

	if (!inv_hot_row(store, item, INV_LATEST, &row) || !row.hot)
	{
		check_row(store, item, &locked);
		return false;
	}
	if (inv_hot_state(store, item, &escrow) != INV_HOT)
		return inv_hot_fold(store, item);
	switch (inv_escrow_cool(&escrow, deadline, &through))
	{
		case INV_ESCROW_DONE:
			break;
		case INV_ESCROW_OWN:
			inv_error_in_flight(inv_item_text(store, item));
		case INV_ESCROW_WAIT:
			if (deadline == 0)
				return false;
			inv_error_busy(inv_item_text(store, item), "others have units of it in flight");
		default:
			return false;
	}
	/* a row that was deleted by a subscriber, which nobody asks, has nothing to gain */
	sum = locked.exists ? inv_hot_sum(store, item, row.settled, through, INV_LATEST, &last) : 0;
	inv_hot_absorb(store, item, sum, through, false);
	return true;
}

static bool
cool_in_time(InvStore *store, Datum item)
{
	return cool(store, item,
				TimestampTzPlusMilliseconds(GetCurrentTimestamp(), inv_hot_lock_timeout));
}

/* Cool if nobody is in flight at this instant. */
static bool
cool_now(InvStore *store, Datum item)
{
	return cool(store, item, 0);
}

/* Cool all that the table says is hot, in key order, whether it has a counter or not. */
static int64
cool_all(InvStore *store)
{
	uint64 rows = inv_execute(store, INV_HOT_ROWS, NULL, NULL, INV_LATEST);
	Datum *items = items_of_result(rows);
	int64 cooled = 0;

	for (uint64 row = 0; row < rows; row++)
		cooled += cool_in_time(store, items[row]);
	return cooled;
}

static bool
is_idle(const InvHotEntry *entry)
{
	if (inv_hot_mode == INV_HOT_OFF)
		return true;
	return entry->state == INV_HOT &&
		   entry->last_used < GetCurrentTimestamp() - inv_hot_idle_timeout * USECS_PER_SEC;
}

/* Cool what nobody has bought for a while, or all if hot items are switched off; how many. */
int64
inv_cool_idle(InvStore *store)
{
	return for_each_hot(store, is_idle, cool_now, PG_INT64_MAX);
}

/* ---- SQL functions ---- */

PG_FUNCTION_INFO_V1(inventory_heat);
PG_FUNCTION_INFO_V1(inventory_cool);
PG_FUNCTION_INFO_V1(inventory_settle);
PG_FUNCTION_INFO_V1(inventory_count_hot);

static InvStore *
enter(InvCall *call, FunctionCallInfo fcinfo, const char *name)
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
	InvStore *store = enter(&call, fcinfo, "heat()");
	bool heated;

	check_heating(store);
	heated = heat(store, inv_item(store, fcinfo, 1), true);
	inv_store_leave(&call);
	PG_RETURN_BOOL(heated);
}

/* cool(items, item): make it cold, or all items of the store; how many were hot. */
Datum
inventory_cool(PG_FUNCTION_ARGS)
{
	InvCall call;
	InvStore *store = enter(&call, fcinfo, "cool()");
	int64 cooled;

	if (PG_ARGISNULL(1))
		cooled = cool_all(store);
	else
		cooled = cool_in_time(store, inv_item(store, fcinfo, 1));
	inv_store_leave(&call);
	PG_RETURN_INT64(cooled);
}

/* settle(items): bring the stock column of hot items up to date; of how many. */
Datum
inventory_settle(PG_FUNCTION_ARGS)
{
	InvCall call;
	InvStore *store = enter(&call, fcinfo, "settle()");
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
	rows = inv_execute(call.store, INV_HOT_ROWS, NULL, NULL, INV_LATEST);
	inv_store_leave(&call);
	PG_RETURN_INT64(rows);
}
