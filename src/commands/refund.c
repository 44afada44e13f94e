/*
 * refund.c
 *		Refunds of order lines: refund_order.
 *
 * The order row is not changed.  What was sold is what the row says, or where others have
 * changed it, what it said before (sold.c).  What is refunded already is the sum of its
 * refund movements, read with the latest snapshot after the row is locked, so that refunds
 * of one line follow each other (invariant 9).
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/builtins.h"

#include "base/compat.h"
#include "base/datum.h"
#include "base/error.h"
#include "base/lock.h"
#include "base/stats.h"
#include "base/store_error.h"
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
#include "commands/argument.h"
#include "commands/call.h"
#include "commands/idempotency.h"

/* What one user bought of an item in an order: units bought and refunded. */
typedef struct BoughtItem
{
	Datum item;
	int64 quantity; /* whole units */
	char *text;		/* the same as its row has it; null if the row does not say it */
	int64 refunded;
	InvUser user;
	bool is_only; /* of its order */
} BoughtItem;

/* The items of an order, and who bought them, by the movements of its sales. */
static BoughtItem *
sales_of_order(InvStore *store, Datum order, int *count)
{
	uint64 rows = inv_execute(store, INV_STMT_SALES, &order, NULL, INV_SNAPSHOT_LATEST);
	BoughtItem *bought = palloc0(sizeof(BoughtItem) * Max(rows, 1));

	for (uint64 row = 0; row < rows; row++)
	{
		bool isnull;

		bought[row].item = inv_result(row, 1, &isnull);
		bought[row].quantity = inv_result_int64(row, 2);
		bought[row].user.value = inv_result(row, 3, &bought[row].user.isnull);
	}
	*count = rows;
	return bought;
}

/*
 * The user whose purchase limit a refund gives units back to: the buyer, if the sale
 * counted against the limit.  A sale from before the attach did not.
 */
static InvUser
limited_user(InvStore *store, Datum order, const BoughtItem *bought)
{
	Datum values[] = { order, bought->item, bought->user.value };
	bool isnull;

	if (bought->user.isnull)
	{
		int sales;
		BoughtItem *sold = sales_of_order(store, order, &sales);

		return sales > 0 ? sold->user : inv_no_user;
	}
	inv_execute(store, INV_STMT_COUNTED, values, NULL, INV_SNAPSHOT_LATEST);
	return DatumGetBool(inv_result(0, 1, &isnull)) ? bought->user : inv_no_user;
}

/* Lock the row of an order line and read it, if there is one. */
static void
lock_row(InvStore *store, Datum order, InvOrderRow *row, char **quantity_text)
{
	uint64 rows = inv_execute(store, INV_STMT_LOCK_ORDER, &order, NULL, INV_SNAPSHOT_LATEST);
	bool isnull;

	if (rows > 1)
		inv_error_order_not_unique(store->orders_name, inv_datum_text(store->order_type, order),
								   rows);
	memset(row, 0, sizeof(*row));
	row->exists = rows == 1;
	if (!row->exists)
		return;
	row->item = inv_result(0, 1, &row->no_item);
	row->units = DatumGetInt64(inv_result(0, 2, &row->no_units));
	row->user.value = inv_result(0, 3, &row->user.isnull);
	*quantity_text = row->no_units ? NULL : TextDatumGetCString(inv_result(0, 4, &isnull));
}

/* The item of an order whose row nothing but the engine has written; it may be older than the store. */
static BoughtItem *
bought_by_row(InvStore *store, const InvOrderRow *row, char *quantity_text)
{
	BoughtItem *bought = palloc0(sizeof(BoughtItem));

	if (row->no_item)
		inv_error_null("the item of the order");
	if (row->no_units)
		inv_error_null("the quantity of the order");
	bought->item = inv_item_of_order(store, row->item);
	bought->quantity = row->units;
	bought->user = row->user;
	bought->text = quantity_text;
	return bought;
}

/* The items of an order whose row others have changed or deleted. */
static BoughtItem *
bought_before_changes(InvStore *store, Datum order, const InvOrderRow *row, int *count)
{
	InvSoldItem *sold = inv_sold_on_line(store, order, row, count);
	BoughtItem *bought;

	if (*count == 0)
		inv_error_not_sold(inv_datum_text(store->order_type, order));
	bought = palloc0(sizeof(BoughtItem) * *count);
	for (int i = 0; i < *count; i++)
	{
		bought[i].item = sold[i].item;
		bought[i].quantity = sold[i].units;
		bought[i].user = sold[i].user;
	}
	return bought;
}

/* Lock an order line, and read the items that were sold on it. */
static BoughtItem *
bought_on_line(InvStore *store, Datum order, int *count)
{
	InvOrderRow row;
	char *quantity_text = NULL;
	bool changed = inv_lock_changed_line(store, order);
	BoughtItem *bought = NULL;

	lock_row(store, order, &row, &quantity_text);
	/* it may have been changed, deleted and inserted while the lock was waited for */
	if (!changed && inv_lock_changed_line(store, order))
	{
		changed = true;
		lock_row(store, order, &row, &quantity_text);
	}
	*count = row.exists;
	if (changed)
		bought = bought_before_changes(store, order, &row, count);
	else if (row.exists)
		bought = bought_by_row(store, &row, quantity_text);
	if (store->purchase_limit.attnum)
		for (int i = 0; i < *count; i++)
			bought[i].user = limited_user(store, order, &bought[i]);
	return bought;
}

/*
 * The units that are refunded already.  An order row is one line, of one item unless its key
 * was used again: every refund of it counts.
 */
static int64
refunded_units(InvStore *store, Datum order, const BoughtItem *bought)
{
	Datum values[] = { order, bought->item, bought->user.value };
	char nulls[] = { ' ', ' ', bought->user.isnull ? 'n' : ' ' };

	inv_execute(store, INV_STMT_REFUNDED, values, nulls, INV_SNAPSHOT_LATEST);
	return inv_result_int64(0, !OidIsValid(store->orders) ? 3 : bought->is_only ? 1 : 2);
}

/* Lock an order against other refunds, and read its items; raises IV003 if it has none. */
static BoughtItem *
lock_order(InvStore *store, Datum order, int *count)
{
	char *text = inv_datum_text(store->order_type, order);
	BoughtItem *bought;

	if (OidIsValid(store->orders))
		bought = bought_on_line(store, order, count);
	else
	{
		inv_lock_name(store->items, INV_LOCKTAG_ORDER_REFERENCE, text);
		bought = sales_of_order(store, order, count);
	}
	if (*count == 0)
		inv_error_order_not_found(text);
	for (int i = 0; i < *count; i++)
	{
		bought[i].is_only = *count == 1;
		bought[i].refunded = refunded_units(store, order, &bought[i]);
	}
	INV_POINT("inventory-after-order-lock");
	return bought;
}

/* The units bought, as an error shows them. */
static const char *
bought_text(const BoughtItem *bought)
{
	return bought->text ? bought->text : psprintf(INT64_FORMAT, bought->quantity);
}

/* Refund units of one item: they return to the stock, or are written off. */
static void
refund_item(InvStore *store, Datum order, BoughtItem *bought, int64 quantity, bool restock,
			const char *reason)
{
	InvBook book;
	InvMovement *refund;
	InvGive give = { .item = bought->item, .quantity = quantity };

	Assert(quantity > 0 && quantity <= bought->quantity - bought->refunded); /* invariant 9 */
	if (restock)
		inv_give(store, &give, 1, INV_SNAPSHOT_TRANSACTION);
	inv_book_init(&book, 2);
	refund = inv_book_add(&book, bought->item, quantity, INV_KIND_REFUND);
	refund->user = bought->user;
	refund->order = order;
	refund->no_order = false;
	refund->reason = reason;
	refund->epoch = give.epoch;
	if (!give.tracked)
	{
		InvMovement *gone = inv_book_add(&book, bought->item, -quantity,
										 restock ? INV_KIND_ADJUSTMENT : INV_KIND_WRITE_OFF);

		gone->order = order;
		gone->no_order = false;
		gone->reason = restock ? INV_REASON_UNTRACKED : reason;
	}
	inv_book_write(store, &book);
	inv_stats_count(INV_STATS_UNITS, quantity);
	/* triggers of the shop may have refunded the same units */
	bought->refunded = refunded_units(store, order, bought);
	if (bought->refunded > bought->quantity)
		inv_error_refund_exceeds(inv_datum_text(store->order_type, order), quantity,
								 bought->refunded - quantity, bought_text(bought));
}

/* Refund the quantity of argument 2, or all that is left; returns the units refunded so far. */
static int64
refund_units(InvStore *store, FunctionCallInfo fcinfo, Datum order)
{
	int count;
	BoughtItem *bought = lock_order(store, order, &count);
	bool all = PG_ARGISNULL(2);
	bool restock;
	int64 left = 0, total = 0, refunded = 0, quantity;

	if (PG_ARGISNULL(3))
		inv_error_null("restock");
	restock = PG_GETARG_BOOL(3);
	for (int i = 0; i < count; i++)
	{
		total += bought[i].quantity;
		refunded += bought[i].refunded;
	}
	left = total - refunded;
	quantity = all ? left : inv_getarg_quantity(fcinfo, 2, "quantity");
	if (!all && count > 1)
		inv_error_value("cannot refund a quantity of an order with several items or users",
						"Leave quantity null to refund all of it.");
	if (quantity > left || left <= 0)
		inv_error_refund_exceeds(inv_datum_text(store->order_type, order), quantity, refunded,
								 bought->text ? bought->text : psprintf(INT64_FORMAT, total));
	for (int i = 0; i < count; i++)
	{
		int64 part = all ? bought[i].quantity - bought[i].refunded : quantity;

		if (part > 0)
			refund_item(store, order, &bought[i], part, restock, inv_getarg_text(fcinfo, 4));
	}
	return refunded + quantity;
}

PG_FUNCTION_INFO_V1(inventory_refund_order);

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
		if (PG_ARGISNULL(1))
			inv_error_null("order_id");
		refunded = refund_units(store, fcinfo, inv_getarg_order(store, fcinfo, 1));
		inv_request_end(store, &request, psprintf(INT64_FORMAT, refunded));
	}
	inv_store_leave(&call);
	return inv_quantity_datum(store, refunded);
}
