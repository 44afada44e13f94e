/*
 * verify.c
 *		open_ledger() makes a ledger agree with the stock; verify() reports where it does not.
 *
 * verify() checks invariants 1, 2, 7 and 8, and of hot items I2, I4 and I9, by what
 * the latest snapshot shows.  It locks no rows, and writes nothing.  open_ledger()
 * appends movements; it locks items against writers and never changes an item.
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/xlog.h"
#include "catalog/namespace.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "funcapi.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "store/binding.h"
#include "store/catalog.h"
#include "store/column.h"
#include "store/enter.h"
#include "store/query.h"
#include "store/query_text.h"
#include "stock/hot_check.h"
#include "stock/hot_item.h"
#include "stock/ledger.h"
#include "commands/argument.h"
#include "commands/call.h"
#include "maintenance/hot_list.h"

/* columns of verify(), and of the statements that find problems */
typedef enum ProblemColumn
{
	PROBLEM_COLUMN_ITEM,
	PROBLEM_COLUMN_PROBLEM,
	PROBLEM_COLUMN_EXPECTED,
	PROBLEM_COLUMN_ACTUAL,
	PROBLEM_COLUMN_COUNT
} ProblemColumn;

/* ---- open_ledger() ---- */

PG_FUNCTION_INFO_V1(inventory_open_ledger);

/*
 * open_ledger(store_name): book an opening movement for every tracked item that has
 * no movement, and a direct one for the difference where an older ledger does not add
 * up to the stock; returns how many.  This establishes invariants 1 and 2.  The lock
 * on items keeps the stock from changing until the end of the transaction, and the
 * latest snapshot, taken after it, has all that was committed before.
 */
Datum
inventory_open_ledger(PG_FUNCTION_ARGS)
{
	InvCall call;
	Datum values[2];
	uint64 booked;

	inv_call_enter(&call, inv_getarg_store_name(fcinfo), "open_ledger");
	LockRelationOid(call.store->items, ShareRowExclusiveLock);
	values[0] = inv_ledger_actor();
	values[1] = inv_ledger_time();
	booked = inv_execute(call.store, INV_STMT_OPEN_LEDGER, values, NULL, INV_SNAPSHOT_LATEST);
	inv_store_leave(&call);
	PG_RETURN_INT64(booked);
}

/* ---- verify() ---- */

/*
 * What is wrong with the guard trigger of this type, or null.  It must fire in
 * every mode, for every such event and every row, or changes are not booked
 * (invariant 7).
 */
static const char *
guard_problem(const TriggerDesc *triggers, int16 type)
{
	const char *problem = "guard_missing";

	for (int i = 0; triggers && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];
		char *name;

		if (trigger->tgtype != type || trigger->tgnattr != 0 || trigger->tgqual != NULL)
			continue;
		name = get_func_name(trigger->tgfoid);
		if (name == NULL || strcmp(name, "guard") != 0 ||
			get_func_namespace(trigger->tgfoid) != get_namespace_oid(INV_SCHEMA, false))
			continue;
		if (trigger->tgenabled == TRIGGER_FIRES_ALWAYS)
			return NULL;
		problem =
			trigger->tgenabled == TRIGGER_DISABLED ? "guard_disabled" : "guard_not_always_enabled";
	}
	return problem;
}

/* Report what is wrong with the guard triggers on items. */
static void
verify_guard(InvStore *store, ReturnSetInfo *result)
{
	Relation rel = relation_open(store->items, AccessShareLock);
	/* a copy, because a look-up can replace the relcache's */
	TriggerDesc *triggers = CopyTriggerDesc(rel->trigdesc);
	const char *problem = guard_problem(triggers, TRIGGER_TYPE_ROW | TRIGGER_TYPE_INSERT |
													  TRIGGER_TYPE_UPDATE | TRIGGER_TYPE_DELETE);

	if (problem == NULL)
		problem = guard_problem(triggers, TRIGGER_TYPE_BEFORE | TRIGGER_TYPE_TRUNCATE);
	if (problem)
	{
		Datum values[PROBLEM_COLUMN_COUNT] = { 0 };
		bool nulls[PROBLEM_COLUMN_COUNT] = { true, false, true, true };

		values[PROBLEM_COLUMN_PROBLEM] = CStringGetTextDatum(problem);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	relation_close(rel, NoLock);
}

/* Report the rows of a statement that finds problems of one item, or of all. */
static void
report_problems(InvStore *store, InvStatement statement, const NullableDatum *item,
				ReturnSetInfo *result)
{
	Datum parameter = item->value;
	uint64 rows =
		inv_execute(store, statement, &parameter, item->isnull ? "n" : NULL, INV_SNAPSHOT_LATEST);

	for (uint64 row = 0; row < rows; row++)
	{
		Datum values[PROBLEM_COLUMN_COUNT];
		bool nulls[PROBLEM_COLUMN_COUNT];

		for (int i = 0; i < PROBLEM_COLUMN_COUNT; i++)
			values[i] = inv_result(row, i + 1, &nulls[i]);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

/*
 * Report an item whose counter is at rest and differs from the tables (I2, I4, I9).
 */
static void
verify_counter(InvStore *store, Datum item, ReturnSetInfo *result)
{
	Datum values[PROBLEM_COLUMN_COUNT];
	bool nulls[PROBLEM_COLUMN_COUNT] = { false };
	int64 expected, actual;

	if (!inv_hot_counter_differs(store, item, &expected, &actual))
		return;
	values[PROBLEM_COLUMN_ITEM] = CStringGetTextDatum(inv_item_text(store, item));
	values[PROBLEM_COLUMN_PROBLEM] = CStringGetTextDatum("counter_differs_from_stock");
	values[PROBLEM_COLUMN_EXPECTED] = Int64GetDatum(expected);
	values[PROBLEM_COLUMN_ACTUAL] = Int64GetDatum(actual);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* Verify the counter of one item, or those of all hot items; a standby has none. */
static void
verify_counters(InvStore *store, const NullableDatum *item, ReturnSetInfo *result)
{
	uint64 count;
	Datum *items;

	if (inv_hot_known_none(store) || RecoveryInProgress())
		return;
	if (!item->isnull)
	{
		verify_counter(store, item->value, result);
		return;
	}
	items = inv_read_hot_items(store, &count);
	for (uint64 i = 0; i < count; i++)
		verify_counter(store, items[i], result);
}

PG_FUNCTION_INFO_V1(inventory_verify);

/*
 * verify(items, item): a row for each problem of the item, or of all items if it is
 * null: stock is not the sum of the movements, holds are not what their movements
 * say, or a counter is not what the tables say; and a row if the guard would miss
 * changes.
 */
Datum
inventory_verify(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	InvCall call;
	InvStore *store;
	NullableDatum item = { 0, PG_ARGISNULL(1) };

	InitMaterializedSRF(fcinfo, 0);
	Assert(result->setDesc->natts == PROBLEM_COLUMN_COUNT);
	inv_store_enter_owned(&call, PG_ARGISNULL(0) ? InvalidOid : PG_GETARG_OID(0));
	store = call.store;
	if (!item.isnull)
		item.value = inv_getarg_item(store, fcinfo, 1);
	verify_guard(store, result);
	report_problems(store, INV_STMT_VERIFY, &item, result);
	report_problems(store, INV_STMT_VERIFY_HOLDS, &item, result);
	verify_counters(store, &item, result);
	inv_store_leave(&call);
	return (Datum) 0;
}
