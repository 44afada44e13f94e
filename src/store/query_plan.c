/*
 * query_plan.c
 *		Plans that find rows by their keys, whatever the statistics say.
 *
 * A session keeps its plans.  Made while a table is small, a plan may read all of it, or
 * use any index, because nothing costs much; when the table has grown, the session goes on
 * to use it.  A statement that finds rows by a key is therefore planned as for large tables
 * of which nothing is known, and with no index but those of the key.  Where there is none
 * it reads the table, as before.
 *
 * Expects a connection to SPI.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "optimizer/pathnode.h"
#include "optimizer/plancat.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"
#include "utils/resowner.h"
#include "utils/selfuncs.h"

#include "base/compat.h"
#include "base/settings.h"
#include "store/binding.h"
#include "store/query_plan.h"

#define LARGE_TABLE_ROWS 1e7
#define LARGE_TABLE_PAGES 100000

/* What is being planned; null between two plans. */
static const InvStore *planned_store = NULL;
static const char *planned_by = NULL;

static INV_RELATION_HOOK_TYPE next_relation_hook = NULL;
static get_relation_stats_hook_type next_relation_stats = NULL;

/* The column by which rows of a table are found; InvalidAttrNumber for a table that is not the store's. */
static AttrNumber
key_column_of(const InvStore *store, Oid table, const char *by)
{
	if (table == store->items)
		return store->item_id.attnum;
	if (table == store->orders)
		return strcmp(by, "order_header") == 0 ? store->order_header.attnum
											   : store->order_id.attnum;
	if (OidIsValid(store->header) && table == store->header)
		return store->header_id.attnum;
	for (int i = INV_LEDGER_NONE + 1; i < INV_LEDGER_COUNT; i++)
		if (table == store->ledger[i])
			return get_attnum(table, by);
	return InvalidAttrNumber;
}

/* The key column of a table in the statement that is being planned, or InvalidAttrNumber. */
static AttrNumber
planned_key_column(Oid table)
{
	return planned_store ? key_column_of(planned_store, table, planned_by) : InvalidAttrNumber;
}

/* Hook: the planner has read what a table has.  Leave it the indexes of the key. */
static void
plan_for_large_table(INV_RELATION_HOOK_PARAMETERS)
{
	AttrNumber key = planned_key_column(INV_RELATION_HOOK_TABLE);
	List *chosen = NIL;
	ListCell *cell;

	if (next_relation_hook)
		next_relation_hook(INV_RELATION_HOOK_ARGUMENTS);
	if (key == InvalidAttrNumber)
		return;
	rel->pages = LARGE_TABLE_PAGES;
	rel->tuples = LARGE_TABLE_ROWS;
	foreach (cell, rel->indexlist)
	{
		IndexOptInfo *index = lfirst(cell);

		index->pages = LARGE_TABLE_PAGES / 10;
		index->tuples = LARGE_TABLE_ROWS;
		if (index->indexkeys[0] == key)
			chosen = lappend(chosen, index);
	}
	if (chosen != NIL)
		rel->indexlist = chosen;
}

/* Hook: the planner asks for the statistics of a column.  None, if true. */
static bool
hide_statistics(PlannerInfo *root, RangeTblEntry *entry, AttrNumber column, VariableStatData *data)
{
	if (entry->rtekind == RTE_RELATION && planned_key_column(entry->relid) != InvalidAttrNumber)
	{
		data->statsTuple = NULL;
		return true;
	}
	return next_relation_stats && next_relation_stats(root, entry, column, data);
}

void
inv_query_plan_init(void)
{
	next_relation_hook = inv_relation_hook;
	inv_relation_hook = plan_for_large_table;
	next_relation_stats = get_relation_stats_hook;
	get_relation_stats_hook = hide_statistics;
}

/*
 * Is the generic plan of a statement valid, and the one that was made here?  One that the
 * server replaced while it executed the statement was made by the statistics, and is
 * discarded.
 */
static bool
is_plan_by_key(const CachedPlanSource *source, int generation)
{
	if (!source->is_valid || source->gplan == NULL || !source->gplan->is_valid)
		return false;
	if (source->gplan->generation == generation)
		return true;
	source->gplan->is_valid = false;
	return false;
}

/*
 * The settings of the planner that leave it nothing but look-ups by the index.  Where it
 * finds no index it expects enormous costs, for which it must not compile the statement.
 */
static void
set_for_planning(void)
{
	static const char *const off[] = { "enable_seqscan",   "enable_bitmapscan", "enable_hashjoin",
									   "enable_mergejoin", "enable_material",	"jit" };
	static const char *const on[] = { "enable_indexscan", "enable_nestloop" };

	for (size_t i = 0; i < lengthof(off); i++)
		inv_set_setting(off[i], "off", GUC_ACTION_SAVE);
	for (size_t i = 0; i < lengthof(on); i++)
		inv_set_setting(on[i], "on", GUC_ACTION_SAVE);
}

/*
 * Make the generic plan of a prepared statement that finds rows of the ledger by a column.
 * The number of the plan is kept by the caller, who begins with 0.
 */
void
inv_query_plan_by_key(SPIPlanPtr plan, const InvStore *store, const char *by, int *generation)
{
	CachedPlanSource *source = linitial(SPI_plan_get_plan_sources(plan));
	/* to plan can run a function of the shop, which calls the engine */
	const InvStore *outer_store = planned_store;
	const char *outer_by = planned_by;
	int nest;

	Assert(list_length(SPI_plan_get_plan_sources(plan)) == 1);
	if (is_plan_by_key(source, *generation))
		return;
	nest = NewGUCNestLevel();
	set_for_planning();
	planned_store = store;
	planned_by = by;
	PG_TRY();
	{
		CachedPlan *made = SPI_plan_get_cached_plan(plan);

		Assert(made != NULL);
		*generation = made->generation;
		ReleaseCachedPlan(made, CurrentResourceOwner);
	}
	PG_FINALLY();
	{
		planned_store = outer_store;
		planned_by = outer_by;
	}
	PG_END_TRY();
	AtEOXact_GUC(true, nest);
}
