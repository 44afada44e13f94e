/*
 * repair.c
 *		repair_ledger() makes a ledger agree with the tables where verify() finds that it does not.
 *
 * The rows are right: the stock of an item, and what its reservations hold.  What the movements
 * lack is booked, and the counters of hot items are counted again.  Items are locked against
 * writers until the end of the transaction: no unit is in flight, and a buyer who
 * waits finds a ledger that agrees.  Writes movements and "hot", and neither items nor orders.
 */
#include "postgres.h"

#include "fmgr.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"

#include "base/store_error.h"
#include "shmem/counter.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/enter.h"
#include "store/ledger_schema.h"
#include "store/query.h"
#include "store/query_text.h"
#include "stock/hot_check.h"
#include "stock/hot_item.h"
#include "stock/ledger.h"
#include "commands/argument.h"
#include "commands/call.h"
#include "maintenance/hot_list.h"

/* Let the counter of a hot item be counted again, from the commit on, if it is wrong. */
static void
repair_counter(InvStore *store, Datum item)
{
	InvCounterRef counter;
	int64 expected, actual;

	if (inv_hot_counter_differs(store, item, &expected, &actual) &&
		inv_hot_find_entry(store, item, &counter))
		inv_counter_count_again(&counter);
}

/* Repair the counter of an item, or those of all hot items if it is null. */
static void
repair_counters(InvStore *store, const NullableDatum *item)
{
	uint64 count;
	Datum *items;

	if (inv_hot_known_none(store))
		return;
	if (!item->isnull)
	{
		repair_counter(store, item->value);
		return;
	}
	items = inv_read_hot_items(store, &count);
	for (uint64 i = 0; i < count; i++)
		repair_counter(store, items[i]);
}

/* Raise 55000 if a statement finds a value that several rows have: then no sum is certain. */
static void
refuse_several(InvStore *store, InvStatement statement, const char *detail)
{
	bool isnull;

	if (inv_execute(store, statement, NULL, NULL, INV_SNAPSHOT_LATEST) > 0)
		inv_error_broken_store(store->store_name, store->items,
							   psprintf(detail, inv_item_text(store, inv_result(0, 1, &isnull))));
}

PG_FUNCTION_INFO_V1(inventory_repair_hot);

/*
 * repair_hot(store_name): of several rows that an item has in "hot", delete those which the
 * ledger contradicts; returns how many.
 */
Datum
inventory_repair_hot(PG_FUNCTION_ARGS)
{
	InvCall call;
	int64 deleted;

	inv_call_enter(&call, inv_getarg_store_name(fcinfo), "repair_hot");
	LockRelationOid(call.store->items, ShareRowExclusiveLock);
	inv_hot_mark_changed(call.store);
	deleted = inv_execute(call.store, INV_STMT_REPAIR_HOT, NULL, NULL, INV_SNAPSHOT_LATEST);
	inv_store_leave(&call);
	PG_RETURN_INT64(deleted);
}

PG_FUNCTION_INFO_V1(inventory_repair_ledger);

/*
 * repair_ledger(store_name, item): book what is missing of an item, or of all, so that the
 * movements of reservations add up to what is held, and all movements to the stock; and let
 * wrong counters be counted again.  The first changes no sum of movements.
 */
Datum
inventory_repair_ledger(PG_FUNCTION_ARGS)
{
	NullableDatum item = { 0, PG_ARGISNULL(1) };
	const char *nulls = item.isnull ? "  n " : NULL;
	InvCall call;
	Datum values[4];

	inv_call_enter(&call, inv_getarg_store_name(fcinfo), "repair_ledger");
	LockRelationOid(call.store->items, ShareRowExclusiveLock);
	if (!item.isnull)
		item.value = inv_getarg_item(call.store, fcinfo, 1);
	refuse_several(call.store, INV_STMT_SEVERAL_OF_KEY,
				   "Several rows of its items have the key \"%s\".");
	refuse_several(call.store, INV_STMT_SEVERAL_OF_HOT, "Item \"%s\" has several rows in \"hot\".");
	values[0] = inv_ledger_actor();
	values[1] = inv_ledger_time();
	values[2] = item.value;
	values[3] = CStringGetTextDatum(INV_REASON_REPAIR);
	inv_execute(call.store, INV_STMT_REPAIR_HOLDS, values, nulls, INV_SNAPSHOT_LATEST);
	inv_execute(call.store, INV_STMT_OPEN_LEDGER, values, nulls, INV_SNAPSHOT_LATEST);
	repair_counters(call.store, &item);
	inv_store_leave(&call);
	PG_RETURN_VOID();
}
