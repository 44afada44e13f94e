/*
 * orders_guard.c
 *		The trigger on orders that keeps what was sold on a line known (invariant 9).
 *
 * Every row that is written fires it: AFTER ROW, without a condition, ENABLE ALWAYS; only not
 * what the engine inserts without a statement, unless a trigger can change that before.  The
 * lines of its statements are announced (expected_line.c).  What else changes the bound
 * columns was made by other code: it is recorded, or, if the store refuses it and units of the
 * line could still be refunded, it is an error.  The stock does not move.
 *
 * A user or an item that becomes null is recorded and never refused: a customer or a product
 * was deleted.  A line without an item is nothing of the store's.
 *
 * Runs in the statement that changed the row, which has the row and orders locked.  Enters
 * the store only where it has something to do.  A subscriber records nothing: it receives
 * the changes with the rows.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "commands/trigger.h"
#include "executor/tuptable.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "base/error.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/direct_insert.h"
#include "store/enter.h"
#include "store/ledger_schema.h"
#include "store/query.h"
#include "store/query_text.h"
#include "store/store.h"
#include "stock/expected_line.h"
#include "stock/note_line.h"
#include "stock/order_change.h"
#include "stock/order_fact.h"
#include "stock/order_row.h"
#include "stock/orders_guard.h"
#include "stock/sold.h"

/* ---- refusing ---- */

/* What a change does to a line. */
typedef struct LineEffect
{
	const char *what;
	const char *column; /* that changes, or the key */
	char *hint;			/* or null */
} LineEffect;

/* Find what a change does that the store refuses where units are left; false if nothing. */
static bool
find_refused_effect(InvStore *store, const InvOrderRow *old, const InvOrderRow *new,
					LineEffect *effect)
{
	const char *command = NULL;

	effect->column = store->order_id.key;
	if (!new->exists)
	{
		effect->what = "It would be deleted";
		effect->hint = psprintf("Use refund_order of store \"%s\" first.", store->store_name);
		return true;
	}
	if (!new->no_item && !inv_order_row_same_item(store, old, new))
	{
		effect->what = "Its item would change";
		effect->column = store->order_item.key;
		command = "exchange_order";
	}
	else if (!inv_order_row_same_units(old, new))
	{
		effect->what = "Its quantity would change";
		effect->column = store->order_quantity.key;
		command = "change_order";
	}
	else if (!new->user.isnull && !inv_order_row_same_user(store, old, new))
	{
		effect->what = "Its user would change";
		effect->column = store->order_user.key;
	}
	else
		return false;
	effect->hint = command ? psprintf("Use %s of store \"%s\".", command, store->store_name) : NULL;
	return true;
}

/* Is a line that was deleted final?  By the row as it was, and its header as it is. */
static bool
was_final(InvStore *store, const TriggerData *trigdata)
{
	Datum row = inv_order_row_whole(store->orders, trigdata->tg_relation, trigdata->tg_trigtuple);
	bool isnull;

	inv_execute_as_attached(store, INV_STMT_IS_FINAL, &row, NULL, INV_SNAPSHOT_LATEST);
	return DatumGetBool(inv_result(0, 1, &isnull));
}

/* Raise IV013 if the store refuses the change of a line. */
static void
refuse_change(InvStore *store, const InvOrderRow *old, const InvOrderRow *new)
{
	InvFacts *facts = inv_order_facts(store, old->order);
	LineEffect effect;
	int64 left;

	if (new->exists && !inv_order_row_same_key(store, old, new))
		inv_error_direct_write(
			facts, psprintf("The key of order \"%s\" may not change.", facts->name), NULL);
	if (!find_refused_effect(store, old, new, &effect))
		return;
	left = inv_line_left(store, old);
	if (left <= 0)
		return;
	facts->column = effect.column;
	inv_fact_number(facts, "left", left);
	inv_error_direct_write(facts,
						   psprintf("Order \"%s\", units sold and not refunded: " INT64_FORMAT
									". %s outside the engine.",
									facts->name, left, effect.what),
						   effect.hint);
}

/* ---- recording ---- */

/* Record a change of a line that other code made.  Rows that do not exist have no key. */
static void
record_line(InvStore *store, const char *operation, const InvOrderRow *old, const InvOrderRow *new)
{
	const InvOrderRow *keyed = old->exists ? old : new;
	bool has_item = (old->exists && !old->no_item) || (new->exists && !new->no_item);

	if (!keyed->no_order && has_item)
		inv_record_change(store, keyed->order, operation, old, new);
}

/* Judge and record a change that the engine did not make. */
static void
take_change(InvStore *store, const TriggerData *trigdata, const InvOrderRow *old,
			const InvOrderRow *new)
{
	static const InvOrderRow none = { 0 };

	if (store->order_writes == INV_ORDER_WRITES_REFUSE && old->exists && !old->no_order &&
		(new->exists || !store->has_order_units || !was_final(store, trigdata)))
		refuse_change(store, old, new);
	if (!new->exists)
		record_line(store, INV_CHANGE_DELETE, old, new);
	else if (!old->exists)
		record_line(store, INV_CHANGE_INSERT, old, new);
	else if (inv_order_row_same_key(store, old, new))
		record_line(store, INV_CHANGE_UPDATE, old, new);
	else
	{
		/* the units stay with the old key */
		record_line(store, INV_CHANGE_DELETE, old, &none);
		record_line(store, INV_CHANGE_INSERT, &none, new);
	}
}

/* ---- lines that the engine writes ---- */

/* What the engine wrote. */
typedef struct EngineLine
{
	Datum item; /* as items have it */
	int64 quantity;
	InvUser user;
} EngineLine;

/* Did the engine write the new row that the trigger is fired for, and with what? */
static bool
find_engine_line(InvStore *store, const TriggerData *trigdata, EngineLine *line)
{
	HeapTuple row = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) ? trigdata->tg_newtuple
																: trigdata->tg_trigtuple;
	const InvDirectRow *direct = inv_direct_row_at(store, &row->t_self);
	const InvExpectedLine *announced = direct ? NULL : inv_expected_line_match(store, row);

	if (direct)
	{
		line->item = direct->values[INV_ORDER_ITEM];
		line->quantity = DatumGetInt64(direct->values[INV_ORDER_QUANTITY]);
		line->user.value = direct->values[INV_ORDER_USER];
		line->user.isnull = direct->nulls[INV_ORDER_USER];
	}
	else if (announced)
	{
		line->item = announced->item;
		line->quantity = announced->quantity;
		line->user = announced->user;
	}
	return direct || announced;
}

/*
 * If a trigger has changed a line before the engine's row was written, record that.  An
 * UPDATE of the engine changes the quantity alone.
 */
static void
take_engine_line(InvStore *store, const EngineLine *line, const InvOrderRow *old,
				 const InvOrderRow *new)
{
	InvOrderRow given = old->exists ? *old : *new;

	if (store->order_quantity.attnum != InvalidAttrNumber)
	{
		given.units = line->quantity;
		given.no_units = false;
	}
	if (!old->exists)
	{
		given.item = inv_item_for_order(store, line->item);
		given.no_item = false;
		if (store->order_user.attnum != InvalidAttrNumber)
			given.user = line->user;
	}
	if (!inv_order_row_same(store, &given, new))
		record_line(store, INV_CHANGE_UPDATE, &given, new);
}

/* ---- rows that change their partition ---- */

/*
 * Lines that the transaction has moved to another partition: their DELETE has fired the guard,
 * and their INSERT will.
 */
typedef struct MovedLine
{
	uint64 layout; /* of the store */
	InvOrderRow old;
	int nesting;
} MovedLine;

static List *moved_lines = NIL; /* in TopTransactionContext */

/* Is the row of a DELETE in another partition now? */
static bool
has_moved(InvStore *store, const TriggerData *trigdata, const InvOrderRow *old)
{
	return HeapTupleHeaderIndicatesMovedPartitions(trigdata->tg_trigtuple->t_data) &&
		   !old->no_order &&
		   inv_execute(store, INV_STMT_LINE_EXISTS, (Datum *) &old->order, NULL,
					   INV_SNAPSHOT_LATEST) > 0;
}

/* Remember a line until its INSERT. */
static void
remember_moved(InvStore *store, const InvOrderRow *old)
{
	MemoryContext context = MemoryContextSwitchTo(TopTransactionContext);
	MovedLine *moved = palloc(sizeof(MovedLine));

	moved->layout = store->line_layout;
	moved->old = *old;
	inv_order_row_copy(store, &moved->old);
	moved->nesting = GetCurrentTransactionNestLevel();
	moved_lines = lappend(moved_lines, moved);
	MemoryContextSwitchTo(context);
}

/* If the row of an INSERT is that of a moved line, read what the line was, and forget it. */
static void
recall_moved(InvStore *store, const InvOrderRow *new, InvOrderRow *old)
{
	ListCell *cell;

	foreach (cell, moved_lines)
	{
		MovedLine *moved = lfirst(cell);

		if (moved->layout != store->line_layout || !inv_order_row_same_key(store, &moved->old, new))
			continue;
		*old = moved->old;
		moved_lines = foreach_delete_current(moved_lines, cell);
		return;
	}
}

static void
guard_at_subxact_end(SubXactEvent event, SubTransactionId self pg_attribute_unused(),
					 SubTransactionId parent pg_attribute_unused(), void *arg pg_attribute_unused())
{
	ListCell *cell;

	if (event != SUBXACT_EVENT_ABORT_SUB)
		return;
	foreach (cell, moved_lines)
		if (((MovedLine *) lfirst(cell))->nesting >= GetCurrentTransactionNestLevel())
			moved_lines = foreach_delete_current(moved_lines, cell);
}

static void
guard_at_xact_end(XactEvent event, void *arg pg_attribute_unused())
{
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
		moved_lines = NIL;
}

void
inv_orders_guard_init(void)
{
	RegisterXactCallback(guard_at_xact_end, NULL);
	RegisterSubXactCallback(guard_at_subxact_end, NULL);
}

/* ---- the trigger ---- */

/* A row of orders was inserted, updated or deleted. */
static void
guard_line(InvStore *store, const TriggerData *trigdata)
{
	EngineLine line;
	bool is_engine_line;
	InvOrderRow old = { 0 };
	InvOrderRow new = { 0 };
	InvCall call;

	if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		inv_order_row_read(store, trigdata->tg_relation, trigdata->tg_trigslot, &new);
	else
		inv_order_row_read(store, trigdata->tg_relation, trigdata->tg_trigslot, &old);
	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
		inv_order_row_read(store, trigdata->tg_relation, trigdata->tg_newslot, &new);
	if (inv_follows_orders(store))
	{
		/* what the engine writes it compares when it has booked it */
		if (!new.exists || !find_engine_line(store, trigdata, &line))
			inv_note_line(store, trigdata, &old, &new);
		return;
	}
	if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		recall_moved(store, &new, &old);
	is_engine_line = new.exists &&find_engine_line(store, trigdata, &line);
	if (!is_engine_line && old.exists && new.exists &&inv_order_row_same_key(store, &old, &new) &&
		inv_order_row_same(store, &old, &new))
		return;
	if (!inv_store_enter_items(&call, store->items))
		return;
	if (is_engine_line)
		take_engine_line(call.store, &line, &old, &new);
	else if (!new.exists && has_moved(call.store, trigdata, &old))
		remember_moved(call.store, &old);
	else
		take_change(call.store, trigdata, &old, &new);
	inv_store_leave(&call);
}

PG_FUNCTION_INFO_V1(inventory_guard_orders);

/* guard_orders(store_name): trigger on orders, after each row. */
Datum
inventory_guard_orders(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	InvStore *store;

	if (!CALLED_AS_TRIGGER(fcinfo))
		inv_error_value("guard_orders is a trigger function", NULL);
	/* a BEFORE trigger would record what later ones can still change or prevent */
	if (!TRIGGER_FIRED_AFTER(trigdata->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) ||
		trigdata->tg_trigger->tgnargs != 1)
		inv_error_value("guard_orders must be fired AFTER each row, with the name of a store",
						NULL);
	if (SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA)
		return PointerGetDatum(NULL);
	store = inv_store_by_orders(trigdata->tg_relation, trigdata->tg_trigger->tgargs[0]);
	if (store == NULL)
		return PointerGetDatum(NULL);
	/* what it calls can replace the store */
	inv_store_use(store);
	guard_line(store, trigdata);
	inv_store_unuse(store);
	return PointerGetDatum(NULL);
}
