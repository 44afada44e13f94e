/*
 * verify.c
 *		open_ledger() makes a ledger agree with the stock; verify() reports where it does not.
 *
 * verify() checks invariants 1, 2, 7 and 8, and of hot items I2, I4 and I9, by what
 * the latest snapshot shows.  It locks no rows, writes nothing, and runs no code of
 * the owner: any role that has the owner's rights may call it, a superuser for one.
 * open_ledger() appends movements; it locks items against writers and never changes
 * an item.
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/xlog.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/proc.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/tuplestore.h"

#include "base/error.h"
#include "base/error_class.h"
#include "base/isolated.h"
#include "base/settings.h"
#include "base/stats.h"
#include "base/store_error.h"
#include "base/units.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/enter.h"
#include "store/ledger_schema.h"
#include "store/query.h"
#include "store/query_text.h"
#include "stock/guard_check.h"
#include "stock/hot_check.h"
#include "stock/hot_item.h"
#include "stock/hot_row.h"
#include "stock/ledger.h"
#include "commands/argument.h"
#include "commands/call.h"
#include "maintenance/hot_list.h"

#define OTHER_LOCK_TIMEOUT_MS 2000 /* how long verify() waits for the tables of another owner */

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
	Datum values[4] = { 0 };
	uint64 booked;

	inv_call_enter(&call, inv_getarg_store_name(fcinfo), "open_ledger");
	LockRelationOid(call.store->items, ShareRowExclusiveLock);
	values[0] = inv_ledger_actor();
	values[1] = inv_ledger_time();
	values[3] = CStringGetTextDatum(INV_REASON_ATTACH);
	booked = inv_execute(call.store, INV_STMT_OPEN_LEDGER, values, "  n ", INV_SNAPSHOT_LATEST);
	inv_store_leave(&call);
	PG_RETURN_INT64(booked);
}

/* ---- problems ---- */

/* Report what is wrong with the guard triggers, if anything is. */
static void
report_guard(const char *problem, ReturnSetInfo *result)
{
	if (problem)
	{
		Datum values[PROBLEM_COLUMN_COUNT] = { 0 };
		bool nulls[PROBLEM_COLUMN_COUNT] = { true, false, true, true };

		values[PROBLEM_COLUMN_PROBLEM] = CStringGetTextDatum(problem);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

/* Report how often the stock was left as it is, for what was meant may be missing. */
static void
report_ignored(InvStore *store, ReturnSetInfo *result)
{
	Datum values[PROBLEM_COLUMN_COUNT] = { 0 };
	bool nulls[PROBLEM_COLUMN_COUNT] = { true, false, false, false };
	int64 ignored;

	if (store->direct_writes != INV_DIRECT_WRITES_KEEP ||
		!inv_stats_get(store->items, INV_STATS_DIRECT_IGNORED, INV_STATS_CALLS, &ignored) ||
		ignored == 0)
		return;
	values[PROBLEM_COLUMN_PROBLEM] = CStringGetTextDatum("direct_ignored");
	values[PROBLEM_COLUMN_EXPECTED] = Int64GetDatum(0);
	values[PROBLEM_COLUMN_ACTUAL] = Int64GetDatum(ignored);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* Report the rows of a statement that finds problems of one item, or of all. */
static void
report_problems(InvStore *store, InvStatement statement, const NullableDatum *item,
				ReturnSetInfo *result)
{
	Datum parameter = item->value;
	uint64 rows = inv_execute_as_attached(store, statement, &parameter, item->isnull ? "n" : NULL,
										  INV_SNAPSHOT_LATEST);

	for (uint64 row = 0; row < rows; row++)
	{
		Datum values[PROBLEM_COLUMN_COUNT];
		bool nulls[PROBLEM_COLUMN_COUNT];

		for (int i = 0; i < PROBLEM_COLUMN_COUNT; i++)
			values[i] = inv_result(row, i + 1, &nulls[i]);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

/* Report a problem of an item. */
static void
report_item(InvStore *store, Datum item, const char *problem, int64 expected, int64 actual,
			ReturnSetInfo *result)
{
	Datum values[PROBLEM_COLUMN_COUNT];
	bool nulls[PROBLEM_COLUMN_COUNT] = { false };

	values[PROBLEM_COLUMN_ITEM] = CStringGetTextDatum(inv_item_text(store, item));
	values[PROBLEM_COLUMN_PROBLEM] = CStringGetTextDatum(problem);
	values[PROBLEM_COLUMN_EXPECTED] = Int64GetDatum(expected);
	values[PROBLEM_COLUMN_ACTUAL] = Int64GetDatum(actual);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/*
 * Report a hot item whose counter is at rest and differs from the tables (I2, I4, I9), or
 * whose stock column could not be written.
 */
static void
verify_counter(InvStore *store, Datum item, ReturnSetInfo *result)
{
	int64 expected, actual;

	if (inv_hot_counter_differs(store, item, &expected, &actual))
		report_item(store, item, "counter_differs_from_stock", expected, actual, result);
	if (!inv_hot_has_problem(store, item) ||
		inv_execute(store, INV_STMT_READ_ANY, &item, NULL, INV_SNAPSHOT_LATEST) == 0)
		return;
	actual = inv_result_int64(0, 1);
	expected = inv_add_units(actual, inv_hot_sum_unsettled(store, item, INV_SNAPSHOT_LATEST));
	report_item(store, item, "cannot_be_settled", expected, actual, result);
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

/* ---- damaged stores ---- */

/*
 * Raise unless a relation that verify() reads is a table of the owner without rules.
 * A view, or a rule that makes a table one, could call any function.  (Policies are
 * not applied, because the engine reads as the owner.)
 */
static void
check_table_read(InvStore *store, Oid relid, const char *name)
{
	char partitioned = relid == store->orders ? RELKIND_PARTITIONED_TABLE : RELKIND_RELATION;
	Relation rel = OidIsValid(relid) ? try_relation_open(relid, AccessShareLock) : NULL;

	if (rel == NULL ||
		(rel->rd_rel->relkind != RELKIND_RELATION && rel->rd_rel->relkind != partitioned) ||
		rel->rd_rel->relowner != store->owner || rel->rd_rules != NULL)
		inv_error_broken_store(
			store->store_name, store->items,
			psprintf("Its relation \"%s\" is not an ordinary table of its owner.", name));
	relation_close(rel, NoLock);
}

static void
check_tables_read(InvStore *store)
{
	check_table_read(store, store->items, get_rel_name(store->items));
	check_table_read(store, store->ledger[INV_LEDGER_MOVEMENTS], "movements");
	check_table_read(store, store->ledger[INV_LEDGER_RESERVATIONS], "reservations");
	check_table_read(store, store->ledger[INV_LEDGER_HOT], "hot");
	if (!OidIsValid(store->orders))
		return;
	check_table_read(store, store->orders, get_rel_name(store->orders));
	check_table_read(store, store->ledger[INV_LEDGER_ORDER_CHANGES], "order_changes");
}

/* Report that a store cannot be verified, with the error that says why as a warning. */
static void
report_damage(const char *store_name, const ErrorData *error, ReturnSetInfo *result)
{
	Datum values[PROBLEM_COLUMN_COUNT] = { 0 };
	bool nulls[PROBLEM_COLUMN_COUNT] = { true, false, true, true };

	values[PROBLEM_COLUMN_PROBLEM] = CStringGetTextDatum("store_not_intact");
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	ereport(WARNING, inv_report_not_verified(store_name, error));
}

/* ---- verify() ---- */

/* Find the store of an items table, for a caller who has the rights of its owner. */
static void
find_own_row(FunctionCallInfo fcinfo, InvCatalogRow *row)
{
	Oid items = PG_ARGISNULL(0) ? InvalidOid : PG_GETARG_OID(0);
	Oid owner;

	if (!OidIsValid(items))
		inv_error_null("items");
	if (!inv_catalog_find(items, row))
		inv_error_not_a_store(inv_store_facts("Table", get_rel_name(items)));
	owner = inv_catalog_table_owner(items);
	if (!has_privs_of_role(GetUserId(), owner))
		inv_error_not_the_owner(row->store_name, row->items, owner);
}

/* A call of verify(). */
typedef struct Verification
{
	FunctionCallInfo fcinfo;
	ReturnSetInfo *result;
	bool reading_item; /* the caller's item is read: an error then is the caller's */
	bool is_of_other;  /* the store has another owner, who can have locked its tables */
} Verification;

/* Work that is rolled back. */
static bool
verify_store(void *arg)
{
	Verification *verification = arg;
	FunctionCallInfo fcinfo = verification->fcinfo;
	ReturnSetInfo *result = verification->result;
	NullableDatum item = { 0, PG_ARGISNULL(1) };
	InvCall call;
	InvStore *store;

	if (verification->is_of_other && (LockTimeout == 0 || LockTimeout > OTHER_LOCK_TIMEOUT_MS))
		inv_set_setting("lock_timeout", psprintf("%d", OTHER_LOCK_TIMEOUT_MS), GUC_ACTION_LOCAL);
	inv_store_enter_owned(&call, PG_GETARG_OID(0));
	store = call.store;
	check_tables_read(store);
	verification->reading_item = true;
	if (!item.isnull)
		item.value = inv_getarg_item(store, fcinfo, 1);
	verification->reading_item = false;
	report_guard(inv_guard_problem(store), result);
	report_guard(inv_keep_problem(store), result);
	if (OidIsValid(store->orders))
		report_guard(inv_orders_guard_problem(store), result);
	report_problems(store, INV_STMT_VERIFY, &item, result);
	report_problems(store, INV_STMT_VERIFY_HOLDS, &item, result);
	report_problems(store,
					inv_follows_orders(store) ? INV_STMT_VERIFY_FOLLOWED : INV_STMT_VERIFY_ORDERS,
					&item, result);
	/* where direct writes are recorded, the shop may mean both */
	if (store->direct_writes != INV_DIRECT_WRITES_RECORD)
		report_problems(store, INV_STMT_VERIFY_COUNTED_TWICE, &item, result);
	verify_counters(store, &item, result);
	if (item.isnull)
	{
		report_ignored(store, result);
		report_problems(store, INV_STMT_VERIFY_FUNCTIONS, &item, result);
	}
	inv_store_leave(&call);
	return false;
}

/*
 * Verify in a subtransaction that is rolled back: no lock, setting, trigger event or
 * cursor is left of it.  Returns the error if the store is damaged.
 */
static ErrorData *
verify_and_roll_back(FunctionCallInfo fcinfo, ReturnSetInfo *result)
{
	Verification verification = { fcinfo, result, false, false };
	ErrorData *error;

	verification.is_of_other = inv_catalog_table_owner(PG_GETARG_OID(0)) != GetUserId();
	error = inv_run_isolated(verify_store, &verification);
	if (error && verification.is_of_other && error->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE)
		return error;
	if (error && (verification.reading_item || !inv_is_error_of_store(error)))
		ReThrowError(error);
	return error;
}

PG_FUNCTION_INFO_V1(inventory_verify);

/*
 * verify(items, item): a row for each problem of the item, or of all items if it is
 * null: stock is not the sum of the movements, holds are not what their movements
 * say, or a counter is not what the tables say; and a row if the guard would miss
 * changes.  A damaged store is one row, and not an error, so that all stores can be
 * verified in one statement.
 */
Datum
inventory_verify(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	InvCatalogRow row;
	ErrorData *error;

	InitMaterializedSRF(fcinfo, 0);
	Assert(result->setDesc->natts == PROBLEM_COLUMN_COUNT);
	find_own_row(fcinfo, &row);
	error = verify_and_roll_back(fcinfo, result);
	if (error)
		report_damage(row.store_name, error, result);
	return (Datum) 0;
}
