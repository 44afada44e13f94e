/*
 * guard.c
 *		The trigger on items that makes the ledger complete.
 *
 * Whatever changes stock fires it: AFTER ROW, without a condition, ENABLE
 * ALWAYS.  The engine announces each change before it makes it, by relation, key
 * and delta; what is left of a change after subtracting what was announced came
 * from somebody else and is booked as that.  An announcement that is still there
 * after the statement means that the guard did not run: an error, because then
 * the ledger would be wrong.
 *
 * Expects the row lock of the statement that fired it.
 */
#include "postgres.h"

#include "access/xact.h"
#include "commands/trigger.h"
#include "common/int.h"
#include "executor/tuptable.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "base/error.h"
#include "base/stats.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/enter.h"
#include "store/query.h"
#include "store/query_text.h"
#include "store/store.h"
#include "stock/expected.h"
#include "stock/hot_item.h"
#include "stock/hot_mirror.h"
#include "stock/ledger.h"
#include "stock/notify.h"

static Datum
row_key(InvStore *store, TupleTableSlot *slot)
{
	bool isnull;

	return slot_getattr(slot, store->item_id.attnum, &isnull);
}

/* What a subscriber applies has its movements applied beside it. */
static bool
is_replica(void)
{
	return SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA;
}

/* What became of a row. */
typedef struct GuardChange
{
	InvRowChange row;
	bool inserted;
	bool untracked; /* it has no number now */
	int64 foreign;	/* the part that the engine did not announce */
} GuardChange;

/* The counter of a hot item follows its row. */
static InvMirrored
mirror_change(InvStore *store, Oid items, const GuardChange *change)
{
	InvCall call;
	InvMirrored mirrored;

	if (change->inserted || inv_hot_known_cold(store, change->row.item) ||
		!inv_store_enter_items(&call, items))
		return INV_MIRRORED_COLD;
	mirrored = inv_hot_mirror(store, &change->row);
	inv_store_leave(&call);
	return mirrored;
}

/* Refuse or book what somebody else changed. */
static void
book_foreign_change(InvStore *store, Oid items, const GuardChange *change, bool hot)
{
	Datum item = change->row.item;
	int64 delta = change->foreign;
	InvBook book;
	InvCall call;

	if (!inv_store_enter_items(&call, items))
		return;
	inv_stats_begin(store->items, "direct_write");
	if (store->refuse_direct && delta != 0)
		inv_error_direct_write(
			psprintf("Stock of item \"%s\" was to change by " INT64_FORMAT " outside the engine.",
					 inv_item_text(store, item), delta),
			psprintf("Use restock_item, adjust_stock or count_stock of store \"%s\".",
					 store->store_name));
	/* of a hot item the counter knows more than the row */
	if (delta < 0 && !hot && !change->untracked && change->row.stock < change->row.floor)
		inv_error_out_of_stock(psprintf("Item \"%s\": a direct write would leave " INT64_FORMAT
										", its floor is " INT64_FORMAT ".",
										inv_item_text(store, item), change->row.stock,
										change->row.floor));
	inv_book_init(&book, 1);
	inv_book_add(&book, item, delta, change->inserted ? "opening" : "direct");
	inv_book_write(call.store, &book);
	inv_stats_count(INV_STATS_UNITS, delta < 0 ? -delta : delta);
	inv_store_leave(&call);
}

/* An item that is held must not vanish under its reservations. */
static void
refuse_held(InvStore *store, Oid items, Datum item)
{
	InvCall call;
	bool held;

	if (!inv_store_enter_items(&call, items))
		return;
	held = inv_execute(call.store, INV_STMT_HELD_OF_ITEM, &item, NULL, INV_SNAPSHOT_LATEST) > 0;
	inv_store_leave(&call);
	if (held)
		inv_error_direct_write(
			psprintf("Units of item \"%s\" are held.", inv_item_text(store, item)),
			"Release or confirm its reservations first; expire_reservations() gives back those that "
			"are overdue.");
}

/* The floor of a row, and what limits its sale otherwise: did it change? */
static bool
limits_changed(InvStore *store, TupleTableSlot *old, TupleTableSlot *new)
{
	bool old_none, new_none;
	int64 before = inv_column_number(old, &store->purchase_limit, 0, &old_none);
	int64 after = inv_column_number(new, &store->purchase_limit, 0, &new_none);

	/* what is for sale depends on any column */
	return store->sellable != NULL || before != after || old_none != new_none;
}

/* The key of an item stays what it is. */
static void
check_key(InvStore *store, TupleTableSlot *old, TupleTableSlot *new)
{
	if (inv_item_compare(store, row_key(store, old), row_key(store, new)) != 0)
		inv_error_direct_write(psprintf("The key of item \"%s\" may not change.",
										inv_item_text(store, row_key(store, old))),
							   "Insert a row with the new key, and delete the old one.");
}

/* Subtract what the engine announced for this row, and tell it what the row has now. */
static InvExpected *
answer_expected(InvStore *store, GuardChange *change)
{
	InvExpected *announced = inv_expected_take(store, change->row.item);

	if (announced)
	{
		announced->level.stock = change->row.stock;
		announced->level.floor = change->row.floor;
	}
	if (pg_sub_s64_overflow(change->row.stock_change, announced ? announced->delta : 0,
							&change->foreign))
		inv_error_overflow("stock");
	return announced;
}

static void
row_changed(InvStore *store, TriggerData *trigdata)
{
	TriggerEvent event = trigdata->tg_event;
	Oid items = RelationGetRelid(trigdata->tg_relation);
	bool inserted = TRIGGER_FIRED_BY_INSERT(event);
	bool deleted = TRIGGER_FIRED_BY_DELETE(event);
	TupleTableSlot *old = inserted ? NULL : trigdata->tg_trigslot;
	TupleTableSlot *new = deleted ? NULL : inserted ? trigdata->tg_trigslot : trigdata->tg_newslot;
	bool old_null = true;
	bool new_null = true;
	int64 before = old ? inv_column_number(old, &store->stock, 0, &old_null) : 0;
	int64 old_floor = old ? inv_column_number(old, &store->stock_floor, 0, NULL) : 0;
	GuardChange change = { .inserted = inserted };
	InvExpected *announced;
	InvMirrored mirrored;

	if (old != NULL && new != NULL)
		check_key(store, old, new);
	change.row.item = row_key(store, new ? new : old);
	change.row.stock = new ? inv_column_number(new, &store->stock, 0, &new_null) : 0;
	change.row.floor = new ? inv_column_number(new, &store->stock_floor, 0, NULL) : 0;
	change.row.vanishes = old_null != new_null;
	change.untracked = new_null;
	change.row.limits = old && new &&limits_changed(store, old, new);
	if (pg_sub_s64_overflow(change.row.stock, before, &change.row.stock_change) ||
		pg_sub_s64_overflow(change.row.floor, old_floor, &change.row.floor_change))
		inv_error_overflow("stock");
	announced = answer_expected(store, &change);
	change.row.decided = is_replica() && announced == NULL;

	/*
	 * What is settled is in the counter, and what the engine took it takes from there,
	 * once it knows; but a trigger may have changed more than that.
	 */
	change.row.taken = announced && !announced->settling && announced->delta < 0;
	if (change.row.taken || (announced && announced->settling))
		change.row.stock_change = change.foreign;
	mirrored = mirror_change(store, items, &change);
	if (announced)
		announced->level.hot = mirrored == INV_MIRRORED_UNDO;
	if (!is_replica())
	{
		if (deleted)
			refuse_held(store, items, change.row.item);
		/* every tracked item has its opening, also with nothing on the shelf */
		if (change.foreign != 0 || (inserted && !new_null))
			book_foreign_change(store, items, &change, mirrored != INV_MIRRORED_COLD);
	}
	if ((announced || !is_replica()) && !old_null && !new_null)
		inv_notify_crossing(store, change.row.item, before, change.row.stock, change.row.floor);
}

PG_FUNCTION_INFO_V1(inventory_guard);

/* Trigger on items: after each row, and before a TRUNCATE. */
Datum
inventory_guard(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	InvStore *store;

	if (!CALLED_AS_TRIGGER(fcinfo))
		inv_error_value("guard is a trigger function", NULL);
	/* before the row is written it would book what may not happen */
	if (!TRIGGER_FIRED_BY_TRUNCATE(trigdata->tg_event) &&
		!(TRIGGER_FIRED_AFTER(trigdata->tg_event) && TRIGGER_FIRED_FOR_ROW(trigdata->tg_event)))
		inv_error_value("guard must be fired AFTER each row", NULL);

	store = inv_store_by_items(RelationGetRelid(trigdata->tg_relation), NoLock);
	if (store == NULL)
		return PointerGetDatum(NULL);
	if (!TRIGGER_FIRED_BY_TRUNCATE(trigdata->tg_event))
		row_changed(store, trigdata);
	else if (!is_replica())
		inv_error_direct_write("TRUNCATE would lose the stock of every item.",
							   "DELETE the rows, or detach the store first.");
	return PointerGetDatum(NULL);
}
