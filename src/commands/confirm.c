/*
 * confirm.c
 *		Reservations become orders: confirm_reservation.
 *
 * The units left the stock when they were held, so this inserts the order rows and
 * writes movements, and takes nothing.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"

#include "base/compat.h"
#include "base/error.h"
#include "base/stats.h"
#include "store/binding.h"
#include "store/enter.h"
#include "store/ledger_schema.h"
#include "store/query.h"
#include "store/query_text.h"
#include "stock/ledger.h"
#include "stock/level.h"
#include "stock/quantity.h"
#include "commands/answer.h"
#include "commands/argument.h"
#include "commands/call.h"
#include "commands/cart.h"
#include "commands/confirm.h"
#include "commands/follow.h"
#include "commands/header.h"
#include "commands/hold.h"
#include "commands/hold_row.h"
#include "commands/order.h"
#include "commands/prepare_order.h"

/* The items of the lines in this state, as a cart would take them; nothing is taken. */
static InvTake *
takes_in_state(const InvHold *hold, InvHoldState state, int *count)
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

/* Write the movements: units are no longer held but sold.  The stock does not change. */
static void
book_confirmed(InvStore *store, const InvCart *cart, const InvHold *hold)
{
	InvBook book;

	inv_book_init(&book, 2 * cart->line_count);
	for (int i = 0; i < cart->line_count; i++)
	{
		const InvLine *line = &cart->lines[i];
		InvMovement *held = inv_book_add(&book, line->item, line->quantity, INV_KIND_RELEASE);
		InvMovement *sale = inv_book_add(&book, line->item, -line->quantity, INV_KIND_SALE);

		held->user = sale->user = hold->user;
		held->reservation = sale->reservation = hold->id;
		sale->order = line->order;
		sale->no_order = line->no_order;
	}
	inv_book_write(store, &book);
}

/*
 * Insert the order rows of a held reservation, and mark it confirmed.  A trigger on orders
 * can call the engine, which can release or expire what is held: then the lines are not
 * as they were read, and their units are not those of this reservation any more.
 */
static void
confirm_hold(InvStore *store, InvHeader *header, InvCart *cart, const InvHold *hold)
{
	Assert(hold->state == INV_HOLD_HELD);
	inv_stats_count(INV_STATS_UNITS, inv_cart_units(cart));
	inv_prepare_order(store, cart, header, &hold->user);
	inv_header_insert(store, header, cart, &hold->user);
	inv_follow_begin(store);
	inv_insert_cart(store, cart, &hold->user);
	if (!inv_hold_mark_confirmed(store, hold, cart))
	{
		inv_hold_check_unchanged(store, hold);
		inv_error_rows_not_written(store, INV_STMT_CONFIRM_HOLD);
	}
	INV_POINT("inventory-after-confirm");
	book_confirmed(store, cart, hold);
	inv_follow_cart(store, cart);
}

/* The cart of a reservation that was confirmed before, with its order keys. */
static void
cart_of_confirmed(const InvHold *hold, InvCart *cart)
{
	cart->lines = palloc0(sizeof(InvLine) * hold->count);
	cart->line_count = 0;
	for (int i = 0; i < hold->count; i++)
	{
		const InvHoldLine *held = &hold->lines[i];
		InvLine *line = &cart->lines[cart->line_count];

		if (held->state != INV_HOLD_CONFIRMED)
			continue;
		line->item = held->item;
		line->quantity = held->quantity;
		line->order = held->order;
		line->no_order = held->no_order;
		line->take = cart->line_count++;
	}
	Assert(cart->line_count == cart->take_count);
}

/* Read what is available now, for the answer.  An item may no longer be for sale. */
static void
read_available(InvStore *store, InvCart *cart)
{
	inv_level_read_many(store, cart->takes, cart->take_count);
	for (int i = 0; i < cart->take_count; i++)
	{
		InvTake *take = &cart->takes[i];

		take->tracked = take->tracked && take->status == INV_STATUS_OK;
		take->status = INV_STATUS_OK;
	}
}

/*
 * Confirm a reservation that is locked: the cart gets its lines with their order keys, and what is
 * available now.  True if it was confirmed before; raises if its state forbids it.
 */
bool
inv_confirm_reservation(InvStore *store, InvHold *hold, Jsonb *order_data, InvCart *cart)
{
	bool replayed = inv_hold_judge(store, hold, INV_MOVE_CONFIRM) == INV_VERDICT_REPLAY;
	InvHeader header;

	memset(cart, 0, sizeof(*cart));
	cart->takes = takes_in_state(hold, hold->state, &cart->take_count);
	if (replayed)
	{
		cart_of_confirmed(hold, cart);
		inv_header_read(store, cart);
		inv_header_check_confirmed(store, order_data, cart);
	}
	else
	{
		order_data = inv_header_split(store, &header, order_data);
		inv_cart_of_hold(store, cart, cart->takes, cart->take_count, order_data);
		inv_header_find(store, &header, cart, &hold->user);
		confirm_hold(store, &header, cart, hold);
	}
	read_available(store, cart);
	return replayed;
}

PG_FUNCTION_INFO_V1(inventory_confirm_reservation);

/*
 * confirm_reservation(store_name, reservation_id, user_id, order_data, result_type):
 * inserts the order rows of what is held; returns a row per line, and the same rows
 * when it is called again.
 */
Datum
inventory_confirm_reservation(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Jsonb *order_data = PG_ARGISNULL(3) ? NULL : PG_GETARG_JSONB_P(3);
	InvCall call;
	InvStore *store;
	InvHold hold;
	InvCart cart;
	bool replayed;

	inv_call_enter(&call, inv_getarg_store_name(fcinfo), "confirm_reservation");
	inv_begin_rows(fcinfo);
	store = call.store;
	inv_check_line_type(store, result->setDesc);
	inv_hold_find(store, &hold, fcinfo, 2, INV_HOLD_TO_CHANGE);
	replayed = inv_confirm_reservation(store, &hold, order_data, &cart);
	inv_return_lines(store, &cart, true, replayed, result);
	inv_store_leave(&call);
	return (Datum) 0;
}
