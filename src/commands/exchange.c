/*
 * exchange.c
 *		exchange_order: a line is given back, and others are sold in its place.
 *
 * What is given back can be sold to the new lines: of an item that is in both, only the
 * difference moves.  The rows of all items are locked in key order, as those of a cart.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"

#include "base/error.h"
#include "base/stats.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/enter.h"
#include "store/ledger_schema.h"
#include "stock/give.h"
#include "stock/ledger.h"
#include "stock/level.h"
#include "stock/limit.h"
#include "stock/quantity.h"
#include "stock/sold.h"
#include "stock/sold_followed.h"
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
#include "commands/refund.h"
#include "commands/refusal.h"
#include "commands/sale.h"

/* An exchange while it is made. */
typedef struct Exchange
{
	InvStore *store;
	Datum order;
	InvSold *sold;
	int64 left; /* of the line; all of it is refunded */
	InvCart cart;

	InvTake *same;	/* of the cart: the item of the line; null if it is not in the cart */
	InvTake *takes; /* what is taken beside what comes back, in key order */
	int *places;	/* of each take in the takes of the cart */
	int take_count;
	InvGive give; /* what comes back to the stock; its quantity can be 0 */
} Exchange;

/* Set what is taken and what is given: of the item of the line only the difference. */
static void
net_exchange(Exchange *exchange)
{
	InvCart *cart = &exchange->cart;

	exchange->takes = palloc(sizeof(InvTake) * cart->take_count);
	exchange->places = palloc(sizeof(int) * cart->take_count);
	exchange->give.item = exchange->sold->item;
	exchange->give.quantity = exchange->left;
	for (int i = 0; i < cart->take_count; i++)
	{
		InvTake take = cart->takes[i];

		if (inv_item_compare(exchange->store, take.item, exchange->give.item) == 0)
		{
			int64 common = Min(take.quantity, exchange->left);

			exchange->same = &cart->takes[i];
			exchange->give.quantity -= common;
			take.quantity -= common;
		}
		if (take.quantity == 0)
			continue;
		exchange->places[exchange->take_count] = i;
		exchange->takes[exchange->take_count++] = take;
	}
}

/*
 * Give back to the stock, with the rows of the items that are taken locked in their order,
 * and the purchase limits before them.
 */
static void
give_back(Exchange *exchange)
{
	InvStore *store = exchange->store;
	InvGive *gives = palloc0(sizeof(InvGive) * (exchange->take_count + 1));
	int count = 0, place;

	if (exchange->take_count > 0 &&
		!inv_take_may_succeed(store, exchange->takes, exchange->take_count, &exchange->sold->user))
		inv_refuse_cart(store, exchange->takes, exchange->take_count, &exchange->sold->user);
	while (count < exchange->take_count &&
		   inv_item_compare(store, exchange->takes[count].item, exchange->give.item) < 0)
	{
		gives[count].item = exchange->takes[count].item;
		count++;
	}
	place = count;
	gives[count++] = exchange->give;
	for (; count <= exchange->take_count; count++)
		gives[count].item = exchange->takes[count - 1].item;
	inv_give(store, gives, count);
	exchange->give = gives[place];
}

/* Move the stock, and say of each item of the cart what its movements need. */
static void
move_stock(Exchange *exchange)
{
	if (exchange->give.quantity > 0)
		give_back(exchange);
	else
		exchange->give.tracked = true;
	if (exchange->take_count > 0 &&
		!inv_take(exchange->store, exchange->takes, exchange->take_count, &exchange->sold->user))
		inv_refuse_cart(exchange->store, exchange->takes, exchange->take_count,
						&exchange->sold->user);
	if (exchange->same)
	{
		exchange->same->status = INV_STATUS_OK;
		exchange->same->tracked = exchange->give.tracked;
		exchange->same->epoch = exchange->give.epoch;
	}
	for (int i = 0; i < exchange->take_count; i++)
	{
		InvTake *take = &exchange->cart.takes[exchange->places[i]];
		int64 quantity = take->quantity;

		*take = exchange->takes[i];
		take->quantity = quantity;
		if (take != exchange->same)
			continue;
		exchange->give.tracked = take->tracked;
		exchange->give.epoch = take->epoch;
	}
}

/* Write the movements: the refund of the line, and the sale of the new ones. */
static void
book_exchange(Exchange *exchange, const char *reason)
{
	InvReturn how = { .kind = INV_KIND_REFUND, .restock = true, .reason = reason };
	InvBook book;

	inv_book_init(&book, INV_RETURN_MOVEMENTS);
	inv_book_returned(&book, exchange->order, exchange->sold, exchange->left, &exchange->give,
					  &how);
	inv_book_write(exchange->store, &book);
	inv_book_sale(exchange->store, &exchange->cart, &exchange->sold->user, reason);
	inv_check_refunded(exchange->store, exchange->order, exchange->sold, exchange->left);
	inv_check_limits(exchange->store, exchange->takes, exchange->take_count, &exchange->sold->user);
}

/* Read what is available of the item of the line, for the answer, if nothing was taken. */
static void
read_same(Exchange *exchange)
{
	InvTake *same = exchange->same;

	for (int i = 0; i < exchange->take_count; i++)
		if (same == &exchange->cart.takes[exchange->places[i]])
			return;
	if (same == NULL)
		return;
	inv_level_read_many(exchange->store, same, 1);
	same->tracked = same->tracked && same->status == INV_STATUS_OK;
	same->status = INV_STATUS_OK;
}

/* Where the store has no orders, new lines are of the same order unless they say otherwise. */
static void
keep_reference(Exchange *exchange)
{
	if (OidIsValid(exchange->store->orders))
		return;
	for (int i = 0; i < exchange->cart.line_count; i++)
	{
		InvLine *line = &exchange->cart.lines[i];

		if (!line->no_order)
			continue;
		line->order = exchange->order;
		line->no_order = false;
	}
}

/*
 * Exchange a line; exchange->cart has the new ones.  They are lines of its header, and only where
 * it has none, lines of another one, as those of a purchase.
 */
static void
exchange_order(Exchange *exchange, const char *reason)
{
	InvStore *store = exchange->store;
	InvOrder order;
	InvHeader header = { 0 };

	inv_follow_waiting(store);
	order = inv_lock_order(store, exchange->order);
	exchange->sold = inv_only_sold(&order, "exchange a line", NULL);
	exchange->left = inv_sold_left(exchange->sold);
	if (exchange->left == 0)
		inv_error_order_refunded(store, exchange->order, 0, exchange->sold->refunded,
								 exchange->sold);
	inv_book_unknown(store, &order);
	keep_reference(exchange);
	inv_header_keep(store, &exchange->cart, exchange->order);
	inv_header_find(store, &header, &exchange->cart, &exchange->sold->user);
	net_exchange(exchange);
	inv_prepare_order(store, &exchange->cart, &header, &exchange->sold->user);
	inv_header_insert(store, &header, &exchange->cart, &exchange->sold->user);
	move_stock(exchange);
	inv_stats_count(INV_STATS_UNITS, inv_cart_units(&exchange->cart));
	inv_follow_begin(store);
	inv_insert_cart(store, &exchange->cart, &exchange->sold->user);
	book_exchange(exchange, reason);
	inv_follow_cart(store, &exchange->cart);
	read_same(exchange);
}

PG_FUNCTION_INFO_V1(inventory_exchange_order);

/*
 * exchange_order(store_name, order_id, lines, reason, idempotency_key, result_type): gives a
 * line back and sells others to the same user; returns a row per new line, in their order.
 */
Datum
inventory_exchange_order(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Jsonb *lines = PG_ARGISNULL(2) ? NULL : PG_GETARG_JSONB_P(2);
	InvCall call;
	InvStore *store;
	InvRequest request;

	inv_call_enter(&call, inv_getarg_store_name(fcinfo), "exchange_order");
	inv_begin_rows(fcinfo);
	store = call.store;
	inv_check_line_type(store, result->setDesc);
	if (inv_request_begin(&request, store, "exchange_order", NULL, fcinfo, 4, store->order_type))
	{
		inv_header_check_replay(store, lines, NULL, request.replay);
		inv_replay_lines(store, request.replay, result);
	}
	else
	{
		Exchange exchange = { .store = store, .order = inv_getarg_order(store, fcinfo, 1) };

		if (lines == NULL)
			inv_error_null("lines");
		inv_cart_of_lines(store, &exchange.cart, lines, NULL, INV_PURPOSE_SALE);
		exchange_order(&exchange, inv_getarg_text(fcinfo, 3));
		if (request.key)
			inv_request_end(store, &request, inv_lines_json(store, &exchange.cart, true));
		inv_return_lines(store, &exchange.cart, true, false, result);
	}
	inv_store_leave(&call);
	return (Datum) 0;
}
