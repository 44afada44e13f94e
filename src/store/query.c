/*
 * query.c
 *		The statements of the engine: plans and their execution.
 *
 * Statements run here, or in batches in query_cursor.c; enter.c connects to SPI.  A plan is
 * prepared at its first use, generic, and kept in the memory of the store.  The texts are in
 * query_text.c.
 *
 * Row security policies that are forced (FORCE ROW LEVEL SECURITY) bind the owner of the
 * tables, as whom the engine acts.  They must not bind the engine's own statements, from
 * which they would hide stock and keys, but they do bind what the shop runs inside a
 * statement: triggers, defaults and functions.  Policies enter a statement when it is
 * rewritten, so they are lifted while a plan is made or made again, and not while it is
 * executed.  The server does the same for its checks of foreign keys.
 *
 * Expects the store to be entered.  A statement takes the locks that its text says,
 * and the lock of a write on the table of the ledger that it writes.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"

#include "base/datum.h"
#include "base/error.h"
#include "base/settings.h"
#include "base/store_error.h"
#include "store/binding.h"
#include "store/binding_read.h"
#include "store/condition.h"
#include "store/enter.h"
#include "store/ledger_schema.h"
#include "store/query.h"
#include "store/query_expand.h"
#include "store/query_letter.h"
#include "store/query_plan.h"
#include "store/query_text.h"
#include "store/table_check.h"

/* The plans of a store, in its memory. */
struct InvQueryPlans
{
	SPIPlanPtr statements[INV_STMT_COUNT];
	int generations[INV_STMT_COUNT];	/* query_plan.c: of these plans */
	bool has_condition[INV_STMT_COUNT]; /* a condition that needs more than its text */
	MemoryContextCallback free;			/* with the context */
};

/* ---- plans ---- */

/*
 * Prepare a generic plan that outlives the call.  "parameters" has a letter for the type
 * of each; with_constants: those of the store's condition come after them.
 */
SPIPlanPtr
inv_prepare_plan(InvStore *store, const char *parameters, bool with_constants, const char *text)
{
	int own = strlen(parameters);
	int constants = with_constants ? store->sellable->constant_count : 0;
	int count = constants > 0 ? INV_FIRST_CONSTANT - 1 + constants : own;
	Oid *types = palloc(sizeof(Oid) * Max(count, 1));
	int security;
	SPIPlanPtr plan;
	MemoryContext caller = CurrentMemoryContext;

	Assert(own <= count);
	for (int i = 0; i < count; i++)
		if (i < own)
			types[i] = inv_letter_type(store, parameters[i]);
		else if (i < INV_FIRST_CONSTANT - 1)
			types[i] = INT4OID; /* a number that the text does not use */
		else
			types[i] = store->sellable->constant_types[i - (INV_FIRST_CONSTANT - 1)];
	security = inv_lift_policies(store);
	plan = SPI_prepare_cursor(text, count, types, CURSOR_OPT_GENERIC_PLAN);
	MemoryContextSwitchTo(caller);
	inv_restore_policies(store, security);
	if (plan == NULL || SPI_keepplan(plan) != 0)
		inv_error_broken_store(
			store->store_name, store->items,
			psprintf("A statement could not be prepared: %s.", SPI_result_code_string(SPI_result)));
	return plan;
}

/*
 * Where policies are forced, make a plan again that is out of date, and keep it as it is
 * until the result is released: it holds the locks of its tables.
 */
static CachedPlan *
hold_plan_without_policies(InvStore *store, SPIPlanPtr plan)
{
	CachedPlan *cached;
	int security;

	if (!store->forces_policies)
		return NULL;
	security = inv_lift_policies(store);
	cached = SPI_plan_get_cached_plan(plan);
	inv_restore_policies(store, security);
	return cached;
}

/* Callback of the memory of a store. */
static void
free_query_plans(void *arg)
{
	InvQueryPlans *plans = arg;

	for (int i = 0; i < INV_STMT_COUNT; i++)
		if (plans->statements[i])
			SPI_freeplan(plans->statements[i]);
}

/* The plans of a store, which are freed with its memory. */
static InvQueryPlans *
query_plans_of(InvStore *store)
{
	InvQueryPlans *plans = store->queries;

	if (plans)
		return plans;
	plans = MemoryContextAllocZero(store->context, sizeof(InvQueryPlans));
	plans->free.func = free_query_plans;
	plans->free.arg = plans;
	MemoryContextRegisterResetCallback(store->context, &plans->free);
	store->queries = plans;
	return plans;
}

/*
 * A result is read in the types that the template says.
 * The owner of the tables can change theirs at any time.
 */
static void
check_result_types(InvStore *store, TupleDesc desc, const char *columns)
{
	int count = 0;
	bool good = true;

	for (const char *letter = columns; good && *letter; letter++)
	{
		Oid type, wanted;

		if (*letter == '?')
			continue;
		wanted = inv_letter_type(store, *letter);
		type = desc && count < desc->natts ? TupleDescAttr(desc, count)->atttypid : InvalidOid;
		good = type == wanted || (OidIsValid(type) && inv_base_type(type) == wanted);
		count++;
	}
	if (!good || (count > 0 && count != desc->natts))
		inv_error_broken_store(store->store_name, store->items,
							   "The type of a column of its tables has changed.");
}

/* Nor is a column null that the template does not say can be; the owner can let it be so. */
static void
check_result_nulls(InvStore *store, HeapTuple row, const char *columns)
{
	int column = 0;

	for (const char *letter = columns; *letter; letter++)
	{
		if (*letter == '?')
			continue;
		column++;
		if (letter[1] != '?' && heap_attisnull(row, column, NULL))
			inv_error_broken_store(store->store_name, store->items,
								   "A column of its tables is null that attach made NOT NULL.");
	}
}

static void
check_result(InvStore *store, const char *columns)
{
	check_result_types(store, SPI_tuptable ? SPI_tuptable->tupdesc : NULL, columns);
	for (uint64 row = 0; SPI_tuptable && row < SPI_tuptable->numvals; row++)
		if (HeapTupleHasNulls(SPI_tuptable->vals[row]))
			check_result_nulls(store, SPI_tuptable->vals[row], columns);
}

/* Make a snapshot active that is before the first command of this transaction. */
static Snapshot
push_committed_snapshot(void)
{
	PushCopiedSnapshot(GetLatestSnapshot());
	GetActiveSnapshot()->curcid = FirstCommandId;
	return GetActiveSnapshot();
}

/*
 * Execute a plan; returns the number of rows.  Raises unless it did what was expected.  SPI leaves
 * its own memory context behind, which ends with the call; the caller can be filling another.
 */
uint64
inv_execute_plan(InvStore *store, SPIPlanPtr plan, Datum *values, const char *nulls,
				 InvSnapshotMode mode, int expected, const char *columns)
{
	Snapshot snapshot = InvalidSnapshot;
	Snapshot crosscheck = InvalidSnapshot;
	CachedPlan *cached = hold_plan_without_policies(store, plan);
	MemoryContext caller = CurrentMemoryContext;
	bool reads = mode == INV_SNAPSHOT_COMMITTED || mode == INV_SNAPSHOT_READ_ONLY;
	int result;

	Assert(GetUserId() == store->owner); /* the store is entered */
	if (mode == INV_SNAPSHOT_COMMITTED)
		snapshot = push_committed_snapshot();
	/* in READ COMMITTED each statement has the latest snapshot anyway */
	if (mode == INV_SNAPSHOT_LATEST && IsolationUsesXactSnapshot())
	{
		snapshot = GetLatestSnapshot();
		/* to write a row of which the transaction sees an old version is a serialization failure */
		crosscheck = GetTransactionSnapshot();
	}
	result = SPI_execute_snapshot(plan, values, nulls, snapshot, crosscheck, reads, true, 0);
	MemoryContextSwitchTo(caller);
	if (mode == INV_SNAPSHOT_COMMITTED)
		PopActiveSnapshot();
	if (cached)
		ReleaseCachedPlan(cached, CurrentResourceOwner);
	else if (!store->valid && inv_binding_forces_policies(store))
		inv_error_broken_store(store->store_name, store->items,
							   "Policies of one of its tables were forced during the call.");
	if (result != expected)
		inv_error_broken_store(store->store_name, store->items,
							   psprintf("A rule or a view on its tables rewrote a statement: %s.",
										SPI_result_code_string(result)));
	check_result(store, columns);
	return SPI_processed;
}

/* Make the plan of a statement that finds rows by a key, unless it is up to date. */
static void
plan_by_key(InvStore *store, InvStatement statement)
{
	int security = inv_lift_policies(store);

	inv_query_plan_by_key(store->queries->statements[statement], store,
						  inv_statement_template(statement)->by,
						  &store->queries->generations[statement]);
	inv_restore_policies(store, security);
}

/*
 * Execute a statement that contains the store's condition: with the constants of that.  A
 * statement that only reads runs nothing else of the shop, so it has the recorded settings,
 * also while it is planned: that reads the bodies of functions.
 */
static uint64
execute_with_condition(InvStore *store, InvStatement statement, Datum *values, const char *nulls,
					   InvSnapshotMode mode)
{
	const InvTemplate *template = inv_statement_template(statement);
	const InvCondition *condition = store->sellable;
	int own = strlen(template->parameters);
	int count = INV_FIRST_CONSTANT - 1 + condition->constant_count;
	Datum *all = palloc0(sizeof(Datum) * count);
	char *all_nulls = palloc(count);
	bool reads = template->result == SPI_OK_SELECT;
	int nest = reads && condition->settings ? inv_settings_enter(condition->settings) : 0;
	uint64 rows;

	Assert(own < INV_FIRST_CONSTANT);
	Assert(reads || inv_condition_settings_are_current(condition));
	memcpy(all, values, sizeof(Datum) * own);
	memset(all_nulls, ' ', count);
	if (nulls)
		memcpy(all_nulls, nulls, own);
	for (int i = 0; i < condition->constant_count; i++)
		all[INV_FIRST_CONSTANT - 1 + i] = condition->constants[i];
	if (template->by)
		plan_by_key(store, statement);
	rows = inv_execute_plan(store, store->queries->statements[statement], all, all_nulls, mode,
							template->result, template->columns);
	if (nest)
		AtEOXact_GUC(true, nest);
	return rows;
}

static void
prepare_statement(InvStore *store, InvStatement statement)
{
	const InvTemplate *template = inv_statement_template(statement);
	bool with_condition = store->sellable && strstr(template->text, "sellable}");

	store->queries->has_condition[statement] =
		with_condition && (store->sellable->constant_count > 0 || store->sellable->settings);
	store->queries->statements[statement] = inv_prepare_plan(
		store, template->parameters, with_condition, inv_expand_template(store, template->text));
}

/*
 * Execute a statement; returns the number of rows.  Those that it returns are read
 * with inv_result until the next statement.  "nulls" is as for SPI, or null if no
 * value is.
 */
uint64
inv_execute(InvStore *store, InvStatement statement, Datum *values, const char *nulls,
			InvSnapshotMode mode)
{
	const InvTemplate *template = inv_statement_template(statement);
	InvQueryPlans *plans = query_plans_of(store);

	inv_pin_path(store);
	if (template->writes != INV_LEDGER_NONE)
		table_close(inv_ledger_table_open(store, template->writes), NoLock);
	if (plans->statements[statement] == NULL)
		prepare_statement(store, statement);
	if (plans->has_condition[statement])
		return execute_with_condition(store, statement, values, nulls, mode);
	if (template->by)
		plan_by_key(store, statement);
	return inv_execute_plan(store, plans->statements[statement], values, nulls, mode,
							template->result, template->columns);
}

/*
 * The same under the settings that attach recorded: for a statement that reads, and runs nothing
 * of the shop but the functions that make the rows of orders, or say what lines are worth.  No
 * caller chooses by the settings of its session what these yield.
 */
uint64
inv_execute_as_attached(InvStore *store, InvStatement statement, Datum *values, const char *nulls,
						InvSnapshotMode mode)
{
	int nest = 0;
	uint64 rows;

	Assert(inv_statement_template(statement)->result == SPI_OK_SELECT);
	/* first, because it would go with the settings */
	inv_pin_path(store);
	if (store->settings)
		nest = inv_settings_enter(store->settings);
	rows = inv_execute(store, statement, values, nulls, mode);
	if (nest)
		AtEOXact_GUC(true, nest);
	return rows;
}

/* Raise because something of the shop's keeps rows of the ledger from being written. */
void
inv_error_rows_not_written(InvStore *store, InvStatement statement)
{
	Oid table = store->ledger[inv_statement_template(statement)->writes];

	inv_error_kept_rows(store->store_name, get_rel_name(table));
}

/*
 * Execute a statement that writes so many rows of the ledger: what it writes elsewhere
 * counts on them, so it is an error if one is missing.
 */
void
inv_execute_write(InvStore *store, InvStatement statement, Datum *values, const char *nulls,
				  InvSnapshotMode mode, uint64 rows)
{
	if (inv_execute(store, statement, values, nulls, mode) != rows)
		inv_error_rows_not_written(store, statement);
}

/* A column of a row of the last statement.  The caller knows that there is the row. */
Datum
inv_result(uint64 row, int column, bool *isnull)
{
	if (SPI_tuptable == NULL || row >= SPI_tuptable->numvals)
		elog(ERROR, "a statement of inventory did not return row " UINT64_FORMAT, row);
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, isnull);
}

/* A bigint column.  Null is read as 0. */
int64
inv_result_int64(uint64 row, int column)
{
	bool isnull;
	Datum value = inv_result(row, column, &isnull);

	return isnull ? 0 : DatumGetInt64(value);
}

/* An array parameter; "nulls" is null if no element is. */
Datum
inv_make_array(Oid type, Datum *elements, bool *nulls, int count)
{
	int16 length;
	bool byval;
	char align;
	int bounds[] = { 1 };

	get_typlenbyvalalign(type, &length, &byval, &align);
	return PointerGetDatum(
		construct_md_array(elements, nulls, 1, &count, bounds, type, length, byval, align));
}
