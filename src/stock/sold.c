/*
 * sold.c
 *		What was sold on an order, and what of it is refunded.
 *
 * A line's row says what was sold on it as long as only the engine writes the row.  The
 * guard (orders_guard.c) records what others change, so what was sold is the row without
 * what these changes added: nothing of a line that the shop inserted, all of one that it
 * deleted, and the item and the user of the sale where the row names others by now.  This
 * needs no index on the movements of sales, and it holds for lines that are older than the
 * store, by what their rows were at that time.
 *
 * An order is locked first: its row, then the first of its changes, because the row can be
 * gone; or its reference where the store has no orders.  What was sold and what is refunded
 * already are read after that, with the latest snapshot, so that calls on one order follow
 * each other (invariant 9).  Orders are locked in key order.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "base/compat.h"
#include "base/error.h"
#include "base/lock.h"
#include "base/store_error.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/ledger_schema.h"
#include "store/query.h"
#include "store/query_text.h"
#include "stock/ledger.h"
#include "stock/order_change.h"
#include "stock/order_fact.h"
#include "stock/order_lookup.h"
#include "stock/sold.h"
#include "stock/sold_followed.h"

/* Raise because more would be refunded than is left (IV008). */
void
inv_error_order_refunded(InvStore *store, Datum order, int64 quantity, int64 refunded,
						 const InvSold *sold)
{
	InvFacts *facts = inv_order_facts(store, order);

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

		sold->counted = 0;
		for (int i = 0; i < sales && sold->counted == 0; i++)
			if (inv_item_compare(store, sale[i].item, sold->item) == 0)
			{
				sold->user = sale[i].user;
				sold->counted = PG_INT64_MAX;
			}
		return;
	}
	inv_execute(store, INV_STMT_COUNTED, values, NULL, INV_SNAPSHOT_LATEST);
	sold->counted =
		DatumGetBool(inv_result(0, 2, &isnull)) ? PG_INT64_MAX : Max(inv_result_int64(0, 1), 0);
}

/* ---- lines ---- */

/* What was sold on a line that only the engine has written; it may be older than the store. */
static InvSold *
sold_by_row(InvStore *store, const InvOrderRow *row, char *text)
{
	InvSold *sold = palloc0(sizeof(InvSold));

	if (row->no_item)
		inv_error_null("the item of the order");
	if (row->no_units)
		inv_error_null("the quantity of the order");
	sold->item = inv_item_of_order(store, row->item);
	sold->quantity = row->units;
	sold->text = text;
	sold->user = row->user;
	return sold;
}

/*
 * What was sold on a line that others have changed, whose row is as given, or does not exist.
 * This is one item, unless the key was used again after the row was deleted.
 */
static InvSold *
sold_without_changes(InvStore *store, Datum key, const InvOrderRow *row, int *count)
{
	Datum values[] = { key, row->item, Int64GetDatum(row->units), row->user.value };
	char nulls[] = { ' ', row->exists && !row->no_item ? ' ' : 'n',
					 row->exists && !row->no_units ? ' ' : 'n',
					 row->exists && !row->user.isnull ? ' ' : 'n' };
	InvSold *sold;

	*count = inv_execute(store, INV_STMT_SOLD, values, nulls, INV_SNAPSHOT_LATEST);
	sold = palloc0(sizeof(InvSold) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
	{
		bool isnull;

		sold[i].item = inv_item_of_order(store, inv_result(i, 1, &isnull));
		sold[i].quantity = inv_result_int64(i, 2);
		sold[i].user.value = inv_result(i, 3, &sold[i].user.isnull);
	}
	return sold;
}

/* ---- refunds ---- */

/*
 * The units that are refunded already.  An order row is one line, of one item unless its key
 * was used again: every refund of it counts.
 */
static int64
refunded_units(InvStore *store, Datum order, const InvSold *sold)
{
	Datum values[] = { order, sold->item, sold->user.value };
	char nulls[] = { ' ', ' ', sold->user.isnull ? 'n' : ' ' };
	int64 units;

	if (OidIsValid(store->orders) && sold->is_only && inv_direct_sum_refunds(store, order, &units))
		return units;
	inv_execute(store, INV_STMT_REFUNDED, values, nulls, INV_SNAPSHOT_LATEST);
	/* what users bought is told apart where the movements say what was sold */
	if (!OidIsValid(store->orders) || inv_follows_orders(store))
		return inv_result_int64(0, 3);
	return inv_result_int64(0, sold->is_only ? 1 : 2);
}

/* After a refund: triggers of the shop may have refunded the same units (IV008). */
void
inv_check_refunded(InvStore *store, Datum order, InvSold *sold, int64 quantity)
{
	sold->refunded = refunded_units(store, order, sold);
	if (sold->refunded > sold->quantity)
		inv_error_order_refunded(store, order, quantity, sold->refunded - quantity, sold);
}

/* Read what of the units of an order is refunded, and what counts against purchase limits. */
static void
find_refunded(InvStore *store, InvOrder *order)
{
	for (int i = 0; i < order->count; i++)
	{
		InvSold *sold = &order->sold[i];

		sold->is_only = order->count == 1;
		sold->counted = PG_INT64_MAX;
		if (OidIsValid(store->orders) && store->purchase_limit.attnum)
			find_counted_units(store, order->key, sold);
		sold->refunded = refunded_units(store, order->key, sold);
	}
}

/*
 * The units of a line that can still be refunded, if its row is as given.  Does not lock it.
 */
int64
inv_line_left(InvStore *store, const InvOrderRow *row)
{
	InvOrder line = { .key = row->order };
	int64 left = 0;

	line.sold = sold_without_changes(store, line.key, row, &line.count);
	find_refunded(store, &line);
	for (int i = 0; i < line.count; i++)
		left += inv_sold_left(&line.sold[i]);
	return left;
}

/* ---- lines that the engine changes ---- */

/* Record a change of one of the bound columns of a line, if it is one. */
static void
record_difference(InvStore *store, const InvOrder *order, const InvOrderRow *before,
				  const InvOrderRow *after)
{
	if (!inv_order_row_same(store, before, after))
		inv_record_change(store, order->key, INV_CHANGE_UPDATE, before, after);
}

/*
 * The engine is about to write the quantity of a line that others have changed.  With it the
 * line's row says again what is sold, but for an item or a user that others have written:
 * record that the row becomes what was sold, and after the new quantity, what differs still.
 */
void
inv_replace_changes(InvStore *store, const InvOrder *order, const InvSold *sold, int64 quantity)
{
	InvOrderRow row = order->row;
	InvOrderRow sale = row;

	if (!order->changed)
		return;
	sale.item = inv_item_for_order(store, sold->item);
	sale.no_item = false;
	sale.units = sold->quantity;
	sale.no_units = false;
	if (store->order_user.attnum != InvalidAttrNumber)
		sale.user = sold->user;
	record_difference(store, order, &row, &sale);
	row.units = sale.units = quantity;
	row.no_units = false;
	record_difference(store, order, &sale, &row);
}

/* ---- locking ---- */

/* A line of which the row is locked, if there is one. */
typedef struct LockedLine
{
	InvOrder *order;
	InvOrderRow row;
	char *text; /* of the quantity */
} LockedLine;

/* The user is that of the row, or else of its header; guards see the row alone. */
static void
read_locked_user(InvStore *store, uint64 number, LockedLine *line)
{
	InvUser user;

	user.value = inv_result(number, 4, &user.isnull);
	line->row.user = store->order_user.attnum != InvalidAttrNumber ? user : inv_no_user;
	line->order->header_user = store->order_user.attnum == InvalidAttrNumber ? user : inv_no_user;
}

static void
read_locked_row(InvStore *store, uint64 number, LockedLine *line)
{
	InvOrderRow *row = &line->row;
	bool no_text;
	Datum quantity;

	row->exists = true;
	row->no_header = true;
	row->order = inv_result(number, 1, &row->no_order);
	row->item = inv_result(number, 2, &row->no_item);
	row->units = DatumGetInt64(inv_result(number, 3, &row->no_units));
	read_locked_user(store, number, line);
	quantity = inv_result(number, 5, &no_text);
	line->text = no_text ? NULL : TextDatumGetCString(quantity);
}

/* Lock the row of an order without a statement; false if that needs one. */
static bool
lock_row_directly(InvStore *store, LockedLine *line)
{
	InvOrderRow *row = &line->row;

	if (!inv_direct_lock_order_row(store, line->order->key, row))
		return false;
	line->text = row->exists && !row->no_units ? psprintf(INT64_FORMAT, row->units) : NULL;
	return true;
}

/* Lock the rows of orders, in key order, and read those that exist. */
static void
lock_rows(InvStore *store, LockedLine *lines, int count)
{
	Datum *keys = palloc(sizeof(Datum) * count);
	Datum array;
	uint64 rows, row = 0;
	int locked = 0;

	while (locked < count && lock_row_directly(store, &lines[locked]))
		locked++;
	if (locked == count)
		return;
	for (int i = 0; i < count; i++)
	{
		lines[i].row.exists = false;
		keys[i] = lines[i].order->key;
	}
	array = inv_make_array(store->order_type, keys, NULL, count);
	rows = inv_execute(store, INV_STMT_LOCK_ORDERS, &array, NULL, INV_SNAPSHOT_LATEST);
	/* both are in key order */
	for (int i = 0; i < count; i++)
	{
		uint64 found;

		if (inv_find_order_row(store, rows, &row, keys[i], &found))
			read_locked_row(store, found, &lines[i]);
	}
}

/* Have others changed the row of a line?  If they have, lock the first change. */
static bool
lock_changes(InvStore *store, Datum key)
{
	return inv_execute(store, INV_STMT_LOCK_CHANGES, &key, NULL, INV_SNAPSHOT_LATEST) > 0;
}

/* Lock the lines of orders, and read what was sold on them. */
static void
lock_lines(InvStore *store, InvOrder *orders, int count)
{
	LockedLine *lines = palloc0(sizeof(LockedLine) * count);

	if (!OidIsValid(store->ledger[INV_LEDGER_ORDER_CHANGES]))
		inv_error_broken_store(store->store_name, store->items, "A table of its ledger is gone.");
	for (int i = 0; i < count; i++)
	{
		lines[i].order = &orders[i];
		orders[i].header_user = inv_no_user;
	}
	lock_rows(store, lines, count);
	for (int i = 0; i < count; i++)
		orders[i].changed = lock_changes(store, orders[i].key);
	for (int i = 0; i < count; i++)
	{
		InvOrder *order = &orders[i];
		LockedLine *line = &lines[i];

		/* deleted and inserted again while its lock was waited for? */
		if (order->changed && !line->row.exists)
			lock_rows(store, line, 1);
		order->row = line->row;
		order->exists = line->row.exists || order->changed;
		order->count = line->row.exists;
		if (order->changed)
			order->sold = sold_without_changes(store, order->key, &line->row, &order->count);
		else if (line->row.exists)
			order->sold = sold_by_row(store, &line->row, line->text);
	}
}

/* Where neither a line nor the movement of its sale says who bought it, its header does. */
static void
find_header_user(InvOrder *order)
{
	for (int i = 0; i < order->count; i++)
		if (order->sold[i].user.isnull)
			order->sold[i].user = order->header_user;
}

/*
 * Lock orders against other calls that change what is sold on them, and read what was sold
 * and what is refunded.  They must be in key order, each once.
 */
void
inv_lock_orders(InvStore *store, InvOrder *orders, int count)
{
	Assert(count > 0);
	if (inv_follows_orders(store))
	{
		inv_lock_followed(store, orders, count);
		INV_POINT("inventory-after-order-lock");
		return;
	}
	if (OidIsValid(store->orders))
		lock_lines(store, orders, count);
	else
		for (int i = 0; i < count; i++)
		{
			inv_lock_name(store->items, INV_LOCKTAG_ORDER_REFERENCE,
						  inv_order_text(store, orders[i].key));
			orders[i].sold = sold_by_movements(store, orders[i].key, &orders[i].count);
			orders[i].exists = orders[i].count > 0;
		}
	for (int i = 0; i < count; i++)
		find_refunded(store, &orders[i]);
	for (int i = 0; i < count && OidIsValid(store->orders); i++)
		find_header_user(&orders[i]);
	INV_POINT("inventory-after-order-lock");
}

/* Raise IV003 if an order does not exist, IV008 if nothing was sold on it. */
void
inv_check_sold(InvStore *store, const InvOrder *order)
{
	if (!order->exists)
		inv_error_order_not_found(inv_order_facts(store, order->key));
	if (order->count == 0)
		inv_error_not_sold(inv_order_facts(store, order->key));
}

/* Lock one order, on which something was sold. */
InvOrder
inv_lock_order(InvStore *store, Datum key)
{
	InvOrder order = { .key = key };

	inv_lock_orders(store, &order, 1);
	inv_check_sold(store, &order);
	return order;
}

/*
 * What was sold on an order that is one line, or of which the other lines are refunded; raises
 * 22023 if it is not.
 */
InvSold *
inv_only_sold(const InvOrder *order, const char *what, const char *hint)
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
		inv_error_value(psprintf("cannot %s of an order with several items or users", what), hint);
	return only;
}

/* The units that can still be refunded. */
int64
inv_sold_left(const InvSold *sold)
{
	return Max(sold->quantity - sold->refunded, 0);
}
