/*
 * refund.c
 *		Refunds of order lines: refund_order.
 *
 * The order row is not changed.  What is refunded already is the sum of its refund
 * movements, read with the latest snapshot after the row is locked, so that refunds
 * of one line follow each other (invariant 9).
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/int.h"
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
#include "store/key_lookup.h"
#include "store/ledger_schema.h"
#include "store/query.h"
#include "store/query_text.h"
#include "stock/give.h"
#include "stock/ledger.h"
#include "stock/quantity.h"
#include "commands/argument.h"
#include "commands/call.h"
#include "commands/idempotency.h"

/* What one user bought of an item in an order: units bought and refunded. */
typedef struct BoughtItem
{
	Datum item;
	bool no_item;	/* its row has none */
	int64 quantity; /* whole units */
	char *text;		/* the same as its row has it, or null if there is no row */
	int64 refunded;
	InvUser user;
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

/* Lock and read the row of an order by a statement; returns how many rows there are. */
static uint64
read_order_by_statement(InvStore *store, Datum order, BoughtItem *bought)
{
	uint64 rows = inv_execute(store, INV_STMT_LOCK_ORDER, &order, NULL, INV_SNAPSHOT_LATEST);
	bool isnull;

	if (rows > 1)
		inv_error_order_not_unique(store->orders_name, inv_datum_text(store->order_type, order),
								   rows);
	if (rows == 0)
		return 0;
	bought->item = inv_result(0, 1, &bought->no_item);
	bought->quantity = DatumGetInt64(inv_result(0, 2, &isnull));
	bought->user.value = inv_result(0, 3, &bought->user.isnull);
	bought->text = isnull ? NULL : TextDatumGetCString(inv_result(0, 4, &isnull));
	return 1;
}

/* Copy what the row of an order says from a look-up; false if that is not whole numbers. */
static bool
copy_order(InvStore *store, InvKeyLookup *lookup, BoughtItem *bought)
{
	const InvColumn *quantity = &store->order_quantity;
	bool isnull = false;

	if (quantity->base == INT2OID || quantity->base == INT4OID || quantity->base == INT8OID)
		bought->quantity = inv_column_number(lookup->rows.slot, quantity, 0, &isnull);
	else if (quantity->attnum == InvalidAttrNumber)
		bought->quantity = 1;
	else
		return false;
	bought->text = isnull ? NULL : psprintf(INT64_FORMAT, bought->quantity);
	bought->item = inv_key_row_value(lookup, store->order_item.attnum, &bought->no_item);
	bought->user = inv_no_user;
	if (store->order_user.attnum != InvalidAttrNumber)
		bought->user.value =
			inv_key_row_value(lookup, store->order_user.attnum, &bought->user.isnull);
	return true;
}

/* The same without a statement; false if that needs one. */
static bool
read_order_directly(InvStore *store, Datum order, BoughtItem *bought, uint64 *rows)
{
	const bool not_null = false;
	InvKeyLookup lookup;
	bool known = true;

	if (!inv_begin_key_lookup(&lookup, store, INV_KEY_ORDER, &order, &not_null, 1))
		return false;
	*rows = 0;
	while (known && inv_next_key_row(&lookup))
		known = ++*rows == 1 && inv_lock_key_row(&lookup) && copy_order(store, &lookup, bought);
	inv_end_key_lookup(&lookup);
	return known;
}

/* The item of an order by its row, which is locked; it may be older than the store. */
static BoughtItem *
bought_by_row(InvStore *store, Datum order, int *count)
{
	BoughtItem *bought = palloc0(sizeof(BoughtItem));
	uint64 rows;

	if (!read_order_directly(store, order, bought, &rows))
		rows = read_order_by_statement(store, order, bought);
	*count = rows;
	if (rows == 0)
		return bought;
	if (bought->no_item)
		inv_error_null("the item of the order");
	bought->item = inv_item_of_order(store, bought->item);
	if (bought->text == NULL)
		inv_error_null("the quantity of the order");
	if (store->purchase_limit.attnum)
		bought->user = limited_user(store, order, bought);
	return bought;
}

/* Sum the refunds of an order without a statement; false if that needs one. */
static bool
sum_refunds_directly(InvStore *store, Datum order, int64 *units)
{
	const bool not_null = false;
	InvKeyLookup lookup;
	bool known = true;

	if (!inv_begin_key_lookup(&lookup, store, INV_KEY_REFUND, &order, &not_null, 1))
		return false;
	*units = 0;
	while (known && inv_next_key_row(&lookup))
	{
		Datum values[INV_KEY_READ_COLUMNS];
		bool nulls[INV_KEY_READ_COLUMNS];

		known = inv_read_key_row(&lookup, values, nulls);
		if (known && strcmp(TextDatumGetCString(values[0]), INV_KIND_REFUND) == 0)
			known = !pg_add_s64_overflow(*units, DatumGetInt64(values[1]), units);
	}
	inv_end_key_lookup(&lookup);
	return known;
}

/*
 * The units that are refunded already.  An order row is one line: its item or its user may
 * have been edited since a refund, which counts all the same.
 */
static int64
refunded_units(InvStore *store, Datum order, const BoughtItem *bought)
{
	Datum values[] = { order, bought->item, bought->user.value };
	char nulls[] = { ' ', ' ', bought->user.isnull ? 'n' : ' ' };
	int64 units;

	if (OidIsValid(store->orders) && sum_refunds_directly(store, order, &units))
		return units;
	inv_execute(store, INV_STMT_REFUNDED, values, nulls, INV_SNAPSHOT_LATEST);
	return inv_result_int64(0, OidIsValid(store->orders) ? 1 : 2);
}

/* Lock an order against other refunds, and read its items; raises IV003 if it has none. */
static BoughtItem *
lock_order(InvStore *store, Datum order, int *count)
{
	char *text = inv_datum_text(store->order_type, order);
	BoughtItem *bought;

	if (OidIsValid(store->orders))
		bought = bought_by_row(store, order, count);
	else
	{
		inv_lock_name(store->items, INV_LOCKTAG_ORDER_REFERENCE, text);
		bought = sales_of_order(store, order, count);
	}
	if (*count == 0)
		inv_error_order_not_found(text);
	for (int i = 0; i < *count; i++)
		bought[i].refunded = refunded_units(store, order, &bought[i]);
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
