/*
 * query.c
 *		The only SPI: plans and their execution.
 *
 * A plan is prepared at its first use, generic, and kept as long as the store's
 * binding is valid.  The texts are in query_text.c.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "base/datum.h"
#include "base/error.h"
#include "store/binding.h"
#include "store/ledger_schema.h"
#include "store/query.h"
#include "store/query_expand.h"
#include "store/query_text.h"
#include "store/trigger_check.h"

#define MAX_PARAMETERS 16

#define INSERT_PLANS 16

/* One plan of INSERT INTO orders per set of caller-given columns. */
typedef struct InsertPlan
{
	uint64 columns;		/* bitmap over InvStore.settable */
	uint64 used;		/* for the choice of a victim */
	int running;		/* executions under way */
	uint64 transaction; /* that began them; an error forgets them with it */
	SPIPlanPtr plan;
} InsertPlan;

/* The plans of a store, in its memory context. */
struct InvQueryPlans
{
	SPIPlanPtr statements[INV_STMT_COUNT];
	InsertPlan inserts[INSERT_PLANS];
	uint64 insert_clock;
	MemoryContextCallback free; /* with the context */
};

static List *retired_plans = NIL;	 /* plans to drop at the end of the transaction */
static uint64 transaction_count = 0; /* of this session that have ended */

/* ---- plans ---- */

/* Prepare a generic plan that outlives the call; memory of the text does not. */
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

/* Drop a plan when the transaction ends: a caller further up may be in it. */
static void
retire_plan(SPIPlanPtr plan)
{
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

	retired_plans = lappend(retired_plans, plan);
	MemoryContextSwitchTo(old);
}

/* At the end of a transaction no plan runs, even where an error skipped the end of one. */
static void
query_at_xact_end(XactEvent event, void *arg)
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

/* Callback of a store's memory context. */
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

/* The plans of a store; they go with the store's memory. */
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
 * A result is read as what the text says; but the ledger's tables are the
 * owner's, who can change them at any time.
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
		inv_error_broken_store(store->store_name, "A column of its tables has another type now.");
}

static uint64
execute_plan(InvStore *store, SPIPlanPtr plan, Datum *values, const char *nulls,
			 InvSnapshotMode mode, int expected, const char *columns)
{
	Snapshot snapshot = InvalidSnapshot;
	Snapshot crosscheck = InvalidSnapshot;
	int result;

	/* in READ COMMITTED every statement sees the latest anyway */
	if (mode == INV_SNAPSHOT_LATEST && IsolationUsesXactSnapshot())
	{
		snapshot = GetLatestSnapshot();
		/* a row is not written whose old version the transaction would go on seeing: 40001 */
		crosscheck = GetTransactionSnapshot();
	}
	result = SPI_execute_snapshot(plan, values, nulls, snapshot, crosscheck,
								  mode == INV_SNAPSHOT_READ_ONLY, true, 0);
	if (result != expected)
		inv_error_broken_store(
			store->store_name,
			psprintf("A rule or view rewrites its tables: %s.", SPI_result_code_string(result)));
	check_columns(store, columns);
	return SPI_processed;
}

/*
 * Execute a statement; the rows it returns are read with inv_result until the
 * next one.  nulls is null when no value is.
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
	return execute_plan(store, plans->statements[statement], values, nulls, mode, template->result,
						template->columns);
}

/* A column of a row of the last statement. */
Datum
inv_result(uint64 row, int column, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, isnull);
}

/* A bigint column that cannot be null. */
int64
inv_result_int64(uint64 row, int column)
{
	bool isnull;
	Datum value = inv_result(row, column, &isnull);

	Assert(!isnull);
	return DatumGetInt64(value);
}

/* An array parameter; nulls may be null. */
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

/* The plan for a set of columns, in a cache that replaces the least used idle one. */
static InsertPlan *
orders_plan(InvStore *store, uint64 columns)
{
	InvQueryPlans *plans = query_plans_of(store);
	InsertPlan *slot = &plans->inserts[0];

	for (int i = 0; i < INSERT_PLANS; i++)
	{
		InsertPlan *candidate = &plans->inserts[i];

		if (candidate->transaction != transaction_count)
			candidate->running = 0;
		candidate->transaction = transaction_count;

		if (candidate->plan && candidate->columns == columns)
		{
			candidate->used = ++plans->insert_clock;
			return candidate;
		}
		if (candidate->running == 0 && slot->running > 0)
			slot = candidate;
		else if ((candidate->running > 0) == (slot->running > 0) && candidate->used < slot->used)
			slot = candidate;
	}
	if (slot->plan && slot->running > 0)
		retire_plan(slot->plan);
	else if (slot->plan)
		SPI_freeplan(slot->plan);
	slot->plan = NULL;
	slot->running = 0;
	slot->columns = columns;
	slot->used = ++plans->insert_clock;
	slot->plan =
		prepare_plan(store, INV_INSERT_ORDERS_PARAMETERS, inv_insert_orders_text(store, columns));
	return slot;
}

/*
 * Insert order lines, all with the same set of caller-given columns; their keys
 * are the rows of the result, in the order of the lines.
 */
uint64
inv_insert_orders(InvStore *store, uint64 columns, Datum *values, const char *nulls)
{
	InsertPlan *slot;
	SPIPlanPtr plan;
	uint64 rows;

	inv_check_orders_written(store);
	slot = orders_plan(store, columns);
	plan = slot->plan;
	slot->running++;
	rows = execute_plan(store, plan, values, nulls, INV_SNAPSHOT_TRANSACTION,
						SPI_OK_INSERT_RETURNING, "o");
	if (slot->plan == plan)
		slot->running--;
	return rows;
}
