/*
 * sold.c
 *		What was sold on an order, and what of it is refunded.
 *
 * An order is locked first: its row, or its reference where the store has no orders.  What
 * was sold and what is refunded already are read after that, with the latest snapshot, so
 * that calls on one order follow each other (invariant 9).  Orders are locked in key order.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/int.h"
#include "utils/builtins.h"

#include "base/compat.h"
#include "base/datum.h"
#include "base/error.h"
#include "base/lock.h"
#include "base/store_error.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/key_lookup.h"
#include "store/ledger_schema.h"
#include "store/query.h"
#include "store/query_text.h"
#include "stock/ledger.h"
#include "commands/sold.h"

/* The row of an order, which is locked. */
typedef struct OrderRow
{
	Datum item;
	int64 quantity;
	char *text;
	InvUser user;
	bool no_item;
	bool no_quantity;
} OrderRow;

char *
inv_order_text(InvStore *store, Datum order)
{
	return inv_datum_text(store->order_type, order);
}

/* The facts about an order: of its row, or without orders of its movements. */
static InvFacts *
order_facts(InvStore *store, Datum order)
{
	InvFacts *facts = OidIsValid(store->orders)
						  ? inv_facts(store->orders, store->order_id.key)
						  : inv_facts(store->ledger[INV_LEDGER_MOVEMENTS], "order_id");

	facts->name = inv_order_text(store, order);
	inv_fact_text(facts, "order_id", facts->name);
	return facts;
}

/* Raise because more would be refunded than is left (IV008). */
void
inv_error_order_refunded(InvStore *store, Datum order, int64 quantity, int64 refunded,
						 const InvSold *sold)
{
	InvFacts *facts = order_facts(store, order);

	inv_fact_number(facts, "requested", quantity);
	inv_fact_number(facts, "refunded", refunded);
	inv_fact_number(facts, "sold", sold->quantity);
	inv_error_refund_exceeds(facts, quantity, refunded,
							 sold->text ? sold->text : psprintf(INT64_FORMAT, sold->quantity));
}

/* The items of an order, and who bought them, by the movements of its sales. */
static InvSold *
sold_by_movements(InvStore *store, Datum order, int *count)
{
	uint64 rows = inv_execute(store, INV_STMT_SALES, &order, NULL, INV_SNAPSHOT_LATEST);
	InvSold *sold = palloc0(sizeof(InvSold) * Max(rows, 1));

	for (uint64 row = 0; row < rows; row++)
	{
		bool isnull;

		sold[row].item = inv_result(row, 1, &isnull);
		sold[row].quantity = inv_result_int64(row, 2);
		sold[row].user.value = inv_result(row, 3, &sold[row].user.isnull);
		sold[row].counted = PG_INT64_MAX;
	}
	*count = rows;
	return sold;
}

/*
 * Find the units that count against the purchase limit of their user: those of which there are
 * movements.  Those of a sale that close_ledger has carried are not known, so all may be.  Where
 * orders have no user, the movement of the sale says who that is.
 */
static void
find_counted_units(InvStore *store, Datum order, InvSold *sold)
{
	Datum values[] = { order, sold->item, sold->user.value };
	bool isnull;

	if (sold->user.isnull)
	{
		int sales;
		InvSold *sale = sold_by_movements(store, order, &sales);

		if (sales > 0)
			sold->user = sale->user;
		sold->counted = sales > 0 ? PG_INT64_MAX : 0;
		return;
	}
	inv_execute(store, INV_STMT_COUNTED, values, NULL, INV_SNAPSHOT_LATEST);
	sold->counted =
		DatumGetBool(inv_result(0, 2, &isnull)) ? PG_INT64_MAX : Max(inv_result_int64(0, 1), 0);
}

/* What was sold on an order by its row, which may be older than the store. */
static InvSold *
sold_by_row(InvStore *store, Datum order, const OrderRow *row)
{
	InvSold *sold = palloc0(sizeof(InvSold));

	if (row->no_item)
		inv_error_null("the item of the order");
	if (row->no_quantity)
		inv_error_null("the quantity of the order");
	sold->item = inv_item_of_order(store, row->item);
	sold->quantity = row->quantity;
	sold->text = row->text;
	sold->user = row->user;
	sold->counted = PG_INT64_MAX;
	if (store->purchase_limit.attnum)
		find_counted_units(store, order, sold);
	return sold;
}

/* What was sold on a locked order.  row is null where there is none. */
static void
find_sold(InvStore *store, InvOrder *order, const OrderRow *row)
{
	if (!OidIsValid(store->orders))
		order->sold = sold_by_movements(store, order->key, &order->count);
	else if (row)
	{
		order->sold = sold_by_row(store, order->key, row);
		order->count = 1;
	}
	for (int i = 0; i < order->count; i++)
		order->sold[i].refunded = inv_refunded_units(store, order->key, &order->sold[i]);
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
int64
inv_refunded_units(InvStore *store, Datum order, const InvSold *sold)
{
	Datum values[] = { order, sold->item, sold->user.value };
	char nulls[] = { ' ', ' ', sold->user.isnull ? 'n' : ' ' };
	int64 units;

	if (OidIsValid(store->orders) && sum_refunds_directly(store, order, &units))
		return units;
	inv_execute(store, INV_STMT_REFUNDED, values, nulls, INV_SNAPSHOT_LATEST);
	return inv_result_int64(0, OidIsValid(store->orders) ? 1 : 2);
}

/* ---- locking ---- */

static OrderRow *
read_order_row(uint64 number)
{
	OrderRow *row = palloc0(sizeof(OrderRow));
	Datum quantity;
	bool no_text;

	row->item = inv_result(number, 2, &row->no_item);
	row->quantity = DatumGetInt64(inv_result(number, 3, &row->no_quantity));
	row->user.value = inv_result(number, 4, &row->user.isnull);
	quantity = inv_result(number, 5, &no_text);
	row->text = no_text ? NULL : TextDatumGetCString(quantity);
	return row;
}

/* Copy what the row of an order says; null if its quantity is not a whole number. */
static OrderRow *
copy_order_row(InvStore *store, InvKeyLookup *lookup)
{
	const InvColumn *quantity = &store->order_quantity;
	OrderRow *row = palloc0(sizeof(OrderRow));

	if (quantity->attnum == InvalidAttrNumber)
		row->quantity = 1;
	else if (quantity->base == INT2OID || quantity->base == INT4OID || quantity->base == INT8OID)
		row->quantity = inv_column_number(lookup->rows.slot, quantity, 0, &row->no_quantity);
	else
		return NULL;
	row->text = row->no_quantity ? NULL : psprintf(INT64_FORMAT, row->quantity);
	row->item = inv_key_row_value(lookup, store->order_item.attnum, &row->no_item);
	row->user = inv_no_user;
	if (store->order_user.attnum != InvalidAttrNumber)
		row->user.value = inv_key_row_value(lookup, store->order_user.attnum, &row->user.isnull);
	return row;
}

/* Lock the row of an order without a statement; false if that needs one. */
static bool
lock_row_directly(InvStore *store, const InvOrder *order, OrderRow **found)
{
	const bool not_null = false;
	InvKeyLookup lookup;
	bool known = true;

	/* code of the shop that the call has run can have changed the columns of orders */
	if (!store->valid ||
		!inv_begin_key_lookup(&lookup, store, INV_KEY_ORDER, &order->key, &not_null, 1))
		return false;
	while (known && inv_next_key_row(&lookup))
	{
		/* a second row is an error, which the statement raises */
		known = *found == NULL && inv_lock_key_row(&lookup);
		if (known)
			*found = copy_order_row(store, &lookup);
		known = known && *found != NULL;
	}
	inv_end_key_lookup(&lookup);
	return known;
}

/* Lock the rows of orders, in key order; null for an order that has none. */
static OrderRow **
lock_rows(InvStore *store, InvOrder *orders, int count)
{
	OrderRow **found = palloc0(sizeof(OrderRow *) * count);
	int locked = 0;
	Datum *keys = palloc(sizeof(Datum) * count);
	Datum array;
	uint64 rows, row = 0;

	while (locked < count && lock_row_directly(store, &orders[locked], &found[locked]))
		locked++;
	if (locked == count)
		return found;
	memset(found, 0, sizeof(OrderRow *) * count);
	for (int i = 0; i < count; i++)
		keys[i] = orders[i].key;
	array = inv_make_array(store->order_type, keys, NULL, count);
	rows = inv_execute(store, INV_STMT_LOCK_ORDERS, &array, NULL, INV_SNAPSHOT_LATEST);
	/* both are in key order */
	for (int i = 0; i < count; i++)
	{
		uint64 first = row;
		bool isnull;

		while (row < rows && inv_order_compare(store, inv_result(row, 1, &isnull), keys[i]) == 0)
			row++;
		if (row - first > 1)
			inv_error_order_not_unique(store->orders_name, inv_order_text(store, keys[i]),
									   row - first);
		if (row > first)
			found[i] = read_order_row(first);
	}
	return found;
}

/*
 * Lock orders against other calls that change what is sold on them, and read what was sold
 * and what is refunded.  They must be in key order, each once.  An order that does not exist
 * has a count of 0.
 */
void
inv_lock_orders(InvStore *store, InvOrder *orders, int count)
{
	OrderRow **rows = NULL;

	Assert(count > 0);
	if (OidIsValid(store->orders))
		rows = lock_rows(store, orders, count);
	else
		for (int i = 0; i < count; i++)
			inv_lock_name(store->items, INV_LOCKTAG_ORDER_REFERENCE,
						  inv_order_text(store, orders[i].key));
	for (int i = 0; i < count; i++)
		find_sold(store, &orders[i], rows ? rows[i] : NULL);
	INV_POINT("inventory-after-order-lock");
}

/* The same of one order; raises IV003 if it does not exist. */
InvOrder
inv_lock_order(InvStore *store, Datum key)
{
	InvOrder order = { .key = key };

	inv_lock_orders(store, &order, 1);
	if (order.count == 0)
		inv_error_order_not_found(order_facts(store, key));
	return order;
}

/*
 * What was sold on an order that is one line, or of which the other lines are refunded; raises
 * 22023 if it is not.
 */
InvSold *
inv_only_sold(const InvOrder *order, const char *what)
{
	InvSold *only = order->sold;
	int open = 0;

	for (int i = 0; i < order->count; i++)
		if (inv_sold_left(&order->sold[i]) > 0)
		{
			only = &order->sold[i];
			open++;
		}
	if (open > 1)
		inv_error_value(psprintf("cannot %s of an order with several items or users", what), NULL);
	return only;
}

/* The units that can still be refunded. */
int64
inv_sold_left(const InvSold *sold)
{
	return Max(sold->quantity - sold->refunded, 0);
}
