/*
 * change.c
 *		change_order: the quantity of an order line changes.
 *
 * The quantity is written into the order row, and the ledger follows: a sale takes more, a
 * cancellation gives back what the line no longer has.  Units that are refunded stay in the
 * quantity, as they do when a line is refunded.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"

#include "base/error.h"
#include "base/stats.h"
#include "base/store_error.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/enter.h"
#include "store/ledger_schema.h"
#include "store/query.h"
#include "store/query_text.h"
#include "store/table_check.h"
#include "stock/expected_line.h"
#include "stock/ledger.h"
#include "stock/limit.h"
#include "stock/order_fact.h"
#include "stock/quantity.h"
#include "stock/sold.h"
#include "stock/sold_followed.h"
#include "stock/take.h"
#include "commands/argument.h"
#include "commands/call.h"
#include "commands/cart.h"
#include "commands/follow.h"
#include "commands/idempotency.h"
#include "commands/refund.h"
#include "commands/refusal.h"
#include "commands/sale.h"

/* Write the quantity of a line into its row. */
static void
set_quantity(InvStore *store, const InvOrder *order, int64 quantity)
{
	Datum values[] = { order->key, Int64GetDatum(quantity) };

	if (inv_execute(store, INV_STMT_CHANGE_ORDER, values, NULL, INV_SNAPSHOT_LATEST) != 1 ||
		inv_result_int64(0, 1) != quantity)
		inv_error_order_kept(store->orders_name, inv_order_text(store, order->key));
}

/* The same, if it has one, as the engine's own change. */
static void
write_quantity(InvStore *store, const InvOrder *order, const InvSold *sold, int64 quantity)
{
	int base;

	if (!OidIsValid(store->orders))
		return;
	Assert(store->order_quantity.attnum != InvalidAttrNumber);
	inv_check_orders_written(store);
	inv_replace_changes(store, order, sold, quantity);
	base = inv_expect_lines_begin();
	inv_expect_line(store, sold->item, quantity, &sold->user);
	set_quantity(store, order, quantity);
	inv_expect_lines_end(base);
}

/* Take more units, so that the line has "quantity". */
static void
enlarge_order(InvStore *store, const InvOrder *order, const InvSold *sold, int64 quantity,
			  const char *reason)
{
	InvTake take = { .item = sold->item, .quantity = quantity - sold->quantity };
	InvLine line = { .item = sold->item, .quantity = take.quantity, .order = order->key };
	InvCart cart = { .lines = &line, .line_count = 1, .takes = &take, .take_count = 1 };

	if (!inv_take(store, &take, 1, &sold->user))
		inv_refuse(store, &take, &sold->user);
	inv_stats_count(INV_STATS_UNITS, take.quantity);
	write_quantity(store, order, sold, quantity);
	inv_book_sale(store, &cart, &sold->user, reason);
	inv_check_limits(store, &take, 1, &sold->user);
}

/* Give units back, so that the line has "quantity". */
static void
reduce_order(InvStore *store, const InvOrder *order, InvSold *sold, int64 quantity,
			 const char *reason)
{
	InvReturn how = { .kind = INV_KIND_CANCELLATION, .restock = true, .reason = reason };
	int64 less = sold->quantity - quantity;

	if (quantity < sold->refunded)
		inv_error_order_refunded(store, order->key, less, sold->refunded, sold);
	write_quantity(store, order, sold, quantity);
	inv_return_units(store, order->key, sold, less, &how);
	sold->quantity = quantity;
	sold->text = NULL;
	inv_check_refunded(store, order->key, sold, less);
}

/* Refund what is left of the line.  Its row stays: most shops do not allow a quantity of 0. */
static void
empty_order(InvStore *store, Datum order, InvSold *sold, const char *reason)
{
	InvReturn how = { .kind = INV_KIND_REFUND, .restock = true, .reason = reason };
	int64 left = inv_sold_left(sold);

	if (left == 0)
		return;
	inv_return_units(store, order, sold, left, &how);
	inv_check_refunded(store, order, sold, left);
}

/* The line has no row that could have the quantity. */
static void
refuse_deleted(InvStore *store, Datum order, int64 left)
{
	InvFacts *facts = inv_order_facts(store, order);

	inv_fact_number(facts, "left", left);
	inv_error_order_deleted(facts, left);
}

/* Write the quantity of a line that is followed, and follow it. */
static void
write_followed(InvStore *store, const InvOrder *order, int64 quantity, const char *reason)
{
	if (store->order_quantity.attnum == InvalidAttrNumber)
		inv_error_value("the orders of the store have no quantity", NULL);
	inv_follow_begin(store);
	set_quantity(store, order, quantity);
	inv_follow_lines(store, reason);
}

/*
 * What was sold is what the ledger has, which follows the row.  All of a line can be cancelled
 * and its quantity change nevertheless.
 */
static void
change_followed(InvStore *store, const InvOrder *order, int64 quantity, const char *reason)
{
	InvFacts *facts = inv_order_facts(store, order->key);
	InvSold all = { 0 };

	if (!order->known)
		inv_error_order_not_found(facts);
	if (order->final)
		inv_error_direct_write(facts, psprintf("Order \"%s\" is final.", facts->name),
							   psprintf("Use refund_order of store \"%s\".", store->store_name));
	for (int i = 0; i < order->count; i++)
	{
		all.quantity += order->sold[i].quantity;
		all.refunded += order->sold[i].refunded;
	}
	if (quantity < all.refunded)
		inv_error_order_refunded(store, order->key, all.quantity - quantity, all.refunded, &all);
	write_followed(store, order, quantity, reason);
}

static void
change_order(InvStore *store, Datum key, int64 quantity, const char *reason)
{
	InvOrder order = { .key = key };
	InvSold *sold;

	inv_follow_waiting(store);
	inv_lock_orders(store, &order, 1);
	if (inv_follows_orders(store) && quantity > 0 && order.row.exists)
	{
		(void) inv_only_sold(&order, "change the quantity", NULL);
		change_followed(store, &order, quantity, reason);
		return;
	}
	/* a line that the ledger follows can have been cancelled: nothing is left of it */
	if (quantity > 0 || !order.known)
		inv_check_sold(store, &order);
	sold = inv_only_sold(&order, "change the quantity", NULL);
	if (quantity == 0)
	{
		inv_book_unknown(store, &order);
		empty_order(store, key, sold, reason);
	}
	else if (OidIsValid(store->orders) && !order.row.exists)
		refuse_deleted(store, key, inv_sold_left(sold));
	else if (quantity > sold->quantity)
		enlarge_order(store, &order, sold, quantity, reason);
	else if (quantity < sold->quantity)
		reduce_order(store, &order, sold, quantity, reason);
	else if (order.changed)
		write_quantity(store, &order, sold, quantity);
}

/* The quantity of argument 2, which an order row and the answer can hold. */
static int64
getarg_order_quantity(InvStore *store, FunctionCallInfo fcinfo)
{
	int64 quantity;

	if (PG_ARGISNULL(2))
		inv_error_null("quantity");
	quantity = PG_GETARG_INT64(2);
	if (quantity < 0)
		inv_error_value(psprintf("quantity must not be negative: " INT64_FORMAT, quantity),
						"0 refunds what is left of the line.");
	if (quantity > 0)
		inv_check_held(store, quantity);
	if (quantity > inv_max_units(store))
		inv_error_overflow("quantity");
	return quantity;
}

PG_FUNCTION_INFO_V1(inventory_change_order);

/*
 * change_order(store_name, order_id, quantity, reason, idempotency_key, result_type): changes
 * the quantity of an order line; returns it.
 */
Datum
inventory_change_order(PG_FUNCTION_ARGS)
{
	InvCall call;
	InvStore *store;
	InvRequest request;
	int64 quantity;

	inv_call_enter(&call, inv_getarg_store_name(fcinfo), "change_order");
	store = call.store;
	inv_check_result(store, fcinfo, store->stock.base);
	if (inv_request_begin(&request, store, "change_order", NULL, fcinfo, 4, store->order_type))
		quantity = DatumGetInt64(inv_request_value(store, &request, INT8OID));
	else
	{
		Datum order = inv_getarg_order(store, fcinfo, 1);

		quantity = getarg_order_quantity(store, fcinfo);
		change_order(store, order, quantity, inv_getarg_text(fcinfo, 3));
		inv_request_end(store, &request, psprintf(INT64_FORMAT, quantity));
	}
	inv_store_leave(&call);
	return inv_quantity_datum(store, quantity);
}
