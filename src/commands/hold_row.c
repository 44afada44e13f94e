/*
 * hold_row.c
 *		The rows of a reservation: read, locked, confirmed and released.
 *
 * A row is found by its key and updated without a statement where the table allows it; else,
 * and where another transaction has changed a row that was found, statements do it.
 *
 * Expects the store to be entered.  The rows of a reservation are locked after its name and
 * before limits and stock rows.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/guc.h"
#include "store/binding.h"
#include "store/direct_update.h"
#include "store/enter.h"
#include "store/key_lookup.h"
#include "store/ledger_schema.h"
#include "store/query.h"
#include "store/query_text.h"
#include "store/table_check.h"
#include "store/update_plan.h"
#include "commands/cart.h"
#include "commands/hold_row.h"

/* How to update the rows; kept as long as the binding is valid. */
struct InvHoldPlan
{
	bool usable;
	AttrNumber status;
	AttrNumber order;
	InvUpdatePlan update;
};

const char *const inv_hold_state_names[] = {
	[INV_HOLD_HELD] = INV_RESERVATION_HELD,
	[INV_HOLD_CONFIRMED] = INV_RESERVATION_CONFIRMED,
	[INV_HOLD_RELEASED] = INV_RESERVATION_RELEASED,
	[INV_HOLD_EXPIRED] = INV_RESERVATION_EXPIRED,
};

static InvHoldState
state_of_name(const char *name)
{
	for (int state = INV_HOLD_HELD; state < INV_HOLD_EXPIRED; state++)
		if (strcmp(inv_hold_state_names[state], name) == 0)
			return state;
	return INV_HOLD_EXPIRED;
}

/* ---- reading ---- */

/* Add a line, and what its row says of the reservation. */
static void
add_line(InvHold *hold, const Datum *values, const bool *nulls, ItemPointer tid)
{
	InvHoldLine *line;
	bool held;

	hold->lines = hold->count == 0 ? palloc(sizeof(InvHoldLine))
								   : repalloc(hold->lines, sizeof(InvHoldLine) * (hold->count + 1));
	line = &hold->lines[hold->count++];
	line->item = values[INV_HOLD_READ_ITEM];
	line->quantity = DatumGetInt64(values[INV_HOLD_READ_QUANTITY]);
	line->state = state_of_name(TextDatumGetCString(values[INV_HOLD_READ_STATUS]));
	line->order = values[INV_HOLD_READ_ORDER];
	line->no_order = nulls[INV_HOLD_READ_ORDER];
	line->tracked = DatumGetBool(values[INV_HOLD_READ_TRACKED]);
	line->tid = *tid;
	held = line->state == INV_HOLD_HELD;
	if (hold->count == 1)
	{
		hold->user.value = values[INV_HOLD_READ_USER];
		hold->user.isnull = nulls[INV_HOLD_READ_USER];
		hold->created_at = DatumGetTimestampTz(values[INV_HOLD_READ_CREATED_AT]);
	}
	if (hold->count == 1 || held)
		hold->expires_at = DatumGetTimestampTz(values[INV_HOLD_READ_EXPIRES_AT]);
}

/* Read the lines of a reservation, in key order, by a statement. */
void
inv_hold_read_rows(InvStore *store, InvHold *hold, InvSnapshotMode mode)
{
	uint64 rows = inv_execute(store, INV_STMT_READ_HOLD, &hold->id, NULL, mode);
	ItemPointerData unknown;

	ItemPointerSetInvalid(&unknown);
	hold->count = 0;
	for (uint64 row = 0; row < rows; row++)
	{
		Datum values[INV_KEY_READ_COLUMNS];
		bool nulls[INV_KEY_READ_COLUMNS];

		for (int i = 0; i < INV_KEY_READ_COLUMNS; i++)
			values[i] = inv_result(row, i + 1, &nulls[i]);
		add_line(hold, values, nulls, &unknown);
	}
}

/* Lock the rows, and read each as it is then; false if that needs statements. */
static bool
lock_directly(InvStore *store, InvHold *hold)
{
	const bool not_null = false;
	InvKeyLookup lookup;
	bool known = true;

	hold->count = 0;
	if (!inv_begin_key_lookup(&lookup, store, INV_KEY_HOLD, &hold->id, &not_null, 1))
		return false;
	while (known && inv_next_key_row(&lookup))
	{
		Datum values[INV_KEY_READ_COLUMNS];
		bool nulls[INV_KEY_READ_COLUMNS];

		known = inv_lock_key_row(&lookup) && inv_read_key_row(&lookup, values, nulls);
		if (known)
			add_line(hold, values, nulls, &lookup.rows.slot->tts_tid);
	}
	inv_end_key_lookup(&lookup);
	return known;
}

/* Lock the rows of a reservation, whose name is locked, and read them as they are then. */
void
inv_hold_lock_rows(InvStore *store, InvHold *hold)
{
	if (lock_directly(store, hold))
		return;
	inv_execute(store, INV_STMT_LOCK_HOLD, &hold->id, NULL, INV_SNAPSHOT_LATEST);
	inv_hold_read_rows(store, hold, INV_SNAPSHOT_LATEST);
}

/* ---- writing ---- */

uint64
inv_hold_count_held(const InvHold *hold)
{
	uint64 held = 0;

	for (int i = 0; i < hold->count; i++)
		held += hold->lines[i].state == INV_HOLD_HELD;
	return held;
}

static InvHoldPlan *
make_hold_plan(InvStore *store, Relation table)
{
	InvHoldPlan *plan = palloc0(sizeof(InvHoldPlan));
	TupleDesc desc = RelationGetDescr(table);

	plan->status = get_attnum(RelationGetRelid(table), "status");
	plan->order = get_attnum(RelationGetRelid(table), "order_id");
	plan->usable = plan->status != InvalidAttrNumber && plan->order != InvalidAttrNumber &&
				   inv_add_written_column(&plan->update, desc, plan->status, TEXTOID) &&
				   inv_add_written_column(&plan->update, desc, plan->order, store->order_type) &&
				   !table->rd_rel->relhassubclass && inv_owner_may_name(store, table) &&
				   !inv_update_needs_statement(&plan->update, store, table, NULL);
	return plan;
}

/* The plan for an open table; not kept if that may have changed since the store was entered. */
static InvHoldPlan *
hold_plan_for(InvStore *store, Relation table)
{
	MemoryContext old;

	if (store->valid && store->hold_plan)
		return store->hold_plan;
	/* to simplify an expression can run functions of the shop */
	inv_pin_path(store);
	if (!store->valid)
		return make_hold_plan(store, table);
	old = MemoryContextSwitchTo(store->context);
	store->hold_plan = make_hold_plan(store, table);
	MemoryContextSwitchTo(old);
	return store->hold_plan;
}

/*
 * Update the row of a line.  This transaction has it locked: if it is seen where it was found, it
 * is as it was read.  False if a trigger of the shop has written it since, or if the update needs
 * a statement.
 */
static bool
mark_line(InvRowUpdate *update, const InvHoldPlan *plan, const InvHoldLine *line, Datum status,
		  const InvLine *sold)
{
	ItemPointerData tid = line->tid;

	if (!ItemPointerIsValid(&tid) ||
		!table_tuple_fetch_row_version(update->table, &tid, GetActiveSnapshot(), update->old))
		return false;
	inv_begin_new_version(update);
	inv_set_new_value(update, plan->status, status, false);
	if (sold)
		inv_set_new_value(update, plan->order, sold->order, sold->no_order);
	return inv_update_row(update) == INV_UPDATE_DONE;
}

/*
 * Give the held lines of a locked reservation a state, and, if it is sold, their orders from
 * the lines of the cart, which are in the same order; returns how many rows were written.  The
 * rest needs a statement, from the first on that does.
 */
static int
mark_directly(InvStore *store, const InvHold *hold, InvHoldState state, const InvCart *cart)
{
	Relation table;
	InvHoldPlan *plan;
	InvRowUpdate update;
	int marked = 0;

	if (!inv_may_access_directly())
		return 0;
	table = inv_ledger_table_open(store, INV_LEDGER_RESERVATIONS);
	plan = hold_plan_for(store, table);
	if (plan->usable &&
		inv_begin_row_update(&update, store, &plan->update, table, INV_SNAPSHOT_LATEST))
	{
		Datum status = CStringGetTextDatum(inv_hold_state_names[state]);

		update.old = table_slot_create(table, NULL);
		for (int i = 0; i < hold->count; i++)
			if (hold->lines[i].state == INV_HOLD_HELD)
			{
				if (!mark_line(&update, plan, &hold->lines[i], status,
							   cart ? &cart->lines[marked] : NULL))
					break;
				marked++;
			}
		ExecDropSingleTupleTableSlot(update.old);
		inv_end_row_update(&update);
	}
	table_close(table, NoLock);
	return marked;
}

/* The lines of a cart that a statement has to mark as sold; returns how many it has found. */
static int
confirm_by_statement(InvStore *store, const InvHold *hold, const InvLine *lines, int count)
{
	Datum *items = palloc(sizeof(Datum) * count);
	Datum *quantities = palloc(sizeof(Datum) * count);
	Datum *orders = palloc(sizeof(Datum) * count);
	bool *no_order = palloc(sizeof(bool) * count);
	Datum values[4];

	for (int i = 0; i < count; i++)
	{
		items[i] = lines[i].item;
		quantities[i] = Int64GetDatum(lines[i].quantity);
		orders[i] = lines[i].order;
		no_order[i] = lines[i].no_order;
	}
	values[0] = hold->id;
	values[1] = inv_make_array(store->item_id.base, items, NULL, count);
	values[2] = inv_make_array(INT8OID, quantities, NULL, count);
	values[3] = inv_make_array(store->order_type, orders, no_order, count);
	return inv_execute(store, INV_STMT_CONFIRM_HOLD, values, NULL, INV_SNAPSHOT_LATEST);
}

/*
 * Mark the held lines of a reservation, which is locked, confirmed, with the orders of the cart,
 * whose lines they are.  False if a row was not written: the reservation has changed, or
 * something of the shop's keeps it from being written.
 */
bool
inv_hold_mark_confirmed(InvStore *store, const InvHold *hold, const InvCart *cart)
{
	int marked = mark_directly(store, hold, INV_HOLD_CONFIRMED, cart);

	if (marked < cart->line_count)
		marked +=
			confirm_by_statement(store, hold, &cart->lines[marked], cart->line_count - marked);
	return marked == cart->line_count;
}

/* Mark the held lines of a reservation, which is locked, released; raises if a row cannot be. */
void
inv_hold_mark_released(InvStore *store, const InvHold *hold)
{
	Datum values[] = { hold->id, (Datum) 0 };
	char nulls[] = { ' ', 'n' };
	uint64 left = inv_hold_count_held(hold) - mark_directly(store, hold, INV_HOLD_RELEASED, NULL);

	if (left > 0)
		inv_execute_write(store, INV_STMT_RELEASE_HOLD, values, nulls, INV_SNAPSHOT_LATEST, left);
}
