/*
 * query_insert.c
 *		INSERT into orders and into their header, by statements.
 *
 * DEFAULT cannot be an expression, so there is a statement for each set of columns that
 * rows give.  A store keeps the plans that it used last.
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "utils/memutils.h"

#include "store/binding.h"
#include "store/enter.h"
#include "store/insert_text.h"
#include "store/query.h"
#include "store/query_insert.h"
#include "store/table_check.h"

#define INSERT_PLANS 16

/* A plan of INSERT INTO orders, or into their header, for a set of columns that rows give. */
typedef struct InsertPlan
{
	InvTarget target;
	uint64 columns;		/* bitmap over InvColumnList.columns of the table */
	uint64 last_used;	/* by insert_clock: the least recently used plan is replaced */
	int running;		/* executions that have not ended */
	uint64 transaction; /* of these; after an error they end with it */
	SPIPlanPtr plan;
} InsertPlan;

/* The plans of a store, in its memory. */
struct InvInsertPlans
{
	InsertPlan plans[INSERT_PLANS];
	uint64 clock;
	MemoryContextCallback free; /* with the context */
};

static List *retired_plans = NIL;	 /* to be freed at the end of the transaction */
static uint64 transaction_count = 0; /* transactions of this session that have ended */

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
inserts_at_xact_end(XactEvent event, void *arg pg_attribute_unused())
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
inv_query_insert_init(void)
{
	RegisterXactCallback(inserts_at_xact_end, NULL);
}

/* Callback of the memory of a store. */
static void
free_insert_plans(void *arg)
{
	InvInsertPlans *inserts = arg;

	for (int i = 0; i < INSERT_PLANS; i++)
		if (inserts->plans[i].plan)
			SPI_freeplan(inserts->plans[i].plan);
}

/* The plans of a store, which are freed with its memory. */
static InvInsertPlans *
insert_plans_of(InvStore *store)
{
	InvInsertPlans *inserts = store->inserts;

	if (inserts)
		return inserts;
	inserts = MemoryContextAllocZero(store->context, sizeof(InvInsertPlans));
	inserts->free.func = free_insert_plans;
	inserts->free.arg = inserts;
	MemoryContextRegisterResetCallback(store->context, &inserts->free);
	store->inserts = inserts;
	return inserts;
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
find_insert_plan(InvInsertPlans *inserts, InvTarget target, uint64 columns)
{
	InsertPlan *victim = &inserts->plans[0];

	for (int i = 0; i < INSERT_PLANS; i++)
	{
		InsertPlan *candidate = &inserts->plans[i];

		/* executions of an earlier transaction ended with it */
		if (candidate->transaction != transaction_count)
			candidate->running = 0;
		candidate->transaction = transaction_count;

		if (candidate->plan && candidate->target == target && candidate->columns == columns)
			return candidate;
		if (replaces_better(candidate, victim))
			victim = candidate;
	}
	return victim;
}

static InsertPlan *
insert_plan_of(InvStore *store, InvTarget target, uint64 columns)
{
	InvInsertPlans *inserts = insert_plans_of(store);
	InsertPlan *slot = find_insert_plan(inserts, target, columns);

	slot->last_used = ++inserts->clock;
	if (slot->plan && slot->target == target && slot->columns == columns)
		return slot;
	if (slot->plan && slot->running > 0)
		retire_plan(slot->plan);
	else if (slot->plan)
		SPI_freeplan(slot->plan);
	slot->plan = NULL;
	slot->running = 0;
	slot->target = target;
	slot->columns = columns;
	if (target == INV_TARGET_ORDERS)
		slot->plan = inv_prepare_plan(store, INV_INSERT_ORDERS_PARAMETERS, false,
									  inv_insert_orders_text(store, columns));
	else
		slot->plan = inv_prepare_plan(store, INV_INSERT_HEADER_PARAMETERS, false,
									  inv_insert_header_text(store, columns));
	return slot;
}

/* Insert rows, and return their keys: letters of the columns of the result. */
static uint64
insert_order_rows(InvStore *store, InvTarget target, uint64 columns, Datum *values,
				  const char *nulls, const char *result)
{
	InsertPlan *slot = insert_plan_of(store, target, columns);
	SPIPlanPtr plan = slot->plan;
	uint64 rows;

	Assert(plan != NULL && slot->running >= 0);
	slot->running++;
	rows = inv_execute_plan(store, plan, values, nulls, INV_SNAPSHOT_TRANSACTION,
							SPI_OK_INSERT_RETURNING, result);
	/* a trigger of the table may have called the engine, which replaced the plan */
	if (slot->plan == plan)
		slot->running--;
	return rows;
}

/*
 * Insert order lines, all with the same set of given columns.  The rows of the result are
 * their keys, in the order of the lines.
 */
uint64
inv_insert_orders(InvStore *store, uint64 columns, Datum *values, const char *nulls)
{
	inv_pin_path(store);
	inv_check_orders_written(store);
	return insert_order_rows(store, INV_TARGET_ORDERS, columns, values, nulls, "o?");
}

/* Insert a header, with a set of given columns.  The row of the result is its key. */
uint64
inv_insert_header(InvStore *store, uint64 columns, Datum *values, const char *nulls)
{
	inv_pin_path(store);
	return insert_order_rows(store, INV_TARGET_HEADER, columns, values, nulls, "h");
}
