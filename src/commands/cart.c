/*
 * cart.c
 *		The lines of a cart, read and checked before any stock is locked.
 *
 * A line is an object with item_id, quantity (default 1) and columns of orders
 * that callers may set.  order_data is an object with such columns for every line;
 * a line's own value takes precedence.  A quantity must be a JSON number without a
 * fraction, and an unknown key is an error.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/int.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "base/compat.h"
#include "base/datum.h"
#include "base/error.h"
#include "base/units.h"
#include "store/binding.h"
#include "store/column.h"
#include "stock/quantity.h"
#include "stock/take.h"
#include "commands/cart.h"
#include "commands/shape.h"

/* order_data is copied for each line: if it has columns of its own, and when orders are written */
#define MAX_COPIED_BYTES (256 * 1024 * 1024)

/* ---- values ---- */

static Datum
parse_line_item(InvStore *store, const JsonbValue *value)
{
	char *string;
	Datum item;

	if (value == NULL || value->type == jbvNull)
		inv_error_null("item_id of a line");
	string = inv_json_text(value);
	if (string == NULL)
		inv_error_value("item_id of a line must be a string or a number", INV_LINE_HINT);
	item = inv_from_text(store->item_id.base, string);
	inv_check_id_length(store->item_id.base, item, "item_id of a line");
	return item;
}

/* A whole JSON number from 1 to the largest bigint; 1 if there is none. */
static int64
parse_line_quantity(const JsonbValue *value)
{
	const char *number;
	char *end;
	long long quantity;

	if (value == NULL)
		return 1;
	if (value->type == jbvNull)
		inv_error_null("quantity of a line");
	if (value->type != jbvNumeric)
		inv_error_value("quantity of a line must be a number", INV_LINE_HINT);
	number = inv_json_text(value);
	errno = 0;
	quantity = strtoll(number, &end, 10);
	if (errno != 0)
		inv_error_value(psprintf("quantity of a line is out of range: %.40s", number), NULL);
	if (*end == '.')
		end += 1 + strspn(end + 1, "0");
	if (*end != '\0')
		inv_error_value(psprintf("quantity of a line must be a whole number, not %.40s", number),
						NULL);
	if (quantity < 1)
		inv_error_quantity("quantity of a line", quantity);
	return quantity;
}

/* ---- columns that the caller sets ---- */

/*
 * The bit in InvLine.columns of a column that callers may set; raises if they may not.  0: it
 * is no column of a row.
 */
static uint64
settable_column(InvStore *store, const JsonbValue *key, bool is_line)
{
	char *name = pnstrdup(key->val.string.val, key->val.string.len);

	if (!OidIsValid(store->orders))
	{
		if (strcmp(name, "order_id") == 0)
			return 1;
		inv_error_unknown_column(name,
								 psprintf("store \"%s\", which has no orders,", store->store_name),
								 inv_meant_key(store, name, is_line));
	}
	for (int i = 0; i < store->order_columns.settable; i++)
		if (strcmp(store->order_columns.columns[i].key, name) == 0)
			return UINT64CONST(1) << i;
	/* where a function makes the rows, the rest is for it alone */
	if (OidIsValid(store->prepare) && (!store->has_values || get_attnum(store->orders, name) <= 0))
		return 0;
	if (get_attnum(store->orders, name) <= 0)
		inv_error_unknown_column(name, store->orders_name, inv_meant_key(store, name, is_line));
	inv_error_column_not_allowed(name, store->store_name, "order_columns");
}

/* Add the columns of an object to the one under construction; returns their bits. */
static uint64
push_columns(InvStore *store, JsonbContainer *object, bool is_line, InvJsonbState *state)
{
	JsonbIterator *iterator = JsonbIteratorInit(object);
	JsonbValue key, value;
	uint64 columns = 0, bit;

	while (inv_next_member(&iterator, &key, &value))
	{
		if (is_line && (inv_is_key(&key, "item_id") || inv_is_key(&key, "quantity")))
			continue;
		if ((bit = settable_column(store, &key, is_line)) == 0)
			continue;
		columns |= bit;
		inv_jsonb_push(state, WJB_KEY, &key);
		inv_jsonb_push(state, WJB_VALUE, &value);
	}
	return columns;
}

/* The columns that the caller sets for a line: order_data, then the line's own over it. */
static void
merge_columns(InvStore *store, InvLine *line, JsonbContainer *own, Jsonb *order_data)
{
	InvJsonbState state = { 0 };

	Assert(line->columns == 0 && line->data == NULL);
	inv_jsonb_push(&state, WJB_BEGIN_OBJECT, NULL);
	if (order_data)
		line->columns |= push_columns(store, &order_data->root, false, &state);
	if (own)
		line->columns |= push_columns(store, own, true, &state);
	inv_jsonb_push(&state, WJB_END_OBJECT, NULL);
	line->data = JsonbValueToJsonb(state.result);
}

/*
 * Columns that the caller sets for every line of a cart.  They are merged once for all lines
 * that have none of their own.
 */
typedef struct CommonColumns
{
	Jsonb *order_data; /* null if there is none, or it is empty */
	InvLine merged;	   /* its columns and data; data is null until a line needs them */
	Size copied;	   /* bytes of order_data, counted once for each line so far */
} CommonColumns;

static CommonColumns
common_columns(Jsonb *order_data)
{
	CommonColumns common = { 0 };

	if (order_data && JB_ROOT_COUNT(order_data) > 0)
		common.order_data = order_data;
	return common;
}

/* Set the columns of a line.  own may be null. */
static void
set_columns(InvStore *store, InvLine *line, JsonbContainer *own, CommonColumns *common)
{
	line->own = own;
	common->copied += common->order_data ? VARSIZE_ANY(common->order_data) : 0;
	if (common->copied > MAX_COPIED_BYTES)
		inv_error_value("order_data is too large for so many lines", "Buy fewer lines at a time.");
	if (own)
		merge_columns(store, line, own, common->order_data);
	else if (common->order_data)
	{
		if (common->merged.data == NULL)
			merge_columns(store, &common->merged, NULL, common->order_data);
		line->columns = common->merged.columns;
		line->data = common->merged.data;
	}
}

/*
 * Raise if a line has a key that it may not have: one of a reservation has item_id and quantity
 * only, one of a sale also columns that callers may set.
 */
static void
check_keys(InvStore *store, JsonbContainer *line, InvPurpose purpose)
{
	JsonbIterator *iterator = JsonbIteratorInit(line);
	JsonbValue key, value;

	while (inv_next_member(&iterator, &key, &value))
	{
		const char *name;

		if (inv_is_key(&key, "item_id") || inv_is_key(&key, "quantity"))
			continue;
		if (purpose == INV_PURPOSE_SALE)
		{
			(void) settable_column(store, &key, true);
			continue;
		}
		name = pnstrdup(key.val.string.val, key.val.string.len);
		inv_error_unknown_column(name, "a line of a reservation", inv_meant_key(NULL, name, true));
	}
}

/* Where orders have no quantity column, an order row stands for one unit. */
static void
check_unit(InvStore *store, int64 quantity)
{
	if (OidIsValid(store->orders) && store->order_quantity.attnum == InvalidAttrNumber &&
		quantity != 1)
		inv_error_value(
			psprintf("quantity must be 1: an order row of store \"%s\" stands for one unit",
					 store->store_name),
			"The orders table has no quantity column; buy a cart of several lines, "
			"or add the column and attach again.");
}

/* Check that units of an item can be held: they will have to fit into one order row. */
void
inv_check_held(InvStore *store, int64 quantity)
{
	const InvColumn *column = &store->order_quantity;

	check_unit(store, quantity);
	if (OidIsValid(store->orders) && ((column->base == INT2OID && quantity > PG_INT16_MAX) ||
									  (column->base == INT4OID && quantity > PG_INT32_MAX)))
		inv_error_overflow("quantity of an order");
}

/*
 * Check what the store's orders need of a line: one unit where there is no quantity
 * column, and the key where no default makes it.  Where the store has no orders,
 * the caller's order_id is the line's reference.
 */
static void
check_order(InvStore *store, InvLine *line, InvPurpose purpose)
{
	if (!OidIsValid(store->orders))
	{
		JsonbValue *reference =
			line->columns ? inv_json_member(&line->data->root, "order_id") : NULL;
		char *text = reference ? inv_json_text(reference) : NULL;

		if (reference && reference->type != jbvNull && text == NULL)
			inv_error_value("order_id must be a string or a number", NULL);
		line->no_order = text == NULL;
		line->order = text ? CStringGetTextDatum(text) : (Datum) 0;
		if (text)
			inv_check_id_length(TEXTOID, line->order, "order_id");
		return;
	}
	check_unit(store, line->quantity);
	if (purpose == INV_PURPOSE_SALE && !store->order_id.filled && store->order_id.notnull &&
		!OidIsValid(store->prepare))
	{
		JsonbValue *key =
			line->columns ? inv_json_member(&line->data->root, store->order_id.key) : NULL;

		if (key == NULL || key->type == jbvNull)
			inv_error_null(psprintf("%s, which has no default,", store->order_id.key));
	}
}

/* ---- carts ---- */

static int
compare_lines(const void *a, const void *b, void *arg)
{
	const InvLine *left = *(InvLine *const *) a;
	const InvLine *right = *(InvLine *const *) b;

	return inv_item_compare(arg, left->item, right->item);
}

/* Sum the lines of each item into cart->takes, in key order. */
static void
sum_lines(InvStore *store, InvCart *cart)
{
	InvLine **sorted = palloc(sizeof(InvLine *) * cart->line_count);

	for (int i = 0; i < cart->line_count; i++)
		sorted[i] = &cart->lines[i];
	qsort_arg(sorted, cart->line_count, sizeof(InvLine *), compare_lines, store);
	cart->takes = palloc0(sizeof(InvTake) * cart->line_count);
	cart->take_count = 0;
	for (int i = 0; i < cart->line_count; i++)
	{
		InvTake *last = cart->take_count ? &cart->takes[cart->take_count - 1] : NULL;

		if (last == NULL || inv_item_compare(store, last->item, sorted[i]->item) != 0)
		{
			last = &cart->takes[cart->take_count++];
			last->item = sorted[i]->item;
		}
		if (pg_add_s64_overflow(last->quantity, sorted[i]->quantity, &last->quantity))
			inv_error_overflow("sum of the quantities of an item");
		sorted[i]->take = cart->take_count - 1;
	}
	Assert(cart->take_count > 0 && cart->take_count <= cart->line_count);
}

/* The units of all lines, for the statistics. */
int64
inv_cart_units(const InvCart *cart)
{
	int64 units = 0;

	for (int i = 0; i < cart->take_count; i++)
		units = inv_add_units(units, cart->takes[i].quantity);
	return units;
}

/* A cart of one line.  order_data may be null. */
void
inv_cart_of_item(InvStore *store, InvCart *cart, Datum item, int64 quantity, Jsonb *order_data,
				 InvPurpose purpose)
{
	InvLine *line = palloc0(sizeof(InvLine));

	inv_check_order_data(order_data);
	line->item = item;
	line->quantity = quantity;
	if (order_data && JB_ROOT_COUNT(order_data) > 0)
		merge_columns(store, line, NULL, order_data);
	check_order(store, line, purpose);
	if (purpose == INV_PURPOSE_HOLD)
		inv_check_held(store, quantity);
	cart->lines = line;
	cart->line_count = 1;
	cart->takes = palloc0(sizeof(InvTake));
	cart->takes->item = item;
	cart->takes->quantity = quantity;
	cart->take_count = 1;
}

/* A cart of a JSON array of lines, at most INV_MAX_LINES.  order_data may be null. */
void
inv_cart_of_lines(InvStore *store, InvCart *cart, Jsonb *lines, Jsonb *order_data,
				  InvPurpose purpose)
{
	CommonColumns common = common_columns(order_data);

	inv_check_order_data(order_data);
	inv_check_lines(lines);
	cart->line_count = JB_ROOT_COUNT(lines);
	if (cart->line_count > INV_MAX_LINES)
		inv_error_too_many_lines(cart->line_count, INV_MAX_LINES);
	cart->lines = palloc0(sizeof(InvLine) * cart->line_count);
	for (int i = 0; i < cart->line_count; i++)
	{
		InvLine *line = &cart->lines[i];
		JsonbContainer *object = inv_line_object(getIthJsonbValueFromContainer(&lines->root, i));
		JsonbValue *item = inv_json_member(object, "item_id");
		JsonbValue *quantity;

		/* an unknown key says more than a missing item_id */
		if (item == NULL)
			check_keys(store, object, purpose);
		quantity = inv_json_member(object, "quantity");
		line->item = parse_line_item(store, item);
		line->quantity = parse_line_quantity(quantity);
		if (JsonContainerSize(object) == (item ? 1u : 0u) + (quantity ? 1u : 0u))
			object = NULL;
		if (object && purpose == INV_PURPOSE_HOLD)
			check_keys(store, object, purpose);
		set_columns(store, line, object, &common);
		check_order(store, line, purpose);
	}
	sum_lines(store, cart);
	for (int i = 0; purpose == INV_PURPOSE_HOLD && i < cart->take_count; i++)
		inv_check_held(store, cart->takes[i].quantity);
}

/*
 * The objects of an array, one for each item that is held and null where there is none.
 * held is in key order.
 */
static JsonbContainer **
objects_of_held(InvStore *store, Jsonb *array, InvTake *held, int count)
{
	JsonbContainer **objects = palloc0(sizeof(JsonbContainer *) * count);

	if (JB_ROOT_COUNT(array) > INV_MAX_LINES)
		inv_error_too_many_lines(JB_ROOT_COUNT(array), INV_MAX_LINES);
	for (uint32 i = 0; i < JB_ROOT_COUNT(array); i++)
	{
		JsonbValue *value = getIthJsonbValueFromContainer(&array->root, i);
		JsonbContainer *object = inv_json_object(value);
		const InvTake *found;

		if (object == NULL)
			inv_error_value("order_data must be an object, or an array of objects", NULL);
		found = inv_find_take(store, held, count,
							  parse_line_item(store, inv_json_member(object, "item_id")));
		if (found == NULL)
			inv_error_value("order_data names an item that the reservation does not hold", NULL);
		if (objects[found - held])
			inv_error_value("order_data names an item twice", NULL);
		if (inv_json_member(object, "quantity"))
			inv_error_value("order_data cannot change the quantity of a reservation",
							"Use change_reservation first.");
		objects[found - held] = object;
	}
	return objects;
}

/*
 * The cart of a reservation that is confirmed: a line per item that it holds, in key order.
 * order_data is null, an object for every line, or an array of objects with item_id.
 */
void
inv_cart_of_hold(InvStore *store, InvCart *cart, InvTake *held, int count, Jsonb *order_data)
{
	bool is_array = order_data && JB_ROOT_IS_ARRAY(order_data) && !JB_ROOT_IS_SCALAR(order_data);
	CommonColumns common = common_columns(is_array ? NULL : order_data);
	JsonbContainer **own = NULL;

	Assert(count > 0);
	if (is_array)
		own = objects_of_held(store, order_data, held, count);
	else
		inv_check_order_data(order_data);
	cart->lines = palloc0(sizeof(InvLine) * count);
	cart->line_count = count;
	cart->takes = palloc(sizeof(InvTake) * count);
	memcpy(cart->takes, held, sizeof(InvTake) * count);
	cart->take_count = count;
	for (int i = 0; i < count; i++)
	{
		InvLine *line = &cart->lines[i];

		line->item = held[i].item;
		line->quantity = held[i].quantity;
		line->take = i;
		set_columns(store, line, own ? own[i] : NULL, &common);
		check_order(store, line, INV_PURPOSE_SALE);
	}
}
