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
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/tuptable.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/rel.h"

#include "base/datum.h"
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
#include "stock/orders_guard.h"
#include "stock/order_change.h"
#include "stock/sold.h"

/* ---- rows ---- */

/* The column of a row; "rel" is orders or a partition, whose columns can have other numbers. */
static Datum
row_value(InvStore *store, Relation rel, TupleTableSlot *slot, const InvColumn *column,
		  bool *isnull)
{
	AttrNumber attnum = column->attnum;

	*isnull = true;
	if (attnum == InvalidAttrNumber)
		return (Datum) 0;
	if (RelationGetRelid(rel) != store->orders)
		attnum = get_attnum(RelationGetRelid(rel), column->key);
	return attnum == InvalidAttrNumber ? (Datum) 0 : slot_getattr(slot, attnum, isnull);
}

/* The whole units of a numeric, as far as a bigint goes; 0 for NaN. */
static int64
numeric_units(Numeric quantity)
{
	Datum whole;

	if (numeric_is_nan(quantity))
		return 0;
	whole = DirectFunctionCall2(numeric_trunc, NumericGetDatum(quantity), Int32GetDatum(0));
	if (DatumGetBool(DirectFunctionCall2(numeric_gt, whole,
										 NumericGetDatum(int64_to_numeric(PG_INT64_MAX)))))
		return PG_INT64_MAX;
	if (DatumGetBool(DirectFunctionCall2(numeric_lt, whole,
										 NumericGetDatum(int64_to_numeric(-PG_INT64_MAX)))))
		return -PG_INT64_MAX;
	return DatumGetInt64(DirectFunctionCall1(numeric_int8, whole));
}

static void
read_units(InvStore *store, Datum quantity, InvOrderRow *row)
{
	const InvColumn *column = &store->order_quantity;

	if (column->attnum == InvalidAttrNumber)
	{
		row->units = 1;
		row->no_units = false;
	}
	else if (!row->no_units)
		row->units = column->base == INT2OID   ? DatumGetInt16(quantity)
					 : column->base == INT4OID ? DatumGetInt32(quantity)
					 : column->base == INT8OID ? DatumGetInt64(quantity)
											   : numeric_units(DatumGetNumeric(quantity));
}

static void
read_row(InvStore *store, Relation rel, TupleTableSlot *slot, InvOrderRow *row)
{
	Datum quantity;

	row->exists = true;
	row->order = row_value(store, rel, slot, &store->order_id, &row->no_order);
	row->item = row_value(store, rel, slot, &store->order_item, &row->no_item);
	quantity = row_value(store, rel, slot, &store->order_quantity, &row->no_units);
	read_units(store, quantity, row);
	row->user.value = row_value(store, rel, slot, &store->order_user, &row->user.isnull);
}

/* Copy what a row points to into the current memory context. */
static void
copy_row(InvStore *store, InvOrderRow *row)
{
	struct
	{
		Datum *value;
		bool isnull;
		Oid type;
	} values[] = { { &row->order, row->no_order, store->order_type },
				   { &row->item, row->no_item, store->order_item.base },
				   { &row->user.value, row->user.isnull, store->user_type } };

	for (size_t i = 0; i < lengthof(values); i++)
	{
		int16 length;
		bool byval;

		get_typlenbyval(values[i].type, &length, &byval);
		if (!values[i].isnull)
			*values[i].value = datumCopy(*values[i].value, byval, length);
	}
}

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
	if (!new->no_item && !inv_same_order_item(store, old, new))
	{
		effect->what = "Its item would change";
		effect->column = store->order_item.key;
		command = "exchange_order";
	}
	else if (!inv_same_order_units(old, new))
	{
		effect->what = "Its quantity would change";
		effect->column = store->order_quantity.key;
		command = "change_order";
	}
	else if (!new->user.isnull && !inv_same_order_user(store, old, new))
	{
		effect->what = "Its user would change";
		effect->column = store->order_user.key;
	}
	else
		return false;
	effect->hint = command ? psprintf("Use %s of store \"%s\".", command, store->store_name) : NULL;
	return true;
}

/* Raise IV013 if the store refuses the change of a line. */
static void
refuse_change(InvStore *store, const InvOrderRow *old, const InvOrderRow *new)
{
	InvFacts *facts = inv_order_facts(store, old->order);
	LineEffect effect;
	int64 left;

	if (new->exists && !inv_same_order_key(store, old, new))
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
take_change(InvStore *store, const InvOrderRow *old, const InvOrderRow *new)
{
	static const InvOrderRow none = { 0 };

	if (store->order_writes == INV_ORDER_WRITES_REFUSE && old->exists && !old->no_order)
		refuse_change(store, old, new);
	if (!new->exists)
		record_line(store, INV_CHANGE_DELETE, old, new);
	else if (!old->exists)
		record_line(store, INV_CHANGE_INSERT, old, new);
	else if (inv_same_order_key(store, old, new))
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
	if (!inv_same_line(store, &given, new))
		record_line(store, INV_CHANGE_UPDATE, &given, new);
}

/* ---- rows that change their partition ---- */

/*
 * Lines that the transaction has moved to another partition: their DELETE has fired the guard,
 * and their INSERT will.
 */
typedef struct MovedLine
{
	Oid items; /* of the store */
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

	moved->items = store->items;
	moved->old = *old;
	copy_row(store, &moved->old);
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

		if (moved->items != store->items || !inv_same_order_key(store, &moved->old, new))
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
		read_row(store, trigdata->tg_relation, trigdata->tg_trigslot, &new);
	else
		read_row(store, trigdata->tg_relation, trigdata->tg_trigslot, &old);
	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
		read_row(store, trigdata->tg_relation, trigdata->tg_newslot, &new);
	if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		recall_moved(store, &new, &old);
	is_engine_line = new.exists &&find_engine_line(store, trigdata, &line);
	if (!is_engine_line && old.exists && new.exists &&inv_same_order_key(store, &old, &new) &&
		inv_same_line(store, &old, &new))
		return;
	if (!inv_store_enter_items(&call, store->items))
		return;
	if (is_engine_line)
		take_engine_line(call.store, &line, &old, &new);
	else if (!new.exists && has_moved(call.store, trigdata, &old))
		remember_moved(call.store, &old);
	else
		take_change(call.store, &old, &new);
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
