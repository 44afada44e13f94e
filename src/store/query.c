/*
 * query.c
 *		The statements of the engine: plans and their execution.
 *
 * Only this file runs SQL; enter.c connects to SPI.  A plan is prepared at its first
 * use, generic, and kept in the memory of the store.  The texts are in query_text.c.
 *
 * Expects the store to be entered.  A statement takes the locks that its text says,
 * and the lock of a write on the table of the ledger that it writes.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "base/datum.h"
#include "base/error.h"
#include "store/binding.h"
#include "store/ledger_schema.h"
#include "store/query.h"
#include "store/query_expand.h"
#include "store/query_plan.h"
#include "store/query_text.h"

#define MAX_PARAMETERS 16

#define INSERT_PLANS 16

/* A plan of INSERT INTO orders, for a set of columns that callers give. */
typedef struct InsertPlan
{
	uint64 columns;		/* bitmap over InvStore.settable */
	uint64 last_used;	/* by insert_clock: the least recently used plan is replaced */
	int running;		/* executions that have not ended */
	uint64 transaction; /* of these; after an error they end with it */
	SPIPlanPtr plan;
} InsertPlan;

/* The plans of a store, in its memory. */
struct InvQueryPlans
{
	SPIPlanPtr statements[INV_STMT_COUNT];
	int generations[INV_STMT_COUNT]; /* query_plan.c: of these plans */
	InsertPlan inserts[INSERT_PLANS];
	uint64 insert_clock;
	MemoryContextCallback free; /* with the context */
};

static List *retired_plans = NIL;	 /* to be freed at the end of the transaction */
static uint64 transaction_count = 0; /* transactions of this session that have ended */

/* ---- plans ---- */

/* Prepare a generic plan that outlives the call. */
static SPIPlanPtr
prepare_plan(InvStore *store, const char *parameters, const char *text)
{
	Oid types[MAX_PARAMETERS];
	int count = strlen(parameters);
	SPIPlanPtr plan;

	Assert(count <= MAX_PARAMETERS);
	for (int i = 0; i < count; i++)
		types[i] = inv_letter_type(store, parameters[i]);
	plan = SPI_prepare_cursor(text, count, types, CURSOR_OPT_GENERIC_PLAN);
	if (plan == NULL || SPI_keepplan(plan) != 0)
		inv_error_broken_store(store->store_name, psprintf("A statement could not be prepared: %s.",
														   SPI_result_code_string(SPI_result)));
	return plan;
}

/* Free a plan when the transaction ends: a call further up may be executing it. */
static void
retire_plan(SPIPlanPtr plan)
{
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

	retired_plans = lappend(retired_plans, plan);
	MemoryContextSwitchTo(old);
}

/* At the end of a transaction no plan runs, also where an error ended its execution. */
static void
query_at_xact_end(XactEvent event, void *arg pg_attribute_unused())
{
	ListCell *cell;

	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT && event != XACT_EVENT_PREPARE)
		return;
	transaction_count++;
	foreach (cell, retired_plans)
		SPI_freeplan((SPIPlanPtr) lfirst(cell));
	list_free(retired_plans);
	retired_plans = NIL;
}

void
inv_query_init(void)
{
	RegisterXactCallback(query_at_xact_end, NULL);
}

/* Callback of the memory of a store. */
static void
free_query_plans(void *arg)
{
	InvQueryPlans *plans = arg;

	for (int i = 0; i < INV_STMT_COUNT; i++)
		if (plans->statements[i])
			SPI_freeplan(plans->statements[i]);
	for (int i = 0; i < INSERT_PLANS; i++)
		if (plans->inserts[i].plan)
			SPI_freeplan(plans->inserts[i].plan);
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
 * A result is read in the types that the template says.  The owner of the tables
 * can change theirs at any time.
 */
static void
check_columns(InvStore *store, const char *columns)
{
	TupleDesc desc = SPI_tuptable ? SPI_tuptable->tupdesc : NULL;
	size_t count = strlen(columns);
	bool good = count == 0 || (desc && (size_t) desc->natts == count);

	for (size_t i = 0; good && i < count; i++)
	{
		Oid type = TupleDescAttr(desc, i)->atttypid;
		Oid wanted = inv_letter_type(store, columns[i]);

		good = type == wanted || inv_base_type(type) == wanted;
	}
	if (!good)
		inv_error_broken_store(store->store_name,
							   "The type of a column of its tables has changed.");
}

/* Execute a plan; returns the number of rows.  Raises unless it did what was expected. */
static uint64
execute_plan(InvStore *store, SPIPlanPtr plan, Datum *values, const char *nulls,
			 InvSnapshotMode mode, int expected, const char *columns)
{
	Snapshot snapshot = InvalidSnapshot;
	Snapshot crosscheck = InvalidSnapshot;
	int result;

	Assert(GetUserId() == store->owner); /* the store is entered */
	/* in READ COMMITTED each statement has the latest snapshot anyway */
	if (mode == INV_SNAPSHOT_LATEST && IsolationUsesXactSnapshot())
	{
		snapshot = GetLatestSnapshot();
		/* to write a row of which the transaction sees an old version is a serialization failure */
		crosscheck = GetTransactionSnapshot();
	}
	result = SPI_execute_snapshot(plan, values, nulls, snapshot, crosscheck,
								  mode == INV_SNAPSHOT_READ_ONLY, true, 0);
	if (result != expected)
		inv_error_broken_store(store->store_name,
							   psprintf("A rule or a view on its tables rewrote a statement: %s.",
										SPI_result_code_string(result)));
	check_columns(store, columns);
	return SPI_processed;
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

	if (template->writes != INV_LEDGER_NONE)
		table_close(inv_ledger_table_open(store, template->writes), NoLock);
	if (plans->statements[statement] == NULL)
		plans->statements[statement] =
			prepare_plan(store, template->parameters, inv_expand_template(store, template->text));
	if (template->by)
		inv_query_plan_by_key(plans->statements[statement], store, template->by,
							  &plans->generations[statement]);
	return execute_plan(store, plans->statements[statement], values, nulls, mode, template->result,
						template->columns);
}

/* A column of a row of the last statement. */
Datum
inv_result(uint64 row, int column, bool *isnull)
{
	Assert(SPI_tuptable != NULL && row < SPI_tuptable->numvals);
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, isnull);
}

/* A bigint column.  Null, which only the owner can have put there, is read as 0. */
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

/* Is a plan the better one to replace: idle, or else less recently used? */
static bool
replaces_better(const InsertPlan *plan, const InsertPlan *other)
{
	if ((plan->running == 0) != (other->running == 0))
		return plan->running == 0;
	return plan->last_used < other->last_used;
}

/* The cached plan for a set of columns, or else the one to replace. */
static InsertPlan *
find_insert_plan(InvQueryPlans *plans, uint64 columns)
{
	InsertPlan *victim = &plans->inserts[0];

	for (int i = 0; i < INSERT_PLANS; i++)
	{
		InsertPlan *candidate = &plans->inserts[i];

		/* executions of an earlier transaction ended with it */
		if (candidate->transaction != transaction_count)
			candidate->running = 0;
		candidate->transaction = transaction_count;

		if (candidate->plan && candidate->columns == columns)
			return candidate;
		if (replaces_better(candidate, victim))
			victim = candidate;
	}
	return victim;
}

static InsertPlan *
insert_plan_of(InvStore *store, uint64 columns)
{
	InvQueryPlans *plans = query_plans_of(store);
	InsertPlan *slot = find_insert_plan(plans, columns);

	slot->last_used = ++plans->insert_clock;
	if (slot->plan && slot->columns == columns)
		return slot;
	if (slot->plan && slot->running > 0)
		retire_plan(slot->plan);
	else if (slot->plan)
		SPI_freeplan(slot->plan);
	slot->plan = NULL;
	slot->running = 0;
	slot->columns = columns;
	slot->plan =
		prepare_plan(store, INV_INSERT_ORDERS_PARAMETERS, inv_insert_orders_text(store, columns));
	return slot;
}

/*
 * Insert order lines, all with the same set of columns that callers give.  The rows
 * of the result are their keys, in the order of the lines.
 */
uint64
inv_insert_orders(InvStore *store, uint64 columns, Datum *values, const char *nulls)
{
	InsertPlan *slot;
	SPIPlanPtr plan;
	uint64 rows;

	inv_check_orders_written(store);
	slot = insert_plan_of(store, columns);
	plan = slot->plan;
	Assert(plan != NULL && slot->running >= 0);
	slot->running++;
	rows = execute_plan(store, plan, values, nulls, INV_SNAPSHOT_TRANSACTION,
						SPI_OK_INSERT_RETURNING, "o");
	/* a trigger of orders may have called the engine, which replaced the plan */
	if (slot->plan == plan)
		slot->running--;
	return rows;
}
