/*
 * keep.c
 *		The trigger on items that leaves the stock as it is, where the store keeps it.
 *
 * An ORM or an admin page saves whole rows, with a stock that it has read before others
 * bought.  Such an UPDATE names the stock among other columns: they are changed, and the stock
 * is not.  An UPDATE of the stock alone is meant; the guard refuses it (guard.c), as it
 * refuses what a trigger of the shop does to the stock after this one.  In a store that
 * follows its orders the line is the sale, and what counts it a second time is left, too.
 *
 * BEFORE UPDATE OF the stock, each row: the old stock replaces the new one.  AFTER the
 * statement: a NOTICE says of how many rows.  It fires where the server fires triggers by
 * default, and so not for a subscriber.
 *
 * Runs in the statement that changes the row, which has the row locked.  Does not enter the
 * store, and reads and writes no table.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "common/int.h"
#include "executor/tuptable.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "base/datum.h"
#include "base/error.h"
#include "base/stats.h"
#include "base/units.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/store.h"
#include "stock/expected.h"
#include "stock/keep.h"

/* ---- statements of which rows were kept ---- */

/* A statement that has not ended. */
typedef struct KeptRows
{
	Oid items;
	int depth;	 /* of triggers */
	int nesting; /* level of the (sub)transaction */
	int64 count;
} KeptRows;

static List *kept_rows = NIL; /* in TopTransactionContext */

/* The rows of the statement that fires this trigger, or null. */
static KeptRows *
find_kept_rows(Oid items)
{
	int depth = inv_trigger_depth();
	int nesting = GetCurrentTransactionNestLevel();
	ListCell *cell;

	foreach (cell, kept_rows)
	{
		KeptRows *rows = lfirst(cell);

		if (rows->items == items && rows->depth == depth && rows->nesting == nesting)
			return rows;
	}
	return NULL;
}

static void
count_kept_row(Oid items)
{
	KeptRows *rows = find_kept_rows(items);

	if (rows == NULL)
	{
		MemoryContext context = MemoryContextSwitchTo(TopTransactionContext);

		rows = palloc0(sizeof(KeptRows));
		rows->items = items;
		rows->depth = inv_trigger_depth();
		rows->nesting = GetCurrentTransactionNestLevel();
		kept_rows = lappend(kept_rows, rows);
		MemoryContextSwitchTo(context);
	}
	rows->count++;
}

/* The statement has ended: say what it has not changed. */
static void
report_kept_rows(InvStore *store)
{
	KeptRows *rows = find_kept_rows(store->items);
	int64 count;

	if (rows == NULL)
		return;
	count = rows->count;
	kept_rows = list_delete_ptr(kept_rows, rows);
	ereport(NOTICE,
			(errmsg_plural("the stock of " INT64_FORMAT " item was left as it is",
						   "the stock of " INT64_FORMAT " items was left as it is", count, count),
			 errhint("Use restock_item, adjust_stock or count_stock of store \"%s\" to change it.",
					 store->store_name)));
}

static void
keep_at_xact_end(XactEvent event, void *arg pg_attribute_unused())
{
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
		kept_rows = NIL;
}

/* A statement ends at the level at which it began. */
static void
keep_at_subxact_end(SubXactEvent event, SubTransactionId self pg_attribute_unused(),
					SubTransactionId parent pg_attribute_unused(), void *arg pg_attribute_unused())
{
	ListCell *cell;

	if (event != SUBXACT_EVENT_ABORT_SUB && event != SUBXACT_EVENT_COMMIT_SUB)
		return;
	foreach (cell, kept_rows)
		if (((KeptRows *) lfirst(cell))->nesting >= GetCurrentTransactionNestLevel())
			kept_rows = foreach_delete_current(kept_rows, cell);
}

void
inv_keep_init(void)
{
	RegisterXactCallback(keep_at_xact_end, NULL);
	RegisterSubXactCallback(keep_at_subxact_end, NULL);
}

/* ---- rows ---- */

/* Is it a column that an UPDATE of the stock alone can name, too? */
static bool
goes_with_stock(InvStore *store, const FormData_pg_attribute *column)
{
	Oid type = inv_base_type(column->atttypid);

	return column->attnum == store->stock.attnum || column->attnum == store->version.attnum ||
		   column->attnum == store->item_id.attnum || column->attgenerated ||
		   type == TIMESTAMPTZOID || type == TIMESTAMPOID;
}

/* Does the statement name other columns than these? */
static bool
names_other_columns(InvStore *store, const TriggerData *trigdata)
{
	TupleDesc desc = RelationGetDescr(trigdata->tg_relation);
	int bit = -1;

	while ((bit = bms_next_member(trigdata->tg_updatedcols, bit)) >= 0)
	{
		AttrNumber attnum = bit + FirstLowInvalidHeapAttributeNumber;

		if (attnum > 0 && !goes_with_stock(store, TupleDescAttr(desc, attnum - 1)))
			return true;
	}
	return false;
}

/* Is the stock of the row to be left as it is? */
static bool
is_to_be_kept(InvStore *store, const TriggerData *trigdata)
{
	bool isnull;
	Datum item = slot_getattr(trigdata->tg_trigslot, store->item_id.attnum, &isnull);

	return !isnull && !inv_expected_announced(store, item) &&
		   (store->order_writes == INV_ORDER_WRITES_FOLLOW || names_other_columns(store, trigdata));
}

/* The new version of the row, with the old stock if that is to be left as it is. */
static HeapTuple
keep_stock(InvStore *store, const TriggerData *trigdata)
{
	HeapTuple new = trigdata->tg_newtuple;
	int attnum = store->stock.attnum;
	bool was_null, is_null;
	int64 was = inv_column_number(trigdata->tg_trigslot, &store->stock, 0, &was_null);
	int64 is = inv_column_number(trigdata->tg_newslot, &store->stock, 0, &is_null);
	int64 change;
	Datum stock;

	if ((was == is && was_null == is_null) || !is_to_be_kept(store, trigdata))
		return new;
	if (pg_sub_s64_overflow(is, was, &change))
		change = PG_INT64_MAX;
	inv_stats_add(store->items, INV_STATS_DIRECT_IGNORED, INV_STATS_CALLS, 1);
	inv_stats_add(store->items, INV_STATS_DIRECT_IGNORED, INV_STATS_UNITS, inv_units_moved(change));
	count_kept_row(store->items);
	stock = slot_getattr(trigdata->tg_trigslot, attnum, &was_null);
	return heap_modify_tuple_by_cols(new, RelationGetDescr(trigdata->tg_relation), 1, &attnum,
									 &stock, &was_null);
}

/* Raise unless the trigger is one that attach makes. */
static void
check_fired(const TriggerData *trigdata)
{
	bool row = TRIGGER_FIRED_FOR_ROW(trigdata->tg_event);

	if (!TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) ||
		(row ? !TRIGGER_FIRED_BEFORE(trigdata->tg_event)
			 : !TRIGGER_FIRED_AFTER(trigdata->tg_event)))
		inv_error_value(
			"keep_stock must be fired by UPDATE, BEFORE each row or AFTER the statement", NULL);
}

PG_FUNCTION_INFO_V1(inventory_keep_stock);

/* keep_stock(): trigger on items, before an update of the stock of each row, and after the statement. */
Datum
inventory_keep_stock(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	HeapTuple result;
	InvStore *store;

	if (!CALLED_AS_TRIGGER(fcinfo))
		inv_error_value("keep_stock is a trigger function", NULL);
	check_fired(trigdata);
	result = TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) ? trigdata->tg_newtuple : NULL;
	store = inv_store_by_items(RelationGetRelid(trigdata->tg_relation), NoLock);
	if (store == NULL || store->direct_writes != INV_DIRECT_WRITES_KEEP ||
		SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA)
		return PointerGetDatum(result);
	/* what it calls can replace the store */
	inv_store_use(store);
	if (result)
		result = keep_stock(store, trigdata);
	else
		report_kept_rows(store);
	inv_store_unuse(store);
	return PointerGetDatum(result);
}
