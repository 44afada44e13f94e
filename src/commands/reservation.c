/*
 * reservation.c
 *		Reservations after they are made: release, extend, decide, change, get, my_reservations.
 *
 * Each of the writing calls locks the reservation first, asks the table in hold.c
 * what its state allows, and then takes or returns units.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include "base/compat.h"
#include "base/error.h"
#include "base/stats.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/enter.h"
#include "store/ledger_schema.h"
#include "store/query.h"
#include "store/query_text.h"
#include "stock/give.h"
#include "stock/ledger.h"
#include "stock/limit.h"
#include "stock/quantity.h"
#include "commands/answer.h"
#include "commands/argument.h"
#include "commands/call.h"
#include "commands/cart.h"
#include "commands/hold.h"
#include "commands/hold_row.h"
#include "commands/refusal.h"
#include "commands/reservation.h"

/* ---- releasing ---- */

/* Return units of a line to the stock, and write the movement. */
static void
give_line(InvStore *store, const InvHold *hold, const InvHoldLine *line, int64 quantity)
{
	InvGive give = { .item = line->item, .quantity = quantity };
	InvBook book;

	if (line->tracked)
		inv_give(store, &give, 1);
	inv_stats_count(INV_STATS_UNITS, quantity);
	inv_book_init(&book, 2);
	inv_book_return(&book, line->item, quantity, INV_KIND_RELEASE, &hold->user, hold->id,
					give.tracked, give.epoch);
	inv_book_write(store, &book);
}

/* Release the held lines of a reservation; its lines are in key order. */
static void
release_hold(InvStore *store, const InvHold *hold)
{
	InvGive *gives = palloc0(sizeof(InvGive) * hold->count);
	const InvGive none = { 0 };
	InvBook book;
	int count = 0, given = 0;

	inv_hold_mark_released(store, hold);
	INV_POINT("inventory-after-release");
	for (int i = 0; i < hold->count; i++)
		if (hold->lines[i].state == INV_HOLD_HELD && hold->lines[i].tracked)
		{
			gives[count].item = hold->lines[i].item;
			gives[count++].quantity = hold->lines[i].quantity;
		}
	if (count > 0)
		inv_give(store, gives, count);
	inv_book_init(&book, 2 * hold->count);
	for (int i = 0; i < hold->count; i++)
	{
		const InvHoldLine *line = &hold->lines[i];
		const InvGive *give;

		if (line->state != INV_HOLD_HELD)
			continue;
		give = line->tracked ? &gives[given++] : &none;
		inv_stats_count(INV_STATS_UNITS, line->quantity);
		inv_book_return(&book, line->item, line->quantity, INV_KIND_RELEASE, &hold->user, hold->id,
						give->tracked, give->epoch);
	}
	inv_book_write(store, &book);
}

/* Release a reservation that is locked.  False if it had ended; raises IV006 if it is confirmed. */
bool
inv_release_reservation(InvStore *store, const InvHold *hold)
{
	if (inv_hold_judge(store, hold, INV_MOVE_RELEASE) != INV_VERDICT_PROCEED)
		return false;
	release_hold(store, hold);
	return true;
}

PG_FUNCTION_INFO_V1(inventory_release_reservation);
PG_FUNCTION_INFO_V1(inventory_extend_reservation);
PG_FUNCTION_INFO_V1(inventory_decide_reservation);
PG_FUNCTION_INFO_V1(inventory_change_reservation);
PG_FUNCTION_INFO_V1(inventory_get_reservation);
PG_FUNCTION_INFO_V1(inventory_my_reservations);

/*
 * release_reservation(store_name, reservation_id, user_id): true if this call released
 * it, false if it was released or had expired already, or if there is none: then it cannot be
 * made any more.
 */
Datum
inventory_release_reservation(PG_FUNCTION_ARGS)
{
	InvCall call;
	InvHold hold;
	bool released;

	inv_call_enter(&call, inv_getarg_store_name(fcinfo), "release_reservation");
	inv_hold_find(call.store, &hold, fcinfo, 2, INV_HOLD_TO_RELEASE);
	released = inv_release_reservation(call.store, &hold);
	inv_store_leave(&call);
	PG_RETURN_BOOL(released);
}

/* Let a reservation that is locked end at a time, unless it ends later already. */
static void
prolong(InvStore *store, InvHold *hold, TimestampTz end)
{
	Datum values[] = { hold->id, TimestampTzGetDatum(end) };

	if (end <= hold->expires_at)
		return;
	inv_execute_write(store, INV_STMT_EXTEND_HOLD, values, NULL, INV_SNAPSHOT_LATEST,
					  inv_hold_count_held(hold));
	hold->expires_at = end;
}

/*
 * extend_reservation(store_name, reservation_id, ttl, user_id): sets the end of a
 * reservation to ttl from now, unless it ends later already; returns its end.
 */
Datum
inventory_extend_reservation(PG_FUNCTION_ARGS)
{
	InvCall call;
	InvHold hold;
	TimestampTz end;

	inv_call_enter(&call, inv_getarg_store_name(fcinfo), "extend_reservation");
	inv_hold_find(call.store, &hold, fcinfo, 3, INV_HOLD_TO_CHANGE);
	inv_hold_judge(call.store, &hold, INV_MOVE_EXTEND);
	end = inv_hold_end(call.store, fcinfo, 2, hold.created_at);
	prolong(call.store, &hold, end);
	inv_store_leave(&call);
	PG_RETURN_TIMESTAMPTZ(hold.expires_at);
}

/*
 * decide_reservation(store_name, reservation_id, user_id): lets a reservation last until it is
 * confirmed or released; returns its end, which is infinity.
 */
Datum
inventory_decide_reservation(PG_FUNCTION_ARGS)
{
	InvCall call;
	InvHold hold;

	inv_call_enter(&call, inv_getarg_store_name(fcinfo), "decide_reservation");
	inv_hold_find(call.store, &hold, fcinfo, 2, INV_HOLD_TO_CHANGE);
	inv_hold_judge(call.store, &hold, INV_MOVE_EXTEND);
	prolong(call.store, &hold, DT_NOEND);
	inv_store_leave(&call);
	PG_RETURN_TIMESTAMPTZ(hold.expires_at);
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

/* Set the quantity of a line, which may be new or released. */
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

	inv_execute_write(store, INV_STMT_PUT_HOLD, values, nulls, INV_SNAPSHOT_LATEST, 1);
}

/* Take more units of an item, so that the line holds "quantity". */
static void
enlarge_line(InvStore *store, InvHold *hold, const InvHoldLine *line, Datum item, int64 more,
			 int64 quantity)
{
	InvTake take = { .item = item, .quantity = more };

	Assert(more > 0 && more <= quantity);
	if (!inv_hold_take(store, &take, 1, &hold->user))
		inv_refuse(store, &take, &hold->user);
	inv_hold_check_unchanged(store, hold);
	if (line && line->state == INV_HOLD_HELD && line->tracked != take.tracked)
		inv_error_value("the item has become tracked or untracked since it was reserved",
						"Release the reservation and make a new one.");
	inv_stats_count(INV_STATS_UNITS, more);
	inv_hold_book(store, &take, 1, &hold->user, hold->id, hold->expires_at);
	put_line(store, hold, item, quantity, take.tracked);
	inv_check_limits(store, &take, 1, &hold->user);
}

/* Return units of a line, so that it holds "quantity"; 0 removes it. */
static void
reduce_line(InvStore *store, const InvHold *hold, const InvHoldLine *line, int64 less,
			int64 quantity)
{
	Assert(less > 0 && line->state == INV_HOLD_HELD);
	if (quantity > 0)
		put_line(store, hold, line->item, quantity, line->tracked);
	else
	{
		Datum values[] = { hold->id, line->item };

		inv_execute_write(store, INV_STMT_RELEASE_HOLD, values, NULL, INV_SNAPSHOT_LATEST, 1);
	}
	give_line(store, hold, line, less);
}

/*
 * change_reservation(store_name, reservation_id, item_id, quantity, user_id): sets how
 * many units of an item a reservation holds, 0 for none; returns its end.
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
		inv_error_value(psprintf("quantity must not be negative: " INT64_FORMAT, quantity),
						"0 removes the line.");
	inv_hold_find(store, &hold, fcinfo, 4, INV_HOLD_TO_CHANGE);
	inv_hold_judge(call.store, &hold, INV_MOVE_CHANGE);
	if (quantity > 0)
		inv_check_held(store, quantity);
	line = line_of_item(store, &hold, item);
	held = line && line->state == INV_HOLD_HELD ? line->quantity : 0;
	if (held == 0 && quantity > 0 && hold.count >= INV_MAX_LINES)
		inv_error_too_many_lines(hold.count + 1, INV_MAX_LINES);
	if (quantity > held)
		enlarge_line(store, &hold, line, item, quantity - held, quantity);
	else if (quantity < held)
		reduce_line(store, &hold, line, held - quantity, quantity);
	inv_store_leave(&call);
	PG_RETURN_TIMESTAMPTZ(hold.expires_at);
}

/* ---- reading ---- */

/*
 * get_reservation(store_name, reservation_id, result_type): returns a row per line,
 * with the state of the reservation at this instant.
 */
Datum
inventory_get_reservation(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	InvCall call;
	InvStore *store;
	InvHold hold;
	Oid types[] = { TEXTOID, TIMESTAMPTZOID, InvalidOid, InvalidOid, InvalidOid };

	inv_call_enter(&call, inv_getarg_store_name(fcinfo), NULL);
	inv_begin_rows(fcinfo);
	store = call.store;
	types[2] = store->item_id.base;
	types[3] = store->stock.base;
	types[4] = store->order_type;
	inv_check_row_type(store, result->setDesc, types, 5);
	inv_hold_find(store, &hold, fcinfo, -1, INV_HOLD_TO_READ);
	for (int i = 0; i < hold.count; i++)
	{
		InvHoldLine *line = &hold.lines[i];
		Datum values[] = { CStringGetTextDatum(inv_hold_state_names[hold.state]),
						   TimestampTzGetDatum(hold.expires_at), line->item,
						   inv_quantity_datum(store, line->quantity), line->order };
		bool nulls[] = { false, false, false, false, line->no_order };

		/* a line that was removed from the reservation before is not part of it */
		if (line->state == INV_HOLD_RELEASED && hold.state != INV_HOLD_RELEASED)
			continue;
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	inv_store_leave(&call);
	return (Datum) 0;
}

/*
 * my_reservations(store_name, user_id, result_type): returns a row per line of the holds of a
 * user that have not expired, those that expire first at the top.
 */
Datum
inventory_my_reservations(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	InvCall call;
	InvStore *store;
	InvUser user;
	Oid types[] = { UUIDOID, InvalidOid, InvalidOid, TIMESTAMPTZOID };
	Datum values[2];
	uint64 rows;

	inv_call_enter(&call, inv_getarg_store_name(fcinfo), NULL);
	inv_begin_rows(fcinfo);
	store = call.store;
	types[1] = store->item_id.base;
	types[2] = store->stock.base;
	inv_check_row_type(store, result->setDesc, types, 4);
	user = inv_getarg_named_user(store, fcinfo, 1);
	if (user.isnull)
		inv_error_null("user_id");
	values[0] = user.value;
	values[1] = TimestampTzGetDatum(store->now);
	rows = inv_execute(store, INV_STMT_HOLDS_OF_USER, values, NULL, INV_SNAPSHOT_READ_ONLY);
	for (uint64 row = 0; row < rows; row++)
	{
		bool nulls[4];
		Datum columns[] = { inv_result(row, 1, &nulls[0]), inv_result(row, 2, &nulls[1]),
							inv_quantity_datum(store, inv_result_int64(row, 3)),
							inv_result(row, 4, &nulls[3]) };

		nulls[2] = false;
		tuplestore_putvalues(result->setResult, result->setDesc, columns, nulls);
	}
	inv_store_leave(&call);
	return (Datum) 0;
}
