/*
 * direct_take.c
 *		Units taken from the row of a cold item, or given to it, without a statement.
 *
 * The row is found by its unique index and updated (direct_update.c), with all that the
 * UPDATE of query_text.c would do where take_plan.c allows it: the same condition, and the
 * part of the guard that an announced change needs.  What the row or its stock column
 * cannot take is left to the statement, which raises its error.
 *
 * Expects the store to be entered.  Locks the item's row.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_type.h"
#include "common/int.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/compat.h"
#include "base/error.h"
#include "base/guc.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/direct_update.h"
#include "store/index_lookup.h"
#include "store/query.h"
#include "stock/direct_take.h"
#include "stock/hot_item.h"
#include "stock/hot_mirror.h"
#include "stock/notify.h"
#include "stock/quantity.h"
#include "stock/take_plan.h"

/* A row whose stock is being changed. */
typedef struct DirectChange
{
	InvStore *store;
	InvDirectTakePlan *plan;
	Datum item;
	int64 delta;
	const InvTake *take; /* null: units are given */
	InvTakeCondition condition;
	InvRowUpdate row;
	TupleTableSlot *seen; /* for a row that is where it was seen last, or null */
	int64 old_stock;
	int64 new_stock;
	int64 floor;
} DirectChange;

/* ---- the row ---- */

/* Does the row satisfy what a take asks for, beside having enough? */
static bool
satisfies_take(DirectChange *change)
{
	InvStore *store = change->store;
	TupleTableSlot *row = change->row.old;

	/* without a version column the stock stands for it */
	if (change->condition == INV_TAKE_IF_VERSION &&
		inv_column_number(row, &store->version, store->version.attnum ? 0 : change->old_stock,
						  NULL) != change->take->version)
		return false;
	return change->condition == INV_TAKE_IF_ENOUGH || inv_row_is_sellable(change->plan, row);
}

/* Is the row that of the item, and does it satisfy what the WHERE of the statement asks for? */
static bool
satisfies_condition(DirectChange *change)
{
	InvStore *store = change->store;
	TupleTableSlot *row = change->row.old;
	bool isnull;
	Datum item = slot_getattr(row, store->item_id.attnum, &isnull);

	/* a version that another transaction wrote can have another key */
	if (isnull || inv_item_compare(store, item, change->item) != 0)
		return false;
	change->old_stock = inv_column_number(row, &store->stock, 0, &isnull);
	change->floor = inv_row_floor(store, row);
	if (isnull || pg_add_s64_overflow(change->old_stock, change->delta, &change->new_stock))
		return false;
	if (change->take == NULL)
		return change->new_stock <= inv_max_units(store);
	return change->new_stock >= change->floor && satisfies_take(change);
}

/* Set a column of the new version; raises if its domain refuses the number. */
static void
set_number(DirectChange *change, const InvColumn *column, int64 number)
{
	Datum value = column->base == INT2OID	? Int16GetDatum((int16) number)
				  : column->base == INT4OID ? Int32GetDatum((int32) number)
											: Int64GetDatum(number);
	void *checks = NULL;

	if (change->plan->has_domains && column->type != column->base)
		domain_check(value, false, column->type, &checks, CurrentMemoryContext);
	inv_set_new_value(&change->row, column->attnum, value, false);
}

/* The version after this one, which starts again at 0 instead of overflowing. */
static int64
next_version(const DirectChange *change)
{
	const InvColumn *column = &change->store->version;
	int64 most = column->base == INT2OID   ? PG_INT16_MAX
				 : column->base == INT4OID ? PG_INT32_MAX
										   : PG_INT64_MAX;
	bool isnull;
	int64 version = inv_column_number(change->row.old, column, 0, &isnull);

	return !isnull && version < most ? version + 1 : 0;
}

/* Update the row that was found, or its last version. */
static InvDirectOutcome
update_version(DirectChange *change)
{
	InvUpdateOutcome outcome;

	do
	{
		if (!satisfies_condition(change))
			return INV_DIRECT_NO_ROW;
		inv_begin_new_version(&change->row);
		set_number(change, &change->store->stock, change->new_stock);
		if (change->store->version.attnum != InvalidAttrNumber)
			set_number(change, &change->store->version, next_version(change));
		outcome = inv_update_row(&change->row);
	} while (outcome == INV_UPDATE_CHANGED);
	return outcome == INV_UPDATE_DONE	? INV_DIRECT_TAKEN
		   : outcome == INV_UPDATE_GONE ? INV_DIRECT_NO_ROW
										: INV_DIRECT_NOT_POSSIBLE;
}

/*
 * Update the row of a cart, which is locked, where it was seen last.  False if the snapshot does
 * not see it there: something of the shop's has written it since.
 */
static bool
update_seen(DirectChange *change, InvDirectOutcome *outcome)
{
	ItemPointerData tid = change->take->row_tid;

	if (change->seen == NULL)
		change->seen = table_slot_create(change->row.table, NULL);
	change->row.old = change->seen;
	if (!table_tuple_fetch_row_version(change->row.table, &tid, GetActiveSnapshot(), change->seen))
		return false;
	*outcome = update_version(change);
	return true;
}

static InvDirectOutcome
find_and_update(DirectChange *change)
{
	InvDirectTakePlan *plan = change->plan;
	InvDirectOutcome outcome = INV_DIRECT_NO_ROW;
	ScanKeyData key;
	InvLookup lookup;

	if (change->take && ItemPointerIsValid(&change->take->row_tid) &&
		update_seen(change, &outcome) && outcome != INV_DIRECT_NO_ROW)
		return outcome;
	inv_init_item_key(change->store, &plan->same_item, change->item, &key);
	inv_begin_lookup(&lookup, change->row.table, plan->item_index, GetActiveSnapshot(), &key, 1);
	if (inv_next_lookup_row(&lookup))
	{
		change->row.old = lookup.slot;
		outcome = update_version(change);
	}
	inv_end_lookup(&lookup);
	return outcome;
}

/* ---- the guard's part ---- */

/* The row is written: let the counter follow if the item is hot, and notify, as the guard does. */
static void
follow_change(const DirectChange *change, InvRowLevel *level)
{
	InvStore *store = change->store;
	InvRowChange row = { .item = change->item,
						 .stock = change->new_stock,
						 .floor = change->floor,
						 .old_floor = change->floor,
						 .stock_change = change->take ? 0 : change->delta,
						 .taken = change->take != NULL,
						 .limits_may_change = store->sellable != NULL };

	level->stock = row.stock;
	level->floor = row.floor;
	level->hot =
		!inv_hot_known_cold(store, row.item) && inv_hot_mirror(store, &row) == INV_MIRRORED_UNDO;
	inv_notify_crossing(store, row.item, change->old_stock, row.stock, row.floor);
}

/* ---- for row_take.c and give.c ---- */

/* Begin to change rows; false if that needs a statement. */
static bool
begin_changes(DirectChange *change, InvSnapshotMode mode)
{
	Relation items;

	if (!inv_may_access_directly())
		return false;
	items = table_open(change->store->items, NoLock);
	change->plan = inv_take_plan(change->store, items);
	if (change->plan->usable &&
		inv_begin_row_update(&change->row, change->store, &change->plan->update, items, mode))
		return true;
	table_close(items, NoLock);
	return false;
}

static void
end_changes(DirectChange *change)
{
	if (change->seen)
		ExecDropSingleTupleTableSlot(change->seen);
	inv_end_row_update(&change->row);
	table_close(change->row.table, NoLock);
}

static InvDirectOutcome
change_row_stock(DirectChange *change, InvSnapshotMode mode, InvRowLevel *level)
{
	InvDirectOutcome outcome;

	if (!begin_changes(change, mode))
		return INV_DIRECT_NOT_POSSIBLE;
	outcome = find_and_update(change);
	end_changes(change);
	if (outcome == INV_DIRECT_TAKEN)
		follow_change(change, level);
	return outcome;
}

/*
 * Take a quantity from the item's row, if there is enough and the condition holds.
 * Raises what the UPDATE would raise.
 */
InvDirectOutcome
inv_direct_take(InvStore *store, const InvTake *take, InvTakeCondition condition,
				InvRowLevel *level)
{
	DirectChange change = { .store = store,
							.item = take->item,
							.delta = -take->quantity,
							.take = take,
							.condition = condition };

	Assert(take->quantity > 0);
	return change_row_stock(&change, INV_SNAPSHOT_TRANSACTION, level);
}

/* Raise because the row of an item is not as it was locked, which cannot happen. */
INV_NORETURN static void
error_row_changed(InvStore *store, const InvTake *take)
{
	inv_error_busy(inv_item_facts(store, take->item), "its row has changed");
}

/*
 * Take the cold items of a cart from their rows, which this transaction has locked and found
 * sufficient.  False if one needs a statement, as those after it then do: row_written says which
 * are taken.
 */
bool
inv_direct_take_locked(InvStore *store, InvTake *takes, int count)
{
	DirectChange change = { .store = store, .condition = INV_TAKE_IF_ENOUGH };
	DirectChange *changes = palloc(sizeof(DirectChange) * count);
	InvDirectOutcome outcome = INV_DIRECT_TAKEN;
	int taken = 0;

	if (!begin_changes(&change, INV_SNAPSHOT_TRANSACTION))
		return false;
	for (int i = 0; outcome == INV_DIRECT_TAKEN && i < count; i++)
	{
		Assert(takes[i].status == INV_STATUS_OK && !takes[i].row_written);
		if (!takes[i].tracked || takes[i].hot)
			continue;
		change.item = takes[i].item;
		change.delta = -takes[i].quantity;
		change.take = &takes[i];
		outcome = find_and_update(&change);
		if (outcome == INV_DIRECT_NO_ROW)
			error_row_changed(store, &takes[i]);
		takes[i].row_written = outcome == INV_DIRECT_TAKEN;
		if (takes[i].row_written)
			changes[taken++] = change;
	}
	end_changes(&change);
	for (int i = 0, next = 0; next < taken; i++)
	{
		InvRowLevel level;

		if (!takes[i].row_written)
			continue;
		follow_change(&changes[next++], &level);
		if (level.hot)
			error_row_changed(store, &takes[i]);
		takes[i].stock = level.stock;
		takes[i].floor = level.floor;
	}
	return outcome == INV_DIRECT_TAKEN;
}

/*
 * Give a quantity to the item's row, whose stock has it then.  False, with nothing done, if
 * that needs a statement.
 */
bool
inv_direct_give(InvStore *store, InvGive *give)
{
	DirectChange change = { .store = store, .item = give->item, .delta = give->quantity };
	InvRowLevel level;

	Assert(give->quantity > 0 && !give->hot);
	give->tracked = change_row_stock(&change, INV_SNAPSHOT_LATEST, &level) == INV_DIRECT_TAKEN;
	return give->tracked;
}
