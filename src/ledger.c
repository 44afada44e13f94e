/*
 * ledger.c
 *		Movements, their opening, and the proof that they explain the stock.
 *
 * The ledger is append-only: this file inserts and sums, it never updates.
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/namespace.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "argument.h"
#include "error.h"
#include "ledger.h"

/* Who did it: the role outside of the generated functions. */
static Datum
actor(void)
{
	return CStringGetTextDatum(GetUserNameFromId(GetOuterUserId(), false));
}

/*
 * The time of a movement is that of the writing, not of the transaction or the
 * call: with the item's row locked it orders the movements of an item.
 */
static Datum
written_at(void)
{
	return TimestampTzGetDatum(GetCurrentTimestamp());
}

/* Write one movement.  user and reason may be null. */
void
inv_movement(InvStore *store, Datum item, int64 delta, const char *kind, const InvUser *user,
			 Datum order, bool has_order, const char *reason)
{
	bool has_user = user && !user->isnull;
	Datum values[] = { item,
					   Int64GetDatum(delta),
					   CStringGetTextDatum(kind),
					   has_user ? user->value : (Datum) 0,
					   order,
					   reason ? CStringGetTextDatum(reason) : (Datum) 0,
					   actor(),
					   written_at() };
	char nulls[] = { ' ', ' ', ' ', has_user ? ' ' : 'n', has_order ? ' ' : 'n', reason ? ' ' : 'n',
					 ' ', ' ' };

	inv_execute(store, INV_MOVEMENT, values, nulls, INV_TRANSACTION);
}

/* Write movements of one kind and user in one statement. */
void
inv_movements(InvStore *store, int count, Datum *items, Datum *deltas, const char *kind,
			  const InvUser *user, Datum *orders, bool *no_order, const char *reason)
{
	bool has_user = user && !user->isnull;
	Datum values[] = { inv_array(store->item_id.base, items, NULL, count),
					   inv_array(INT8OID, deltas, NULL, count),
					   CStringGetTextDatum(kind),
					   has_user ? user->value : (Datum) 0,
					   inv_array(store->order_type, orders, no_order, count),
					   reason ? CStringGetTextDatum(reason) : (Datum) 0,
					   actor(),
					   written_at() };
	char nulls[] = { ' ', ' ', ' ', has_user ? ' ' : 'n', ' ', reason ? ' ' : 'n', ' ', ' ' };

	inv_execute(store, INV_MOVEMENTS, values, nulls, INV_TRANSACTION);
}

/* ---- SQL functions ---- */

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

	inv_store_enter(&call, PG_ARGISNULL(0) ? NULL : PG_GETARG_TEXT_PP(0), "open_ledger()");
	LockRelationOid(call.store->items, ShareRowExclusiveLock);
	values[0] = actor();
	values[1] = written_at();
	booked = inv_execute(call.store, INV_OPEN_LEDGER, values, NULL, INV_LATEST);
	inv_store_leave(&call);
	PG_RETURN_INT64(booked);
}

static void
report(ReturnSetInfo *result, Datum item, bool no_item, const char *problem, Datum expected,
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
		report(result, (Datum) 0, true, problem, (Datum) 0, (Datum) 0, true, true);
	relation_close(rel, NoLock);
}

/*
 * verify(items, item): a row for each item where stock is not the sum of its
 * movements, and for a guard that would let changes pass.
 */
Datum
inventory_verify(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	InvCall call;
	InvStore *store;
	Datum values[1] = { (Datum) 0 };
	char nulls[] = { 'n' };
	uint64 rows;

	InitMaterializedSRF(fcinfo, 0);
	inv_store_enter_owned(&call, PG_ARGISNULL(0) ? InvalidOid : PG_GETARG_OID(0));
	store = call.store;
	if (!PG_ARGISNULL(1))
	{
		values[0] = inv_item(store, fcinfo, 1);
		nulls[0] = ' ';
	}
	verify_guard(store, result);
	rows = inv_execute(store, INV_VERIFY, values, nulls, INV_LATEST);
	for (uint64 row = 0; row < rows; row++)
	{
		bool no_problem, no_item, no_expected, no_actual;
		Datum item = inv_result(row, 1, &no_item);
		char *problem = TextDatumGetCString(inv_result(row, 2, &no_problem));
		Datum sum = inv_result(row, 3, &no_expected);
		Datum actual = inv_result(row, 4, &no_actual);

		report(result, item, no_item, problem, sum, actual, false, no_actual);
	}
	inv_store_leave(&call);
	return (Datum) 0;
}
