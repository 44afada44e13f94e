/*
 * guard.c
 *		The trigger on items that keeps the ledger complete (invariant 7).
 *
 * Every change of a row fires it: AFTER ROW, without a condition, ENABLE ALWAYS.
 * The engine announces each change of stock before it makes it (expected.c).  What
 * remains of a change after what was announced was made by other code, after keep.c has
 * left out what it can; it is refused or booked.  The counter of a hot item follows each change of its row.
 *
 * Runs in the statement that changed the row, which has the row locked.  Enters the
 * store only where it has something to do; writes movements, but not items.
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "common/int.h"
#include "executor/tuptable.h"
#include "storage/lmgr.h"
#include "utils/rel.h"

#include "base/error.h"
#include "base/stats.h"
#include "base/store_error.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/enter.h"
#include "store/ledger_schema.h"
#include "store/query.h"
#include "store/query_text.h"
#include "store/store.h"
#include "stock/expected.h"
#include "stock/hot_item.h"
#include "stock/hot_mirror.h"
#include "stock/ledger.h"
#include "stock/notify.h"

/* What the guard reads of a row before or after its change; all zero if there is no such row. */
typedef struct RowVersion
{
	bool exists;
	TupleTableSlot *slot;
	Datum item;
	bool tracked; /* the stock is not null */
	int64 stock;
	int64 floor;
	bool limited;
	int64 limit;
} RowVersion;

/* A change of a row. */
typedef struct GuardedChange
{
	RowVersion old;
	RowVersion new;
	InvRowChange row;  /* the same, for the counter of a hot item */
	int announced;	   /* the place of its announcement, or -1 */
	int64 unannounced; /* the part of the change of stock that the engine did not announce */
	bool counted;	   /* in the statistics */
} GuardedChange;

/* A subscriber books nothing: it receives the movements with the changes. */
static bool
is_replica(void)
{
	return SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA;
}

/* ---- reading the change ---- */

static void
read_version(InvStore *store, TupleTableSlot *slot, RowVersion *version)
{
	bool isnull;

	version->exists = true;
	version->slot = slot;
	version->item = slot_getattr(slot, store->item_id.attnum, &isnull);
	if (isnull)
		inv_error_broken_store(store->store_name, store->items,
							   "The key of a row of its items is null.");
	version->stock = inv_column_number(slot, &store->stock, 0, &isnull);
	version->tracked = !isnull;
	version->floor = inv_row_floor(store, slot);
	version->limit = inv_column_number(slot, &store->purchase_limit, 0, &isnull);
	version->limited = !isnull;
}

/* Read both versions of the row.  An update must keep its key. */
static void
read_change(InvStore *store, const TriggerData *trigdata, GuardedChange *change)
{
	memset(change, 0, sizeof(*change));
	if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		read_version(store, trigdata->tg_trigslot, &change->new);
	else
		read_version(store, trigdata->tg_trigslot, &change->old);
	if (!TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
		return;
	read_version(store, trigdata->tg_newslot, &change->new);
	if (inv_item_compare(store, change->old.item, change->new.item) != 0)
		inv_error_direct_write(inv_item_key_facts(store, change->old.item),
							   psprintf("The key of item \"%s\" may not change.",
										inv_item_text(store, change->old.item)),
							   "Insert a row with the new key, and delete the old one.");
}

/* Could the change allow or forbid purchases, other than by stock and floor? */
static bool
limits_may_change(InvStore *store, const RowVersion *old, const RowVersion *new)
{
	if (!old->exists || !new->exists)
		return new->exists;
	/* a condition on what is for sale can depend on any column */
	return store->sellable != NULL || old->limit != new->limit || old->limited != new->limited;
}

/* Fill what the counter of a hot item would have to follow. */
static void
compare_versions(InvStore *store, GuardedChange *change)
{
	const RowVersion *old = &change->old;
	const RowVersion *new = &change->new;
	InvRowChange *row = &change->row;

	row->item = new->exists ? new->item : old->item;
	row->stock = new->stock;
	row->floor = new->floor;
	row->old_floor = old->floor;
	if (pg_sub_s64_overflow(new->stock, old->stock, &row->stock_change))
		inv_error_overflow("stock");
	/* to a counter a row that is inserted had no units, and was tracked */
	row->tracking_changes = (old->tracked || !old->exists) != new->tracked;
	row->limits_may_change = limits_may_change(store, old, new);
}

/*
 * Tell the engine what the row has now, if it announced the change, and subtract what
 * it announced.
 *
 * Of an announced change the counter of a hot item follows only what was not announced,
 * if it has the rest already because it is settled, or will have it because the engine
 * took it: the engine undoes that take when it hears that the item is hot, and takes
 * from the counter.
 */
static void
match_announcement(InvStore *store, GuardedChange *change)
{
	InvRowChange *row = &change->row;
	InvExpected *announced;

	change->announced = inv_expected_match(store, row->item);
	announced = change->announced < 0 ? NULL : inv_expected_at(change->announced);
	change->unannounced = row->stock_change;
	row->replicated = is_replica() && announced == NULL;
	if (announced == NULL)
	{
		row->row = change->new.exists ? change->new.slot : NULL;
		return;
	}
	announced->level.stock = row->stock;
	announced->level.floor = row->floor;
	if (pg_sub_s64_overflow(row->stock_change, announced->delta, &change->unannounced))
		inv_error_overflow("stock");
	row->taken = !announced->settling && announced->delta < 0;
	if (row->taken || announced->settling)
		row->stock_change = change->unannounced;
}

/* ---- acting on it ---- */

/* Is the change to be booked?  Each tracked item has an opening, also one of 0. */
static bool
is_direct_write(const GuardedChange *change)
{
	return !is_replica() &&
		   (change->unannounced != 0 || (!change->old.exists && change->new.tracked));
}

/*
 * Let the counter of the item follow, if the item is hot.  A row that is inserted can be that
 * of a hot item, if a row with its key was deleted where that cannot be refused (replica).
 */
static InvMirrored
mirror_change(InvStore *store, Oid items, GuardedChange *change)
{
	InvCall call;
	InvMirrored mirrored;

	if (inv_hot_known_cold(store, change->row.item) || !inv_store_enter_items(&call, items))
		return INV_MIRRORED_COLD;
	if (is_direct_write(change))
	{
		inv_stats_begin(call.store->items, "direct_write");
		change->counted = true;
	}
	mirrored = inv_hot_mirror(store, &change->row);
	inv_store_leave(&call);
	return mirrored;
}

/* Does the store refuse the change?  What is inserted overwrites nothing. */
static bool
is_refused(const InvStore *store, const GuardedChange *change)
{
	bool changes_tracking = change->new.exists && change->old.tracked != change->new.tracked;

	return store->direct_writes != INV_DIRECT_WRITES_RECORD && change->old.exists &&
		   (change->unannounced != 0 || changes_tracking) && !is_replica();
}

/* What would happen to the stock of an item. */
static char *
describe_change(InvStore *store, const GuardedChange *change)
{
	char *name = inv_item_text(store, change->row.item);

	if (!change->new.exists || change->old.tracked == change->new.tracked)
		return psprintf("The stock of item \"%s\" would change by " INT64_FORMAT
						" outside the engine.",
						name, change->unannounced);
	return psprintf("The stock of item \"%s\" would become %s outside the engine.", name,
					change->new.tracked ? psprintf(INT64_FORMAT, change->new.stock) : "null");
}

/* Refuse what other code than the engine changed, before a counter is asked for it. */
static void
refuse_direct_write(Oid items, const GuardedChange *change)
{
	InvFacts *facts;
	InvCall call;

	if (!inv_store_enter_items(&call, items))
		return;
	inv_stats_begin(call.store->items, "direct_write");
	facts = inv_item_facts(call.store, change->row.item);
	inv_fact_number(facts, "change", change->unannounced);
	inv_error_direct_write(
		facts, describe_change(call.store, change),
		psprintf("Use restock_item, adjust_stock or count_stock of store \"%s\".",
				 call.store->store_name));
}

/* Book what other code than the engine changed; hot: the counter has judged it. */
static void
book_direct_write(Oid items, const GuardedChange *change, bool hot)
{
	Datum item = change->row.item;
	int64 delta = change->unannounced;
	InvStore *store;
	InvBook book;
	InvCall call;

	if (!inv_store_enter_items(&call, items))
		return;
	store = call.store;
	if (!change->counted)
		inv_stats_begin(store->items, "direct_write");
	if (delta < 0 && !hot && store->stock_floor.attnum != InvalidAttrNumber &&
		change->new.tracked && change->new.stock < change->new.floor)
		inv_error_direct_below_floor(store, item, change->new.stock, change->new.floor);
	inv_book_init(&book, 1);
	inv_book_add(&book, item, delta, change->old.exists ? INV_KIND_DIRECT : INV_KIND_OPENING);
	inv_book_write(store, &book);
	inv_stats_add(store->items, "direct_write", INV_STATS_UNITS, delta < 0 ? -delta : delta);
	inv_store_leave(&call);
}

/* Refuse to delete an item that reservations hold. */
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
			inv_item_facts(store, item),
			psprintf("Units of item \"%s\" are held.", inv_item_text(store, item)),
			"Release or confirm its reservations first; expire_reservations() gives back those that "
			"are overdue.");
}

/* A row of items was inserted, updated or deleted. */
static void
guard_row(InvStore *store, const TriggerData *trigdata)
{
	Oid items = RelationGetRelid(trigdata->tg_relation);
	GuardedChange change;
	InvMirrored mirrored;

	/* a row without a key came while the guard was off, and is nothing of the store's */
	if (TRIGGER_FIRED_BY_DELETE(trigdata->tg_event) &&
		slot_attisnull(trigdata->tg_trigslot, store->item_id.attnum))
		return;
	Assert(items == store->items);
	Assert(CheckRelationLockedByMe(trigdata->tg_relation, RowExclusiveLock, true));
	read_change(store, trigdata, &change);
	compare_versions(store, &change);
	match_announcement(store, &change);
	if (is_refused(store, &change))
		refuse_direct_write(items, &change);
	mirrored = mirror_change(store, items, &change);
	if (change.announced >= 0)
		inv_expected_at(change.announced)->level.hot = mirrored == INV_MIRRORED_UNDO;
	if (!is_replica())
	{
		if (!change.new.exists)
			refuse_held(store, items, change.row.item);
		if (is_direct_write(&change))
			book_direct_write(items, &change, mirrored != INV_MIRRORED_COLD);
	}
	if (!change.row.replicated && change.old.tracked && change.new.tracked)
		inv_notify_crossing(store, change.row.item, change.old.stock, change.new.stock,
							change.new.floor);
}

PG_FUNCTION_INFO_V1(inventory_guard);

/* guard(): trigger on items, after each row. */
Datum
inventory_guard(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	InvStore *store;

	if (!CALLED_AS_TRIGGER(fcinfo))
		inv_error_value("guard is a trigger function", NULL);
	/* a BEFORE trigger would book what later ones can still change or prevent */
	if (!TRIGGER_FIRED_AFTER(trigdata->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigdata->tg_event))
		inv_error_value("guard must be fired AFTER each row", NULL);

	store = inv_store_by_items(RelationGetRelid(trigdata->tg_relation), NoLock);
	if (store == NULL)
		return PointerGetDatum(NULL);
	/* what it calls can replace the store */
	inv_store_use(store);
	guard_row(store, trigdata);
	inv_store_unuse(store);
	return PointerGetDatum(NULL);
}
