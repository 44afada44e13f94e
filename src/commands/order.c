/*
 * order.c
 *		Order rows.
 *
 * A line that is bought becomes one row of the shop's orders, with the bound columns
 * and those that the caller set.  The key of the row goes into the movement and the
 * answer.  Expects the stock to be taken.
 */
#include "postgres.h"

#include "catalog/pg_type.h"

#include "base/compat.h"
#include "base/error.h"
#include "base/store_error.h"
#include "store/binding.h"
#include "store/direct_insert.h"
#include "store/query.h"
#include "store/query_insert.h"
#include "stock/expected_line.h"
#include "commands/cart.h"
#include "commands/order.h"

/* The most units that the quantity column takes. */
static int64
most_units(InvStore *store)
{
	return store->order_quantity.base == INT2OID   ? PG_INT16_MAX
		   : store->order_quantity.base == INT4OID ? PG_INT32_MAX
												   : PG_INT64_MAX;
}

/* Check that what is taken of each item fits into the quantity column, if the store has orders. */
void
inv_check_units_of_orders(InvStore *store, const InvCart *cart)
{
	for (int i = 0; OidIsValid(store->orders) && i < cart->take_count; i++)
		if (cart->takes[i].quantity > most_units(store))
			inv_error_overflow("quantity");
}

/* Check that each line fits into the quantity column, whichever way its row is inserted. */
static void
check_order_quantities(InvStore *store, const InvCart *cart)
{
	int64 most = most_units(store);

	for (int i = 0; i < cart->line_count; i++)
		if (cart->lines[i].quantity > most)
			inv_error_overflow("quantity");
}

/* Insert the lines that set no column without a statement; false if the table needs one. */
static bool
insert_directly(InvStore *store, InvCart *cart, const InvUser *user)
{
	InvDirectRow *rows = palloc0(sizeof(InvDirectRow) * cart->line_count);
	bool items_written = true;
	int count = 0;

	for (int i = 0; i < cart->line_count; i++)
	{
		InvLine *line = &cart->lines[i];
		InvDirectRow *row = &rows[count];

		if (line->columns != 0)
			continue;
		row->values[INV_ORDER_ITEM] = line->item;
		row->values[INV_ORDER_QUANTITY] = Int64GetDatum(line->quantity);
		row->values[INV_ORDER_USER] = user->value;
		row->nulls[INV_ORDER_USER] = user->isnull;
		row->values[INV_ORDER_HEADER] = line->header;
		row->nulls[INV_ORDER_HEADER] = !line->has_header;
		items_written = items_written && cart->takes[line->take].row_written;
		count++;
	}
	if (!inv_direct_insert(store, INV_TARGET_ORDERS, rows, count, items_written))
		return false;
	count = 0;
	for (int i = 0; i < cart->line_count; i++)
	{
		InvLine *line = &cart->lines[i];

		if (line->columns != 0)
			continue;
		if (!rows[count].written)
			inv_error_order_rows(store->orders_name, 1, 0);
		line->order = rows[count].key;
		line->no_order = rows[count++].no_key;
	}
	return true;
}

/* Insert the lines that set exactly these columns, in one statement. */
static void
insert_group(InvStore *store, InvCart *cart, uint64 columns, const InvUser *user)
{
	Datum *items = palloc(sizeof(Datum) * cart->line_count);
	Datum *quantities = palloc(sizeof(Datum) * cart->line_count);
	Datum *data = palloc0(sizeof(Datum) * cart->line_count);
	bool *no_data = palloc(sizeof(bool) * cart->line_count);
	InvLine **group = palloc(sizeof(InvLine *) * cart->line_count);
	Datum values[5];
	char nulls[] = { ' ', ' ', user->isnull ? 'n' : ' ', ' ', ' ' };
	int base = inv_expect_lines_begin();
	uint64 count = 0, rows;

	for (int i = 0; i < cart->line_count; i++)
	{
		InvLine *line = &cart->lines[i];

		if (line->columns != columns)
			continue;
		items[count] = line->item;
		quantities[count] = Int64GetDatum(line->quantity);
		no_data[count] = line->data == NULL;
		if (line->data)
			data[count] = JsonbPGetDatum(line->data);
		inv_expect_line(store, line->item, line->quantity, user);
		group[count++] = line;
	}
	Assert(count > 0);
	values[0] = inv_make_array(store->item_id.base, items, NULL, count);
	values[1] = inv_make_array(INT8OID, quantities, NULL, count);
	values[2] = user->value;
	values[3] = inv_make_array(JSONBOID, data, no_data, count);
	/* the columns of lines that name a header have it */
	values[4] = group[0]->header;
	nulls[4] = group[0]->has_header ? ' ' : 'n';
	rows = inv_insert_orders(store, columns, values, nulls);
	inv_expect_lines_end(base);
	if (rows != count)
		inv_error_order_rows(store->orders_name, count, rows);
	for (uint64 row = 0; row < rows; row++)
		group[row]->order = inv_result(row, 1, &group[row]->no_order);
}

/*
 * Insert an order row per line of a cart, and set its key in the line.  Lines that set
 * the same columns share a statement.  A store without orders has nothing to insert.
 */
void
inv_insert_cart(InvStore *store, InvCart *cart, const InvUser *user)
{
	Assert(cart->line_count > 0);
	if (!OidIsValid(store->orders))
		return;
	check_order_quantities(store, cart);
	for (int i = 0; i < cart->line_count; i++)
	{
		uint64 columns = cart->lines[i].columns;
		bool first = true;

		for (int j = 0; first && j < i; j++)
			first = cart->lines[j].columns != columns;
		if (first && !(columns == 0 && insert_directly(store, cart, user)))
			insert_group(store, cart, columns, user);
	}
	INV_POINT("inventory-after-order");
}
