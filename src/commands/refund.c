/*
 * refund.c
 *		Refunds: refund_order, refund_orders.
 *
 * The order row is not changed.  What was sold and refunded so far is asked of sold.c.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/int.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/tuplestore.h"

#include "base/datum.h"
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
#include "stock/quantity.h"
#include "stock/sold.h"
#include "stock/sold_followed.h"
#include "commands/answer.h"
#include "commands/argument.h"
#include "commands/call.h"
#include "commands/cart.h"
#include "commands/follow.h"
#include "commands/idempotency.h"
#include "commands/refund.h"

/* ---- units that come back ---- */

static InvMovement *
add_movement(InvBook *book, Datum order, const InvSold *sold, int64 delta, const char *kind,
			 const char *reason)
{
	InvMovement *movement = inv_book_add(book, sold->item, delta, kind);

	movement->order = order;
	movement->no_order = false;
	movement->reason = reason;
	return movement;
}

/*
 * Add the movements of units that were given to the stock, or could not be: the item is not
 * tracked or gone, or the units are written off.  Those that counted against a purchase limit
 * carry the user, who may buy as many again.
 */
void
inv_book_returned(InvBook *book, Datum order, InvSold *sold, int64 quantity, const InvGive *give,
				  const InvReturn *how)
{
	int64 counted = Min(quantity, sold->counted);

	Assert(quantity > 0);
	if (counted > 0)
	{
		InvMovement *back = add_movement(book, order, sold, counted, how->kind, how->reason);

		back->user = sold->user;
		back->epoch = give->epoch;
	}
	if (counted < quantity)
		add_movement(book, order, sold, quantity - counted, how->kind, how->reason)->epoch =
			give->epoch;
	if (!give->tracked)
		add_movement(book, order, sold, -quantity,
					 how->restock ? INV_KIND_ADJUSTMENT : INV_KIND_WRITE_OFF,
					 how->restock ? INV_REASON_UNTRACKED : how->reason);
	sold->counted -= counted;
}

/* Units of one item of an order return to the stock, or are written off. */
void
inv_return_units(InvStore *store, Datum order, InvSold *sold, int64 quantity, const InvReturn *how)
{
	InvBook book;
	InvGive give = { .item = sold->item, .quantity = quantity };

	Assert(quantity > 0 && quantity <= inv_sold_left(sold)); /* invariant 9 */
	if (how->restock)
		inv_give(store, &give, 1);
	inv_book_init(&book, INV_RETURN_MOVEMENTS);
	inv_book_returned(&book, order, sold, quantity, &give, how);
	inv_book_write(store, &book);
	inv_stats_count(INV_STATS_UNITS, quantity);
}

/* ---- one order ---- */

/* Refund the quantity of argument 2, or all that is left; returns the units refunded so far. */
static int64
refund_units(InvStore *store, FunctionCallInfo fcinfo, Datum key)
{
	InvOrder order;
	InvReturn how = { .kind = INV_KIND_REFUND, .reason = inv_getarg_text(fcinfo, 4) };
	bool all = PG_ARGISNULL(2);
	int64 left = 0, total = 0, refunded = 0, quantity;
	const InvSold *only = NULL;

	inv_follow_waiting(store);
	order = inv_lock_order(store, key);
	if (PG_ARGISNULL(3))
		inv_error_null("restock");
	how.restock = PG_GETARG_BOOL(3);
	for (int i = 0; i < order.count; i++)
	{
		total += order.sold[i].quantity;
		refunded += order.sold[i].refunded;
	}
	left = total - refunded;
	quantity = all ? left : inv_getarg_quantity(fcinfo, 2, "quantity");
	if (!all)
		only =
			inv_only_sold(&order, "refund a quantity", "Leave quantity null to refund all of it.");
	if (quantity > left || left <= 0)
	{
		InvSold all_sold = { .quantity = total,
							 .text = order.count == 1 ? order.sold->text : NULL };

		inv_error_order_refunded(store, key, quantity, refunded, &all_sold);
	}
	inv_book_unknown(store, &order);
	for (int i = 0; i < order.count; i++)
	{
		InvSold *sold = &order.sold[i];
		int64 part = only == NULL ? inv_sold_left(sold) : only == sold ? quantity : 0;

		if (part == 0)
			continue;
		inv_return_units(store, key, sold, part, &how);
		inv_check_refunded(store, key, sold, part);
	}
	return refunded + quantity;
}

PG_FUNCTION_INFO_V1(inventory_refund_order);
PG_FUNCTION_INFO_V1(inventory_refund_orders);

/*
 * refund_order(store_name, order_id, quantity, restock, reason, idempotency_key,
 * result_type): refunds units of an order line; returns the units refunded so far.
 */
Datum
inventory_refund_order(PG_FUNCTION_ARGS)
{
	InvCall call;
	InvStore *store;
	InvRequest request;
	int64 refunded;

	inv_call_enter(&call, inv_getarg_store_name(fcinfo), "refund_order");
	store = call.store;
	inv_check_result(store, fcinfo, store->stock.base);
	if (inv_request_begin(&request, store, "refund_order", NULL, fcinfo, 5, store->order_type))
		refunded = DatumGetInt64(inv_request_value(store, &request, INT8OID));
	else
	{
		refunded = refund_units(store, fcinfo, inv_getarg_order(store, fcinfo, 1));
		inv_request_end(store, &request, psprintf(INT64_FORMAT, refunded));
	}
	inv_store_leave(&call);
	return inv_quantity_datum(store, refunded);
}

/* ---- several orders ---- */

static int
compare_orders(const void *a, const void *b, void *store)
{
	return inv_order_compare(store, ((const InvOrder *) a)->key, ((const InvOrder *) b)->key);
}

/* The orders of an array, in key order and each once. */
static InvOrder *
orders_of_array(InvStore *store, Datum ids, int *count)
{
	ArrayType *array = DatumGetArrayTypeP(ids);
	InvOrder *orders;
	Datum *keys;
	int16 length;
	bool byval;
	char align;
	int given, kept = 0;

	get_typlenbyvalalign(store->order_type, &length, &byval, &align);
	deconstruct_array(array, store->order_type, length, byval, align, &keys, NULL, &given);
	if (given > INV_MAX_LINES)
		inv_error_too_many_lines(given, INV_MAX_LINES);
	orders = palloc0(sizeof(InvOrder) * Max(given, 1));
	for (int i = 0; i < given; i++)
		orders[i].key = keys[i];
	qsort_arg(orders, given, sizeof(InvOrder), compare_orders, store);
	for (int i = 0; i < given; i++)
		if (kept == 0 || compare_orders(&orders[kept - 1], &orders[i], store) != 0)
			orders[kept++] = orders[i];
	*count = kept;
	return orders;
}

static int64
units_left(const InvOrder *order)
{
	int64 left = 0;

	for (int i = 0; i < order->count; i++)
		if (pg_add_s64_overflow(left, inv_sold_left(&order->sold[i]), &left))
			inv_error_overflow("sum of the quantities of an order");
	return left;
}

/* What comes back of each item, in key order and each item once. */
static InvGive *
gives_of_orders(InvStore *store, const InvOrder *orders, int count, int *give_count)
{
	int most = 0, given = 0;
	InvGive *gives;

	for (int i = 0; i < count; i++)
		most += orders[i].count;
	gives = palloc0(sizeof(InvGive) * Max(most, 1));
	for (int i = 0; i < count; i++)
		for (int j = 0; j < orders[i].count; j++)
		{
			const InvSold *sold = &orders[i].sold[j];

			if (inv_sold_left(sold) == 0)
				continue;
			gives[given].item = sold->item;
			gives[given++].quantity = inv_sold_left(sold);
		}
	*give_count = inv_merge_gives(store, gives, given, "sum of the quantities of an item");
	return gives;
}

/* Refund what is left of locked orders. */
static void
refund_left(InvStore *store, InvOrder *orders, int count, const InvReturn *how)
{
	int give_count, sold_count = 0;
	InvGive *gives = gives_of_orders(store, orders, count, &give_count);
	InvBook book;

	if (give_count == 0)
		return;
	if (how->restock)
		inv_give(store, gives, give_count);
	for (int i = 0; i < count; i++)
	{
		inv_book_unknown(store, &orders[i]);
		sold_count += orders[i].count;
	}
	inv_book_init(&book, INV_RETURN_MOVEMENTS * sold_count);
	for (int i = 0; i < count; i++)
		for (int j = 0; j < orders[i].count; j++)
		{
			InvSold *sold = &orders[i].sold[j];
			int64 left = inv_sold_left(sold);
			const InvGive *give;

			if (left == 0)
				continue;
			give = inv_find_give(store, gives, give_count, sold->item);
			Assert(give != NULL);
			inv_book_returned(&book, orders[i].key, sold, left, give, how);
			inv_stats_count(INV_STATS_UNITS, left);
		}
	inv_book_write(store, &book);
}

/* A line of the answer. */
static void
append_refund(StringInfo json, InvStore *store, Datum key, InvStatus status, int64 quantity)
{
	appendStringInfo(json, "%s{\"order_id\": ", json->len > 1 ? ", " : "");
	inv_append_id(json, store->order_type, key, false);
	appendStringInfo(json, ", \"status\": \"%s\", \"quantity\": %s}", inv_status_name(status),
					 inv_datum_text(store->stock.base, inv_quantity_datum(store, quantity)));
}

/* Refund what is left of each order; returns the answer as JSON. */
static char *
refund_orders(InvStore *store, Datum ids, const InvReturn *how)
{
	int count;
	InvOrder *orders = orders_of_array(store, ids, &count);
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfoChar(&json, '[');
	if (count > 0)
	{
		inv_follow_waiting(store);
		inv_lock_orders(store, orders, count);
		refund_left(store, orders, count, how);
	}
	for (int i = 0; i < count; i++)
	{
		int64 left = units_left(&orders[i]);

		append_refund(&json, store, orders[i].key,
					  !orders[i].exists ? INV_STATUS_ORDER_NOT_FOUND
					  : left == 0		? INV_STATUS_REFUND_EXCEEDS_ORDER
										: INV_STATUS_OK,
					  left);
		for (int j = 0; j < orders[i].count; j++)
			if (inv_sold_left(&orders[i].sold[j]) > 0)
				inv_check_refunded(store, orders[i].key, &orders[i].sold[j],
								   inv_sold_left(&orders[i].sold[j]));
	}
	appendStringInfoChar(&json, ']');
	return json.data;
}

/* Return the rows of an answer. */
static void
return_refunds(InvStore *store, Datum answer, ReturnSetInfo *result)
{
	uint64 rows = inv_execute(store, INV_STMT_REFUND_ROWS, &answer, NULL, INV_SNAPSHOT_TRANSACTION);

	for (uint64 row = 0; row < rows; row++)
	{
		Datum values[3];
		bool nulls[3];

		for (int i = 0; i < 3; i++)
			values[i] = inv_result(row, i + 1, &nulls[i]);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

/*
 * refund_orders(store_name, order_ids, restock, reason, idempotency_key, result_type):
 * refunds all that is left of several orders; returns a row for each, in the order of their
 * keys.
 */
Datum
inventory_refund_orders(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	InvReturn how = { .kind = INV_KIND_REFUND };
	InvCall call;
	InvStore *store;
	InvRequest request;
	Datum answer;
	Oid types[] = { InvalidOid, TEXTOID, InvalidOid };

	inv_call_enter(&call, inv_getarg_store_name(fcinfo), "refund_orders");
	inv_begin_rows(fcinfo);
	store = call.store;
	types[0] = store->order_type;
	types[2] = store->stock.base;
	inv_check_row_type(store, result->setDesc, types, 3);
	if (inv_request_begin(&request, store, "refund_orders", NULL, fcinfo, 4,
						  get_array_type(store->order_type)))
		answer = JsonbPGetDatum(request.replay);
	else
	{
		char *json;
		Datum ids = inv_getarg_ids(fcinfo, 1, store->order_type, "order_ids");

		if (PG_ARGISNULL(2))
			inv_error_null("restock");
		how.restock = PG_GETARG_BOOL(2);
		how.reason = inv_getarg_text(fcinfo, 3);
		json = refund_orders(store, ids, &how);
		inv_request_end(store, &request, json);
		answer = DirectFunctionCall1(jsonb_in, CStringGetDatum(json));
	}
	return_refunds(store, answer, result);
	inv_store_leave(&call);
	return (Datum) 0;
}
