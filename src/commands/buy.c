/*
 * buy.c
 *		Purchases: buy_item, buy_cart, try_buy_item, try_buy_cart, sell_part.
 *
 * A purchase reads its arguments, looks for its idempotency key, takes the stock,
 * inserts the order rows, writes the movements, and keeps its answer under the
 * key, in this order.  buy_item and buy_cart raise a refusal.  try_buy_item and
 * try_buy_cart return it as the statuses of the lines, and the transaction goes on:
 * nothing is written before all units are known to be available.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"

#include "base/datum.h"
#include "base/error.h"
#include "base/isolated.h"
#include "base/stats.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/enter.h"
#include "stock/limit.h"
#include "stock/take.h"
#include "commands/answer.h"
#include "commands/argument.h"
#include "commands/call.h"
#include "commands/cart.h"
#include "commands/follow.h"
#include "commands/header.h"
#include "commands/idempotency.h"
#include "commands/order.h"
#include "commands/prepare_order.h"
#include "commands/refusal.h"
#include "commands/sale.h"

/* A purchase whose arguments are read. */
typedef struct Sale
{
	InvStore *store;
	InvUser user;
	InvCart cart;
	InvHeader header;
	bool sold; /* else the status of a line says why it is refused */
} Sale;

/*
 * Take the stock, insert the order rows and write the movements.  If a line is refused,
 * nothing is written, except for a header that was inserted before its stock was found to be
 * gone.
 */
static void
sell(Sale *sale)
{
	InvStore *store = sale->store;
	InvCart *cart = &sale->cart;

	Assert(cart->line_count > 0 && cart->take_count > 0);
	if ((sale->header.inserts || OidIsValid(store->prepare)) &&
		!inv_take_may_succeed(store, cart->takes, cart->take_count, &sale->user))
		return;
	inv_prepare_order(store, cart, &sale->header, &sale->user);
	inv_header_insert(store, &sale->header, cart, &sale->user);
	if (!inv_take(store, cart->takes, cart->take_count, &sale->user))
		return;
	inv_stats_count(INV_STATS_UNITS, inv_cart_units(cart));
	inv_follow_begin(store);
	inv_insert_cart(store, cart, &sale->user);
	inv_book_sale(store, cart, &sale->user, NULL);
	inv_follow_cart(store, cart);
	inv_check_limits(store, cart->takes, cart->take_count, &sale->user);
	sale->sold = true;
}

/* Work in a subtransaction, which is kept if the cart is sold. */
static bool
sell_isolated(void *arg)
{
	Sale *sale = arg;

	sell(sale);
	return sale->sold;
}

/* Sell, and count a refusal, which leaves no header. */
static void
try_to_sell(Sale *sale)
{
	if (sale->header.inserts)
	{
		ErrorData *error = inv_run_isolated(sell_isolated, sale);

		if (error)
			ReThrowError(error);
	}
	else
		sell(sale);
	if (!sale->sold)
		inv_count_refusals(sale->cart.takes, sale->cart.take_count);
}

/* A purchase of one item, by arguments 2, 3 and 5. */
static void
read_item_sale(Sale *sale, FunctionCallInfo fcinfo)
{
	InvStore *store = sale->store;
	Jsonb *order_data =
		inv_header_split(store, &sale->header, PG_ARGISNULL(5) ? NULL : PG_GETARG_JSONB_P(5));

	inv_cart_of_item(store, &sale->cart, inv_getarg_item(store, fcinfo, 2),
					 inv_getarg_quantity(fcinfo, 3, "quantity"), order_data, INV_PURPOSE_SALE);
	inv_header_find(store, &sale->header, &sale->cart, &sale->user);
}

/* The answer of buy_item that is kept: the key of the order row, with that of its header. */
static char *
item_answer(InvStore *store, const InvLine *line)
{
	StringInfoData answer;

	initStringInfo(&answer);
	if (line->has_header)
		appendStringInfoString(&answer, "{\"order_id\": ");
	inv_append_id(&answer, store->order_type, line->order, line->no_order);
	if (line->has_header)
	{
		appendStringInfoString(&answer, ", \"header_id\": ");
		inv_append_id(&answer, store->header_type, line->header, false);
		appendStringInfoChar(&answer, '}');
	}
	return answer.data;
}

/* The key of the order row in such an answer, as text; null for null. */
static char *
order_of_answer(InvRequest *request)
{
	return JB_ROOT_IS_OBJECT(request->replay) ? inv_json_field(request->replay, "order_id")
											  : inv_request_scalar(request);
}

/* ---- SQL functions ---- */

PG_FUNCTION_INFO_V1(inventory_buy_item);
PG_FUNCTION_INFO_V1(inventory_try_buy_item);
PG_FUNCTION_INFO_V1(inventory_buy_cart);
PG_FUNCTION_INFO_V1(inventory_try_buy_cart);
PG_FUNCTION_INFO_V1(inventory_sell_part);

/*
 * buy_item(store_name, user_id, item_id, quantity, idempotency_key, order_data,
 * result_type): sells units of one item; returns the key of the order row.
 */
Datum
inventory_buy_item(PG_FUNCTION_ARGS)
{
	InvCall call;
	InvStore *store;
	InvRequest request;
	Sale sale = { 0 };
	Datum order;
	bool no_order;

	inv_call_enter(&call, inv_getarg_store_name(fcinfo), "buy_item");
	sale.store = store = call.store;
	inv_check_result(store, fcinfo, store->order_type);
	sale.user = inv_getarg_user(store, fcinfo, 1);
	if (inv_request_begin(&request, store, "buy_item", &sale.user, fcinfo, 4, store->item_id.base))
	{
		char *answer = order_of_answer(&request);

		inv_header_check_replay(store, NULL, PG_ARGISNULL(5) ? NULL : PG_GETARG_JSONB_P(5),
								request.replay);
		no_order = answer == NULL;
		order = answer ? inv_from_text(store->order_type, answer) : (Datum) 0;
	}
	else
	{
		read_item_sale(&sale, fcinfo);
		sell(&sale);
		if (!sale.sold)
			inv_refuse(store, sale.cart.takes, &sale.user);
		order = sale.cart.lines->order;
		no_order = sale.cart.lines->no_order;
		if (request.key)
			inv_request_end(store, &request, item_answer(store, sale.cart.lines));
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
	InvCall call;
	InvStore *store;
	InvRequest request;
	Sale sale = { 0 };
	TupleDesc desc;
	Datum line;

	inv_call_enter(&call, inv_getarg_store_name(fcinfo), "try_buy_item");
	sale.store = store = call.store;
	desc = inv_line_desc(store, fcinfo);
	sale.user = inv_getarg_user(store, fcinfo, 1);
	if (inv_request_begin(&request, store, "try_buy_item", &sale.user, fcinfo, 4,
						  store->item_id.base))
	{
		inv_header_check_replay(store, NULL, PG_ARGISNULL(5) ? NULL : PG_GETARG_JSONB_P(5),
								request.replay);
		line = inv_replay_line(store, request.replay, desc);
	}
	else
	{
		read_item_sale(&sale, fcinfo);
		try_to_sell(&sale);
		if (request.key)
			inv_request_end(store, &request, inv_lines_json(store, &sale.cart, sale.sold));
		line = inv_form_line(store, &sale.cart, sale.sold, desc);
	}
	line = inv_copy_result(&call, desc->tdtypeid, line);
	inv_store_leave(&call);
	return line;
}

/* Sell a cart of lines that are not null. */
static void
sell_lines(Sale *sale, Jsonb *lines, Jsonb *order_data, bool try)
{
	order_data = inv_header_split(sale->store, &sale->header, order_data);
	inv_cart_of_lines(sale->store, &sale->cart, lines, order_data, INV_PURPOSE_SALE);
	inv_header_find(sale->store, &sale->header, &sale->cart, &sale->user);
	if (try)
		try_to_sell(sale);
	else
	{
		sell(sale);
		if (!sale->sold)
			inv_refuse_cart(sale->store, sale->cart.takes, sale->cart.take_count, &sale->user);
	}
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
	InvRequest request;
	Sale sale = { 0 };

	inv_call_enter(&call, inv_getarg_store_name(fcinfo), operation);
	inv_begin_rows(fcinfo);
	sale.store = store = call.store;
	inv_check_line_type(store, result->setDesc);
	sale.user = inv_getarg_user(store, fcinfo, 1);
	if (inv_request_begin(&request, store, operation, &sale.user, fcinfo, 3, InvalidOid))
	{
		inv_header_check_replay(store, lines, order_data, request.replay);
		inv_replay_lines(store, request.replay, result);
	}
	else
	{
		if (lines == NULL)
			inv_error_null("lines");
		sell_lines(&sale, lines, order_data, try);
		if (request.key)
			inv_request_end(store, &request, inv_lines_json(store, &sale.cart, sale.sold));
		inv_return_lines(store, &sale.cart, sale.sold, false, result);
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

/*
 * sell_part(store_name, user_id, lines, order_data): as try_buy_cart, for the home of a cart over
 * several databases.  Returns the lines as text, those at fault if it is refused; null for null lines.
 */
Datum
inventory_sell_part(PG_FUNCTION_ARGS)
{
	InvCall call;
	Sale sale = { 0 };
	Datum text;

	inv_call_enter(&call, inv_getarg_store_name(fcinfo), "try_buy_cart");
	if (PG_ARGISNULL(2))
	{
		inv_store_leave(&call);
		PG_RETURN_NULL();
	}
	sale.store = call.store;
	sale.user = inv_getarg_user(call.store, fcinfo, 1);
	sell_lines(&sale, PG_GETARG_JSONB_P(2), PG_ARGISNULL(3) ? NULL : PG_GETARG_JSONB_P(3), true);
	text = CStringGetTextDatum(inv_lines_text(call.store, &sale.cart, sale.sold, false));
	text = inv_copy_result(&call, TEXTOID, text);
	inv_store_leave(&call);
	return text;
}
