/*
 * reservation.c
 *		What becomes of a reservation: changed, extended, confirmed or released.
 *
 * Confirming inserts the order rows and takes nothing more; releasing gives back.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"

#include "base/error.h"
#include "base/stats.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/enter.h"
#include "store/query.h"
#include "store/query_text.h"
#include "stock/give.h"
#include "stock/ledger.h"
#include "stock/level.h"
#include "stock/quantity.h"
#include "commands/answer.h"
#include "commands/argument.h"
#include "commands/call.h"
#include "commands/cart.h"
#include "commands/hold.h"
#include "commands/order.h"
#include "commands/refusal.h"

/* ---- giving back ---- */

/* Give units of a line back to the stock, and book it. */
static void
give_line(InvStore *store, const InvHold *hold, const InvHoldLine *line, int64 quantity)
{
	InvGive give = { .item = line->item, .quantity = quantity };
	InvBook book;

	if (line->tracked)
		inv_give(store, &give, 1, INV_SNAPSHOT_LATEST);
	inv_stats_count(INV_STATS_UNITS, quantity);
	inv_book_init(&book, 2);
	inv_book_return(&book, line->item, quantity, "release", &hold->user, hold->id, give.tracked,
					give.epoch);
	inv_book_write(store, &book);
}

/* Release the held lines, which stand in key order. */
static void
release_hold(InvStore *store, const InvHold *hold)
{
	Datum values[] = { hold->id, (Datum) 0 };
	char nulls[] = { ' ', 'n' };
	InvGive *gives = palloc0(sizeof(InvGive) * hold->count);
	const InvGive none = { 0 };
	InvBook book;
	int count = 0, given = 0;

	inv_execute(store, INV_STMT_RELEASE_HOLD, values, nulls, INV_SNAPSHOT_LATEST);
	for (int i = 0; i < hold->count; i++)
		if (hold->lines[i].state == INV_HOLD_STATE_HELD && hold->lines[i].tracked)
		{
			gives[count].item = hold->lines[i].item;
			gives[count++].quantity = hold->lines[i].quantity;
		}
	if (count > 0)
		inv_give(store, gives, count, INV_SNAPSHOT_LATEST);
	inv_book_init(&book, 2 * hold->count);
	for (int i = 0; i < hold->count; i++)
	{
		const InvHoldLine *line = &hold->lines[i];
		const InvGive *give;

		if (line->state != INV_HOLD_STATE_HELD)
			continue;
		give = line->tracked ? &gives[given++] : &none;
		inv_stats_count(INV_STATS_UNITS, line->quantity);
		inv_book_return(&book, line->item, line->quantity, "release", &hold->user, hold->id,
						give->tracked, give->epoch);
	}
	inv_book_write(store, &book);
}

PG_FUNCTION_INFO_V1(inventory_release_reservation);
PG_FUNCTION_INFO_V1(inventory_extend_reservation);
PG_FUNCTION_INFO_V1(inventory_change_reservation);
PG_FUNCTION_INFO_V1(inventory_confirm_reservation);
PG_FUNCTION_INFO_V1(inventory_get_reservation);

/*
 * release_reservation(store_name, reservation_id, user_id): true if this call gave
 * it back, false if it was released or expired already.
 */
Datum
inventory_release_reservation(PG_FUNCTION_ARGS)
{
	InvCall call;
	InvHold hold;
	bool released;

	inv_call_enter(&call, inv_getarg_store_name(fcinfo), "release_reservation");
	inv_hold_find(call.store, &hold, fcinfo, 2, true, INV_SNAPSHOT_LATEST);
	released = inv_hold_judge(&hold, INV_HOLD_MOVE_RELEASE) == INV_HOLD_VERDICT_PROCEED;
	if (released)
		release_hold(call.store, &hold);
	inv_store_leave(&call);
	PG_RETURN_BOOL(released);
}

/*
 * extend_reservation(store_name, reservation_id, ttl, user_id): let a hold last
 * ttl from now, never shorter than it would; returns when it ends.
 */
Datum
inventory_extend_reservation(PG_FUNCTION_ARGS)
{
	InvCall call;
	InvHold hold;
	TimestampTz end;

	inv_call_enter(&call, inv_getarg_store_name(fcinfo), "extend_reservation");
	inv_hold_find(call.store, &hold, fcinfo, 3, true, INV_SNAPSHOT_LATEST);
	inv_hold_judge(&hold, INV_HOLD_MOVE_EXTEND);
	end = inv_hold_end(call.store, fcinfo, 2, hold.created_at);
	if (end > hold.expires_at)
	{
		Datum values[] = { hold.id, TimestampTzGetDatum(end) };

		inv_execute(call.store, INV_STMT_EXTEND_HOLD, values, NULL, INV_SNAPSHOT_LATEST);
	}
	inv_store_leave(&call);
	PG_RETURN_TIMESTAMPTZ(Max(end, hold.expires_at));
}

/* ---- changing ---- */

static InvHoldLine *
line_of_item(InvStore *store, InvHold *hold, Datum item)
{
	for (int i = 0; i < hold->count; i++)
		if (inv_item_compare(store, hold->lines[i].item, item) == 0)
			return &hold->lines[i];
	return NULL;
}

/* Set a line's quantity in the reservation. */
static void
put_line(InvStore *store, const InvHold *hold, Datum item, int64 quantity, bool tracked)
{
	Datum values[] = { hold->id,
					   item,
					   Int64GetDatum(quantity),
					   BoolGetDatum(tracked),
					   hold->user.value,
					   TimestampTzGetDatum(hold->expires_at),
					   TimestampTzGetDatum(hold->created_at) };
	char nulls[] = { ' ', ' ', ' ', ' ', hold->user.isnull ? 'n' : ' ', ' ', ' ' };

	inv_execute(store, INV_STMT_PUT_HOLD, values, nulls, INV_SNAPSHOT_LATEST);
}

/* Hold more of an item. */
static void
enlarge_line(InvStore *store, InvHold *hold, const InvHoldLine *line, Datum item, int64 more,
			 int64 quantity)
{
	InvTake take = { 0 };

	take.item = item;
	take.quantity = more;
	if (!inv_hold_take(store, &take, 1, &hold->user))
		inv_refuse(store, &take, 1);
	if (line && line->state == INV_HOLD_STATE_HELD && line->tracked != take.tracked)
		inv_error_value("the item's stock began or ceased to be tracked since it was reserved",
						"Release the reservation and make a new one.");
	inv_stats_count(INV_STATS_UNITS, more);
	inv_hold_book(store, &take, 1, &hold->user, hold->id, hold->expires_at);
	put_line(store, hold, item, quantity, take.tracked);
}

/* Hold less of an item, or nothing. */
static void
reduce_line(InvStore *store, const InvHold *hold, const InvHoldLine *line, int64 less,
			int64 quantity)
{
	if (quantity > 0)
		put_line(store, hold, line->item, quantity, line->tracked);
	else
	{
		Datum values[] = { hold->id, line->item };

		inv_execute(store, INV_STMT_RELEASE_HOLD, values, NULL, INV_SNAPSHOT_LATEST);
	}
	give_line(store, hold, line, less);
}

/*
 * change_reservation(store_name, reservation_id, item_id, quantity, user_id): hold
 * so many units of an item, 0 for none; returns when the reservation ends.
 */
Datum
inventory_change_reservation(PG_FUNCTION_ARGS)
{
	InvCall call;
	InvStore *store;
	InvHold hold;
	InvHoldLine *line;
	Datum item;
	int64 quantity, held;

	inv_call_enter(&call, inv_getarg_store_name(fcinfo), "change_reservation");
	store = call.store;
	item = inv_getarg_item(store, fcinfo, 2);
	if (PG_ARGISNULL(3))
		inv_error_null("quantity");
	quantity = PG_GETARG_INT64(3);
	if (quantity < 0)
		inv_error_value(psprintf("quantity must not be negative, as " INT64_FORMAT " is", quantity),
						"0 removes the line.");
	inv_hold_find(store, &hold, fcinfo, 4, true, INV_SNAPSHOT_LATEST);
	inv_hold_judge(&hold, INV_HOLD_MOVE_CHANGE);
	if (quantity > 0)
		inv_check_held(store, quantity);
	line = line_of_item(store, &hold, item);
	held = line && line->state == INV_HOLD_STATE_HELD ? line->quantity : 0;
	if (held == 0 && quantity > 0 && hold.count >= INV_MAX_LINES)
		inv_error_too_many_lines(hold.count + 1, INV_MAX_LINES);
	if (quantity > held)
		enlarge_line(store, &hold, line, item, quantity - held, quantity);
	else if (quantity < held)
		reduce_line(store, &hold, line, held - quantity, quantity);
	inv_store_leave(&call);
	PG_RETURN_TIMESTAMPTZ(hold.expires_at);
}

/* ---- confirming ---- */

/* The held lines as what a cart takes, without taking. */
static InvTake *
held_takes(const InvHold *hold, InvHoldState state, int *count)
{
	InvTake *takes = palloc0(sizeof(InvTake) * hold->count);

	*count = 0;
	for (int i = 0; i < hold->count; i++)
	{
		if (hold->lines[i].state != state)
			continue;
		takes[*count].item = hold->lines[i].item;
		takes[(*count)++].quantity = hold->lines[i].quantity;
	}
	return takes;
}

/* What was held becomes what is sold: the stock has it already. */
static void
book_confirmed(InvStore *store, const InvCart *cart, const InvHold *hold)
{
	InvBook book;

	inv_book_init(&book, 2 * cart->line_count);
	for (int i = 0; i < cart->line_count; i++)
	{
		const InvLine *line = &cart->lines[i];
		InvMovement *held = inv_book_add(&book, line->item, line->quantity, "release");
		InvMovement *sale = inv_book_add(&book, line->item, -line->quantity, "sale");

		held->user = sale->user = hold->user;
		held->reservation = sale->reservation = hold->id;
		sale->order = line->order;
		sale->no_order = line->no_order;
	}
	inv_book_write(store, &book);
}

static void
confirm_hold(InvStore *store, InvCart *cart, const InvHold *hold)
{
	Datum *items = palloc(sizeof(Datum) * cart->line_count);
	Datum *orders = palloc(sizeof(Datum) * cart->line_count);
	bool *no_order = palloc(sizeof(bool) * cart->line_count);
	Datum values[3];

	inv_stats_count(INV_STATS_UNITS, inv_cart_units(cart));
	inv_insert_cart(store, cart, &hold->user);
	for (int i = 0; i < cart->line_count; i++)
	{
		items[i] = cart->lines[i].item;
		orders[i] = cart->lines[i].order;
		no_order[i] = cart->lines[i].no_order;
	}
	values[0] = hold->id;
	values[1] = inv_make_array(store->item_id.base, items, NULL, cart->line_count);
	values[2] = inv_make_array(store->order_type, orders, no_order, cart->line_count);
	inv_execute(store, INV_STMT_CONFIRM_HOLD, values, NULL, INV_SNAPSHOT_LATEST);
	book_confirmed(store, cart, hold);
}

/*
 * confirm_reservation(store_name, reservation_id, user_id, order_data, result_type):
 * insert the order rows of what is held; returns a row per line, and the same
 * again when called again.
 */
Datum
inventory_confirm_reservation(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Jsonb *order_data = PG_ARGISNULL(3) ? NULL : PG_GETARG_JSONB_P(3);
	InvCall call;
	InvStore *store;
	InvHold hold;
	InvCart cart = { 0 };
	bool replayed;

	inv_begin_rows(fcinfo);
	inv_call_enter(&call, inv_getarg_store_name(fcinfo), "confirm_reservation");
	store = call.store;
	inv_check_line_type(store, result->setDesc);
	inv_hold_find(store, &hold, fcinfo, 2, true, INV_SNAPSHOT_LATEST);
	replayed = inv_hold_judge(&hold, INV_HOLD_MOVE_CONFIRM) == INV_HOLD_VERDICT_REPLAY;
	cart.takes = held_takes(&hold, hold.state, &cart.take_count);
	if (replayed)
	{
		cart.line_count = 0;
		cart.lines = palloc0(sizeof(InvLine) * hold.count);
		for (int i = 0; i < hold.count; i++)
		{
			InvLine *line = &cart.lines[cart.line_count];

			if (hold.lines[i].state != INV_HOLD_STATE_CONFIRMED)
				continue;
			line->item = hold.lines[i].item;
			line->quantity = hold.lines[i].quantity;
			line->order = hold.lines[i].order;
			line->no_order = hold.lines[i].no_order;
			line->take = cart.line_count++;
		}
	}
	else
	{
		inv_cart_of_hold(store, &cart, cart.takes, cart.take_count, order_data);
		confirm_hold(store, &cart, &hold);
	}
	inv_level_read_many(store, cart.takes, cart.take_count);
	for (int i = 0; i < cart.take_count; i++)
	{
		/* sold is sold, also if the item is for sale no longer */
		cart.takes[i].tracked &= cart.takes[i].status == INV_STATUS_OK;
		cart.takes[i].status = INV_STATUS_OK;
	}
	inv_return_lines(store, &cart, true, replayed, result);
	inv_store_leave(&call);
	return (Datum) 0;
}

/* ---- looking ---- */

/*
 * get_reservation(store_name, reservation_id, result_type): a row per line, with the
 * state as it is at this instant.
 */
Datum
inventory_get_reservation(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	InvCall call;
	InvStore *store;
	InvHold hold;
	Oid types[] = { TEXTOID, TIMESTAMPTZOID, InvalidOid, InvalidOid, InvalidOid };

	inv_begin_rows(fcinfo);
	inv_call_enter(&call, inv_getarg_store_name(fcinfo), NULL);
	store = call.store;
	types[2] = store->item_id.base;
	types[3] = store->stock.base;
	types[4] = store->order_type;
	inv_check_row_type(store, result->setDesc, types, 5);
	inv_hold_find(store, &hold, fcinfo, -1, false, INV_SNAPSHOT_READ_ONLY);
	for (int i = 0; i < hold.count; i++)
	{
		InvHoldLine *line = &hold.lines[i];
		Datum values[] = { CStringGetTextDatum(inv_hold_state_names[hold.state]),
						   TimestampTzGetDatum(hold.expires_at), line->item,
						   inv_quantity_datum(store, line->quantity), line->order };
		bool nulls[] = { false, false, false, false, line->no_order };

		/* a line that was taken out of a living reservation is no part of it */
		if (line->state == INV_HOLD_STATE_RELEASED && hold.state != INV_HOLD_STATE_RELEASED)
			continue;
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	inv_store_leave(&call);
	return (Datum) 0;
}
