/*
 * verify.c
 *		The opening of a ledger, and the proof that it explains the stock.
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/xlog.h"
#include "catalog/namespace.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "store/binding.h"
#include "store/column.h"
#include "store/enter.h"
#include "store/query.h"
#include "store/query_text.h"
#include "stock/hot_check.h"
#include "stock/hot_item.h"
#include "stock/ledger.h"
#include "commands/argument.h"
#include "commands/call.h"

PG_FUNCTION_INFO_V1(inventory_open_ledger);
PG_FUNCTION_INFO_V1(inventory_verify);

/*
 * open_ledger(store_name): book an opening for every tracked item that has no
 * movement, and what an older ledger does not explain as direct.  attach calls it
 * with the items locked against writers; it sees what is committed by then.
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

static void
report_problem(ReturnSetInfo *result, Datum item, bool no_item, const char *problem, Datum expected,
			   Datum actual, bool no_numbers, bool no_actual)
{
	Datum values[] = { item, CStringGetTextDatum(problem), expected, actual };
	bool nulls[] = { no_item, false, no_numbers, no_numbers || no_actual };

	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/*
 * What is wrong with the guard trigger of this type, or null.  It must fire in
 * every mode, for every such event and every row, or changes go unbooked.
 */
static const char *
guard_problem(Relation rel, int16 type)
{
	const char *problem = "guard_missing";

	for (int i = 0; rel->trigdesc && i < rel->trigdesc->numtriggers; i++)
	{
		Trigger *trigger = &rel->trigdesc->triggers[i];
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

static void
verify_guard(InvStore *store, ReturnSetInfo *result)
{
	Relation rel = relation_open(store->items, AccessShareLock);
	const char *problem = guard_problem(rel, TRIGGER_TYPE_ROW | TRIGGER_TYPE_INSERT |
												 TRIGGER_TYPE_UPDATE | TRIGGER_TYPE_DELETE);

	if (problem == NULL)
		problem = guard_problem(rel, TRIGGER_TYPE_BEFORE | TRIGGER_TYPE_TRUNCATE);
	if (problem)
		report_problem(result, (Datum) 0, true, problem, (Datum) 0, (Datum) 0, true, true);
	relation_close(rel, NoLock);
}

/* Report what a statement finds: item, problem, expected, actual. */
static void
report_problems(InvStore *store, InvStatement which, Datum *values, const char *nulls,
				ReturnSetInfo *result)
{
	uint64 rows = inv_execute(store, which, values, nulls, INV_SNAPSHOT_LATEST);

	for (uint64 row = 0; row < rows; row++)
	{
		Datum found[4];
		bool isnull[4];

		for (int i = 0; i < 4; i++)
			found[i] = inv_result(row, i + 1, &isnull[i]);
		report_problem(result, found[0], isnull[0], TextDatumGetCString(found[1]), found[2],
					   found[3], isnull[2], isnull[3]);
	}
}

/* The counters of hot items, or that of one. */
static void
verify_counters(InvStore *store, bool all, Datum item, ReturnSetInfo *result)
{
	uint64 rows = 1;
	Datum *items = &item;
	bool isnull;

	if (inv_hot_known_none(store) || RecoveryInProgress())
		return;
	if (all)
	{
		rows = inv_execute(store, INV_STMT_HOT_ROWS, NULL, NULL, INV_SNAPSHOT_LATEST);
		items = palloc(sizeof(Datum) * Max(rows, 1));
		for (uint64 row = 0; row < rows; row++)
			items[row] = inv_result(row, 1, &isnull);
	}
	for (uint64 row = 0; row < rows; row++)
	{
		int64 expected, actual;

		if (inv_hot_counter_differs(store, items[row], &expected, &actual))
			report_problem(result, CStringGetTextDatum(inv_item_text(store, items[row])), false,
						   "counter_differs_from_stock", Int64GetDatum(expected),
						   Int64GetDatum(actual), false, false);
	}
}

/*
 * verify(items, item): a row for each item where stock is not the sum of its
 * movements, for a counter that is not what the tables say, and for a guard that
 * would let changes pass.
 */
Datum
inventory_verify(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	InvCall call;
	InvStore *store;
	Datum values[1] = { (Datum) 0 };
	char nulls[] = { 'n' };

	InitMaterializedSRF(fcinfo, 0);
	inv_store_enter_owned(&call, PG_ARGISNULL(0) ? InvalidOid : PG_GETARG_OID(0));
	store = call.store;
	if (!PG_ARGISNULL(1))
	{
		values[0] = inv_getarg_item(store, fcinfo, 1);
		nulls[0] = ' ';
	}
	verify_guard(store, result);
	report_problems(store, INV_STMT_VERIFY, values, nulls, result);
	report_problems(store, INV_STMT_VERIFY_HOLDS, values, nulls, result);
	verify_counters(store, nulls[0] == 'n', values[0], result);
	inv_store_leave(&call);
	return (Datum) 0;
}
