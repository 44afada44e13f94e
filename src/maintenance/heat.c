/*
 * heat.c
 *		Items become hot, by hand and by the worker; and the SQL functions for hot items.
 *
 * Heating marks an item in the ledger's table "hot", under the lock of the item's row.  The
 * first session that needs its counter publishes it.
 *
 * Expects an entered store.  Several items are handled in key order, which is the order in
 * which carts lock their rows (invariant 10).
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/datum.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/compat.h"
#include "base/error.h"
#include "base/guc.h"
#include "base/hot_error.h"
#include "base/store_error.h"
#include "shmem/hot_directory.h"
#include "shmem/hot_room.h"
#include "shmem/hot_table.h"
#include "shmem/worker_slot.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/enter.h"
#include "store/query.h"
#include "store/query_text.h"
#include "stock/hot_item.h"
#include "stock/hot_row.h"
#include "commands/argument.h"
#include "maintenance/cool.h"
#include "maintenance/heat.h"
#include "maintenance/heat_check.h"
#include "maintenance/locked_row.h"
#include "maintenance/settle.h"

/* ---- heating ---- */

/* Raise an error if no item of the store can become hot. */
static void
check_can_heat(InvStore *store)
{
	if (inv_hot_mode == INV_HOT_MODE_OFF)
		inv_error_no_hot_items("hot items are switched off",
							   "Set inventory.hot_mode to manual or auto.");
	if (!inv_hot_table_usable())
		inv_error_no_hot_items(
			"hot items need shared memory",
			"Add inventory to shared_preload_libraries, and restart the server.");
	if (inv_hot_store(store) == NULL)
		inv_error_hot_stores_full(INV_HOT_STORES);
}

/*
 * Mark an item as hot; false if it already is.  Without by_hand also false, instead
 * of an error, for an item that cannot be hot.
 */
static bool
heat_item(InvStore *store, Datum item, bool by_hand)
{
	InvLockedRow locked;
	InvHotRow row = { 0 };
	const char *refusal;
	int reserved;

	/* first, because entries of dropped tables are reclaimed only before there is an xid */
	(void) inv_hot_directory_has_room(1);
	locked = inv_lock_stock_row(store, item);
	if (by_hand)
		inv_check_stock_row(store, item, &locked);
	if (!locked.tracked)
		return false;
	if (inv_hot_row_read(store, item, INV_SNAPSHOT_LATEST, &row) && row.hot)
		return false;
	if (row.keep_cold && by_hand)
		inv_error_kept_cold(inv_item_text(store, item), store->items);
	if (row.keep_cold)
		return false;
	refusal = inv_heat_refusal(store, item, locked.stock, locked.floor);
	if (refusal)
	{
		if (by_hand)
			inv_error_cannot_be_hot(inv_item_text(store, item), refusal);
		inv_heat_log_refusal(store, item, refusal);
		return false;
	}
	reserved = inv_hot_reserve_room(store, item);
	if (reserved == INV_NO_ROOM)
	{
		if (by_hand)
			inv_error_hot_full(inv_hot_table_capacity());
		return false;
	}
	inv_hot_mark_changed(store);
	inv_execute_write(store, INV_STMT_MARK_HOT, &item, NULL, INV_SNAPSHOT_LATEST, 1);
	inv_hot_room_set_number(reserved, inv_result_int64(0, 1));
	INV_POINT("inventory-after-heat");
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
		if (table_tuple_fetch_row_version(table, &version, SnapshotAny, slot) &&
			!slot_attisnull(slot, store->item_id.attnum))
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

/* Is an item kept cold?  Asked before its row, for which others queue, is locked. */
static bool
is_kept_cold(InvStore *store, Datum item)
{
	InvHotRow row;

	return inv_hot_row_read(store, item, INV_SNAPSHOT_LATEST, &row) && row.keep_cold;
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
		if (!inv_heat_was_refused(store, items[i]) && !is_kept_cold(store, items[i]))
			heated += heat_item(store, items[i], false);
	return heated;
}

/* ---- SQL functions ---- */

PG_FUNCTION_INFO_V1(inventory_heat);
PG_FUNCTION_INFO_V1(inventory_cool);
PG_FUNCTION_INFO_V1(inventory_keep_cold);
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
		cooled = inv_cool_all(store);
	else
		cooled = inv_cool_item(store, inv_getarg_item(store, fcinfo, 1));
	inv_store_leave(&call);
	PG_RETURN_INT64(cooled);
}

/*
 * keep_cold(items, item, keep): the item cannot become hot, and is cooled if it is; or it can
 * again.
 */
Datum
inventory_keep_cold(PG_FUNCTION_ARGS)
{
	InvCall call;
	InvStore *store = enter_hot_call(&call, fcinfo, "keep_cold()");
	Datum values[] = { inv_getarg_item(store, fcinfo, 1), BoolGetDatum(false) };

	if (PG_ARGISNULL(2))
		inv_error_null("keep");
	values[1] = PG_GETARG_DATUM(2);
	if (PG_GETARG_BOOL(2))
		(void) inv_cool_item(store, values[0]);
	else
	{
		InvLockedRow locked = inv_lock_stock_row(store, values[0]);

		inv_check_stock_row(store, values[0], &locked);
	}
	/* the row of a hot item is left as it is: to this transaction, one that it writes is cold */
	if (PG_GETARG_BOOL(2) || is_kept_cold(store, values[0]))
		inv_execute_write(store, INV_STMT_KEEP_COLD, values, NULL, INV_SNAPSHOT_LATEST, 1);
	inv_store_leave(&call);
	PG_RETURN_VOID();
}

/* settle(items): bring the stock column of hot items up to date; returns of how many. */
Datum
inventory_settle(PG_FUNCTION_ARGS)
{
	InvCall call;
	InvStore *store = enter_hot_call(&call, fcinfo, "settle()");
	int64 settled = inv_settle_items(store, PG_INT64_MAX, true);

	if (!inv_hot_known_none(store))
		inv_worker_start_at_commit();
	inv_store_leave(&call);
	PG_RETURN_INT64(settled);
}
