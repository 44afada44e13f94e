/*
 * order.c
 *		A purchase: arguments, key, stock, order rows, movements, answer.
 *
 * buy_item and buy_cart raise what is refused; try_buy_cart returns it as the
 * statuses of the lines and leaves the transaction usable, because nothing was
 * written before everything was known to be there.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/json.h"

#include "argument.h"
#include "ledger.h"
#include "line.h"
#include "request.h"
#include "stock.h"

/* columns of the composite type "line" */
#define LINE_COLUMNS 6

/* ---- orders ---- */

/* One line, nothing but what is bound: the plain case has a plain INSERT. */
static void
insert_plain(InvStore *store, InvLine *line, const InvUser *user)
{
	Datum values[] = { line->item, Int64GetDatum(line->quantity), user->value };
	char nulls[] = { ' ', ' ', user->isnull ? 'n' : ' ' };
	uint64 rows = inv_insert_orders(store, 0, false, values, nulls);

	if (rows != 1)
		inv_error_order_rows(store->orders_name, 1, rows);
	line->order = inv_result(0, 1, &line->no_order);
}

/* The lines that set these columns, in one statement. */
static void
insert_group(InvStore *store, InvCart *cart, uint64 columns, const InvUser *user)
{
	Datum *items = palloc(sizeof(Datum) * cart->line_count);
	Datum *quantities = palloc(sizeof(Datum) * cart->line_count);
	Datum *data = palloc0(sizeof(Datum) * cart->line_count);
	bool *no_data = palloc(sizeof(bool) * cart->line_count);
	InvLine **group = palloc(sizeof(InvLine *) * cart->line_count);
	Datum values[4];
	char nulls[] = { ' ', ' ', user->isnull ? 'n' : ' ', ' ' };
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
		group[count++] = line;
	}
	values[0] = inv_array(store->item_id.base, items, NULL, count);
	values[1] = inv_array(INT8OID, quantities, NULL, count);
	values[2] = user->value;
	values[3] = inv_array(JSONBOID, data, no_data, count);
	rows = inv_insert_orders(store, columns, true, values, nulls);
	if (rows != count)
		inv_error_order_rows(store->orders_name, count, rows);
	for (uint64 row = 0; row < rows; row++)
		group[row]->order = inv_result(row, 1, &group[row]->no_order);
}

/* One row per line, each set of caller-given columns in one statement. */
static void
insert_orders(InvStore *store, InvCart *cart, const InvUser *user)
{
	if (!OidIsValid(store->orders))
		return;
	if (cart->line_count == 1 && cart->lines[0].columns == 0)
	{
		insert_plain(store, &cart->lines[0], user);
		return;
	}
	for (int i = 0; i < cart->line_count; i++)
	{
		bool first = true;

		for (int j = 0; first && j < i; j++)
			first = cart->lines[j].columns != cart->lines[i].columns;
		if (first)
			insert_group(store, cart, cart->lines[i].columns, user);
	}
}

/* ---- movements ---- */

/*
 * A movement per line.  An item that is not tracked is supplied as it is sold,
 * so that its movements sum to nothing and still say who bought what.
 */
static void
book(InvStore *store, InvCart *cart, const InvUser *user)
{
	Datum *items = palloc(sizeof(Datum) * cart->line_count);
	Datum *deltas = palloc(sizeof(Datum) * cart->line_count);
	Datum *orders = palloc(sizeof(Datum) * cart->line_count);
	bool *no_order = palloc(sizeof(bool) * cart->line_count);
	int untracked = 0;

	if (cart->line_count == 1 && cart->takes[0].tracked)
	{
		InvLine *line = cart->lines;

		inv_movement(store, line->item, -line->quantity, "sale", user, line->order, !line->no_order,
					 NULL);
		return;
	}
	for (int i = 0; i < cart->line_count; i++)
	{
		items[i] = cart->lines[i].item;
		deltas[i] = Int64GetDatum(-cart->lines[i].quantity);
		orders[i] = cart->lines[i].order;
		no_order[i] = cart->lines[i].no_order;
	}
	inv_movements(store, cart->line_count, items, deltas, "sale", user, orders, no_order, NULL);
	for (int i = 0; i < cart->line_count; i++)
	{
		if (cart->takes[cart->lines[i].take].tracked)
			continue;
		items[untracked] = cart->lines[i].item;
		deltas[untracked] = Int64GetDatum(cart->lines[i].quantity);
		orders[untracked] = cart->lines[i].order;
		no_order[untracked++] = cart->lines[i].no_order;
	}
	if (untracked > 0)
		inv_movements(store, untracked, items, deltas, "adjustment", NULL, orders, no_order,
					  "untracked");
}

/* Take, order, book; false and nothing done if the stock refuses. */
static bool
sell(InvStore *store, InvCart *cart, const InvUser *user)
{
	if (!inv_take(store, cart->takes, cart->take_count, user))
		return false;
	insert_orders(store, cart, user);
	book(store, cart, user);
	return true;
}

/* ---- answers ---- */

static char *
jsonb_text(Jsonb *value)
{
	return value ? JsonbToCString(NULL, &value->root, VARSIZE(value)) : NULL;
}

static void
append_id(StringInfo json, Oid type, Datum value, bool isnull)
{
	if (isnull)
		appendStringInfoString(json, "null");
	else
		escape_json(json, inv_datum_text(type, value));
}

/* What a line of the answer shows as available: null for an item without number. */
static bool
line_available(const InvTake *take, int64 *available)
{
	*available = inv_available(take->stock, take->floor);
	return take->tracked && take->status != INV_ITEM_NOT_FOUND;
}

static InvStatus
line_status(const InvTake *take, bool sold)
{
	return !sold && take->status == INV_OK ? INV_NOT_TAKEN : take->status;
}

/* The lines as JSON, for the idempotency key. */
static char *
lines_json(InvStore *store, InvCart *cart, bool sold)
{
	StringInfoData json;

	initStringInfo(&json);
	for (int i = 0; i < cart->line_count; i++)
	{
		InvLine *line = &cart->lines[i];
		InvTake *take = &cart->takes[line->take];
		int64 available;

		appendStringInfo(&json, "%s{\"status\": \"%s\", \"item_id\": ", i ? ", " : "[",
						 inv_status_name(line_status(take, sold)));
		append_id(&json, store->item_id.base, line->item, false);
		appendStringInfo(&json, ", \"quantity\": " INT64_FORMAT ", \"order_id\": ", line->quantity);
		append_id(&json, store->order_type, line->order, !sold || line->no_order);
		if (line_available(take, &available))
			appendStringInfo(
				&json, ", \"available\": %s",
				inv_datum_text(store->stock.base, inv_quantity_datum(store, available)));
		appendStringInfoChar(&json, '}');
	}
	appendStringInfoChar(&json, ']');
	return json.data;
}

static void
return_lines(InvStore *store, InvCart *cart, bool sold, ReturnSetInfo *result)
{
	for (int i = 0; i < cart->line_count; i++)
	{
		InvLine *line = &cart->lines[i];
		InvTake *take = &cart->takes[line->take];
		int64 available;
		bool shown = line_available(take, &available);
		Datum values[LINE_COLUMNS] = {
			CStringGetTextDatum(inv_status_name(line_status(take, sold))),
			line->item,
			inv_quantity_datum(store, line->quantity),
			line->order,
			inv_quantity_datum(store, available),
			BoolGetDatum(false),
		};
		bool nulls[LINE_COLUMNS] = { false, false, false, !sold || line->no_order, !shown, false };

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

static void
replay_lines(InvStore *store, Jsonb *answer, ReturnSetInfo *result)
{
	Datum value = JsonbPGetDatum(answer);
	uint64 rows = inv_execute(store, INV_REPLAY_LINES, &value, NULL, INV_TRANSACTION);

	for (uint64 row = 0; row < rows; row++)
	{
		Datum values[LINE_COLUMNS];
		bool nulls[LINE_COLUMNS];

		for (int i = 0; i < LINE_COLUMNS; i++)
			values[i] = inv_result(row, i + 1, &nulls[i]);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

/* The rows we return must be what the caller's type says. */
static void
check_line_type(InvStore *store, TupleDesc desc)
{
	Oid types[LINE_COLUMNS] = { TEXTOID,		   store->item_id.base, store->stock.base,
								store->order_type, store->stock.base,	BOOLOID };
	bool good = desc->natts == LINE_COLUMNS;

	for (int i = 0; good && i < LINE_COLUMNS; i++)
		good = inv_base_type(TupleDescAttr(desc, i)->atttypid) == types[i];
	if (!good)
		inv_error_broken_store(store->label, "The caller's type of a line is out of date.");
}

/* ---- SQL functions ---- */

PG_FUNCTION_INFO_V1(inventory_buy_item);
PG_FUNCTION_INFO_V1(inventory_buy_cart);
PG_FUNCTION_INFO_V1(inventory_try_buy_cart);
PG_FUNCTION_INFO_V1(inventory_available_stock);

/*
 * buy_item(store_name, user_id, item_id, quantity, idempotency_key, order_data,
 * witness): sell one item; returns the key of the order row.
 */
Datum
inventory_buy_item(PG_FUNCTION_ARGS)
{
	Jsonb *order_data = PG_ARGISNULL(5) ? NULL : PG_GETARG_JSONB_P(5);
	InvCall call;
	InvStore *store;
	InvUser user;
	InvRequest request;
	Datum order;
	bool no_order;

	inv_store_enter(&call, PG_ARGISNULL(0) ? NULL : PG_GETARG_TEXT_PP(0), "buy_item()");
	store = call.store;
	inv_check_result(store, fcinfo, store->order_type);
	user = inv_user(store, fcinfo, 1);
	inv_request_init(&request, "buy_item", &user, fcinfo, 4);
	if (request.key)
	{
		const char *arguments[] = { PG_ARGISNULL(2)
										? NULL
										: inv_item_text(store, inv_item(store, fcinfo, 2)),
									inv_int64_text(fcinfo, 3), jsonb_text(order_data) };

		inv_request_arguments(&request, arguments, lengthof(arguments));
	}
	if (inv_request_begin(store, &request))
	{
		char *answer = inv_request_scalar(&request);

		no_order = answer == NULL;
		order = answer ? inv_from_text(store->order_type, answer) : (Datum) 0;
	}
	else
	{
		StringInfoData answer;
		InvCart cart;

		inv_cart_of_item(store, &cart, inv_item(store, fcinfo, 2),
						 inv_quantity(fcinfo, 3, "quantity"), order_data);
		if (!sell(store, &cart, &user))
			inv_refuse(store, cart.takes, cart.take_count);
		order = cart.lines->order;
		no_order = cart.lines->no_order;
		if (request.key)
		{
			initStringInfo(&answer);
			append_id(&answer, store->order_type, order, no_order);
			inv_request_end(store, &request, answer.data);
		}
	}
	if (!no_order)
		order = inv_return(&call, store->order_type, order);
	inv_store_leave(&call);
	if (no_order)
		PG_RETURN_NULL();
	return order;
}

/* Both forms of buying a cart; try_ keeps and returns a refusal. */
static Datum
buy_cart(FunctionCallInfo fcinfo, const char *operation, bool try)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Jsonb *lines = PG_ARGISNULL(2) ? NULL : PG_GETARG_JSONB_P(2);
	Jsonb *order_data = PG_ARGISNULL(4) ? NULL : PG_GETARG_JSONB_P(4);
	InvCall call;
	InvStore *store;
	InvUser user;
	InvRequest request;

	InitMaterializedSRF(fcinfo, 0);
	inv_store_enter(&call, PG_ARGISNULL(0) ? NULL : PG_GETARG_TEXT_PP(0),
					psprintf("%s()", operation));
	store = call.store;
	check_line_type(store, result->setDesc);
	user = inv_user(store, fcinfo, 1);
	inv_request_init(&request, operation, &user, fcinfo, 3);
	if (request.key)
	{
		const char *arguments[] = { jsonb_text(lines), jsonb_text(order_data) };

		inv_request_arguments(&request, arguments, lengthof(arguments));
	}
	if (inv_request_begin(store, &request))
		replay_lines(store, request.replay, result);
	else
	{
		InvCart cart;
		bool sold;

		if (lines == NULL)
			inv_error_null("lines");
		inv_cart_of_lines(store, &cart, lines, order_data);
		sold = sell(store, &cart, &user);
		if (!sold && !try)
			inv_refuse(store, cart.takes, cart.take_count);
		if (request.key)
			inv_request_end(store, &request, lines_json(store, &cart, sold));
		return_lines(store, &cart, sold, result);
	}
	inv_store_leave(&call);
	return (Datum) 0;
}

/*
 * buy_cart(store_name, user_id, lines, idempotency_key, order_data, witness):
 * sell all lines or none; returns a row per line.
 */
Datum
inventory_buy_cart(PG_FUNCTION_ARGS)
{
	return buy_cart(fcinfo, "buy_cart", false);
}

/* try_buy_cart: the same, with a refusal as statuses instead of an error. */
Datum
inventory_try_buy_cart(PG_FUNCTION_ARGS)
{
	return buy_cart(fcinfo, "try_buy_cart", true);
}

/*
 * available_stock(store_name, item_id, witness): what can be sold; null for an
 * item that is not tracked.
 */
Datum
inventory_available_stock(PG_FUNCTION_ARGS)
{
	InvCall call;
	InvTake take = { 0 };

	inv_store_enter(&call, PG_ARGISNULL(0) ? NULL : PG_GETARG_TEXT_PP(0), NULL);
	inv_check_result(call.store, fcinfo, call.store->stock.base);
	take.item = inv_item(call.store, fcinfo, 1);
	inv_row_read(call.store, &take, INV_READ_ONLY);
	if (take.status == INV_ITEM_NOT_FOUND)
		inv_refuse(call.store, &take, 1);
	inv_store_leave(&call);
	if (!take.tracked)
		PG_RETURN_NULL();
	return inv_quantity_datum(call.store, inv_available(take.stock, take.floor));
}
