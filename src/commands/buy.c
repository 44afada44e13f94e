/*
 * buy.c
 *		Purchases: buy_item, buy_cart, try_buy_item, try_buy_cart.
 *
 * A purchase reads its arguments, looks for its idempotency key, takes the stock,
 * inserts the order rows, writes the movements, and keeps its answer under the
 * key, in this order.  buy_item and buy_cart raise a refusal.  try_buy_item and
 * try_buy_cart return it as the statuses of the lines, and the transaction goes on:
 * nothing is written before all units are known to be available.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"

#include "base/datum.h"
#include "base/error.h"
#include "base/stats.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/enter.h"
#include "stock/limit.h"
#include "stock/quantity.h"
#include "stock/take.h"
#include "commands/answer.h"
#include "commands/argument.h"
#include "commands/call.h"
#include "commands/cart.h"
#include "commands/idempotency.h"
#include "commands/order.h"
#include "commands/refusal.h"
#include "commands/sale.h"

/*
 * Take the stock, insert the order rows and write the movements.  False if a line is
 * refused: then its status says why, and nothing is written.
 */
static bool
sell_cart(InvStore *store, InvCart *cart, const InvUser *user)
{
	Assert(cart->line_count > 0 && cart->take_count > 0);
	if (!inv_take(store, cart->takes, cart->take_count, user))
		return false;
	inv_stats_count(INV_STATS_UNITS, inv_cart_units(cart));
	inv_insert_cart(store, cart, user);
	inv_book_sale(store, cart, user, NULL);
	inv_check_limits(store, cart->takes, cart->take_count, user);
	return true;
}

/* ---- SQL functions ---- */

PG_FUNCTION_INFO_V1(inventory_buy_item);
PG_FUNCTION_INFO_V1(inventory_try_buy_item);
PG_FUNCTION_INFO_V1(inventory_buy_cart);
PG_FUNCTION_INFO_V1(inventory_try_buy_cart);

/*
 * buy_item(store_name, user_id, item_id, quantity, idempotency_key, order_data,
 * result_type): sells units of one item; returns the key of the order row.
 */
Datum
inventory_buy_item(PG_FUNCTION_ARGS)
{
	Jsonb *order_data = PG_ARGISNULL(5) ? NULL : PG_GETARG_JSONB_P(5);
	InvCall call;
	InvStore *store;
	InvUser user;
	InvRequest request;
	Datum order;
	bool no_order;

	inv_call_enter(&call, inv_getarg_store_name(fcinfo), "buy_item");
	store = call.store;
	inv_check_result(store, fcinfo, store->order_type);
	user = inv_getarg_user(store, fcinfo, 1);
	if (inv_request_begin(&request, store, "buy_item", &user, fcinfo, 4, store->item_id.base))
	{
		char *answer = inv_request_scalar(&request);

		no_order = answer == NULL;
		order = answer ? inv_from_text(store->order_type, answer) : (Datum) 0;
	}
	else
	{
		StringInfoData answer;
		InvCart cart;

		inv_cart_of_item(store, &cart, inv_getarg_item(store, fcinfo, 2),
						 inv_getarg_quantity(fcinfo, 3, "quantity"), order_data, INV_PURPOSE_SALE);
		if (!sell_cart(store, &cart, &user))
			inv_refuse(store, cart.takes, &user);
		order = cart.lines->order;
		no_order = cart.lines->no_order;
		if (request.key)
		{
			initStringInfo(&answer);
			inv_append_id(&answer, store->order_type, order, no_order);
			inv_request_end(store, &request, answer.data);
		}
	}
	if (!no_order)
		order = inv_copy_result(&call, store->order_type, order);
	inv_store_leave(&call);
	if (no_order)
		PG_RETURN_NULL();
	return order;
}

/*
 * try_buy_item, with the arguments of buy_item: sells units of one item, or returns a refusal as
 * the status of the line.
 */
Datum
inventory_try_buy_item(PG_FUNCTION_ARGS)
{
	Jsonb *order_data = PG_ARGISNULL(5) ? NULL : PG_GETARG_JSONB_P(5);
	InvCall call;
	InvStore *store;
	InvUser user;
	InvRequest request;
	TupleDesc desc;
	Datum line;

	inv_call_enter(&call, inv_getarg_store_name(fcinfo), "try_buy_item");
	store = call.store;
	desc = inv_line_desc(store, fcinfo);
	user = inv_getarg_user(store, fcinfo, 1);
	if (inv_request_begin(&request, store, "try_buy_item", &user, fcinfo, 4, store->item_id.base))
		line = inv_replay_line(store, request.replay, desc);
	else
	{
		InvCart cart;
		bool sold;

		inv_cart_of_item(store, &cart, inv_getarg_item(store, fcinfo, 2),
						 inv_getarg_quantity(fcinfo, 3, "quantity"), order_data, INV_PURPOSE_SALE);
		sold = sell_cart(store, &cart, &user);
		if (!sold)
			inv_count_refusals(cart.takes, cart.take_count);
		if (request.key)
			inv_request_end(store, &request, inv_lines_json(store, &cart, sold));
		line = inv_form_line(store, &cart, sold, desc);
	}
	line = inv_copy_result(&call, desc->tdtypeid, line);
	inv_store_leave(&call);
	return line;
}

/* buy_cart, or with "try" try_buy_cart, which keeps and returns a refusal. */
static Datum
buy_cart(FunctionCallInfo fcinfo, const char *operation, bool try)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Jsonb *lines = PG_ARGISNULL(2) ? NULL : PG_GETARG_JSONB_P(2);
	Jsonb *order_data = PG_ARGISNULL(4) ? NULL : PG_GETARG_JSONB_P(4);
	InvCall call;
	InvStore *store;
	InvUser user;
	InvRequest request;

	inv_call_enter(&call, inv_getarg_store_name(fcinfo), operation);
	inv_begin_rows(fcinfo);
	store = call.store;
	inv_check_line_type(store, result->setDesc);
	user = inv_getarg_user(store, fcinfo, 1);
	if (inv_request_begin(&request, store, operation, &user, fcinfo, 3, InvalidOid))
		inv_replay_lines(store, request.replay, result);
	else
	{
		InvCart cart;
		bool sold;

		if (lines == NULL)
			inv_error_null("lines");
		inv_cart_of_lines(store, &cart, lines, order_data, INV_PURPOSE_SALE);
		sold = sell_cart(store, &cart, &user);
		if (!sold && !try)
			inv_refuse_cart(store, cart.takes, cart.take_count, &user);
		if (!sold)
			inv_count_refusals(cart.takes, cart.take_count);
		if (request.key)
			inv_request_end(store, &request, inv_lines_json(store, &cart, sold));
		inv_return_lines(store, &cart, sold, false, result);
	}
	inv_store_leave(&call);
	return (Datum) 0;
}

/*
 * buy_cart(store_name, user_id, lines, idempotency_key, order_data, result_type):
 * sells all lines or none; returns a row per line, in their order.
 */
Datum
inventory_buy_cart(PG_FUNCTION_ARGS)
{
	return buy_cart(fcinfo, "buy_cart", false);
}

/* try_buy_cart: as buy_cart, with a refusal as statuses instead of an error. */
Datum
inventory_try_buy_cart(PG_FUNCTION_ARGS)
{
	return buy_cart(fcinfo, "try_buy_cart", true);
}
