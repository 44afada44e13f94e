/*
 * order.c
 *		Order rows, and the answer about them.
 *
 * A line bought becomes one row of the shop's orders, with the columns that are
 * bound and those that its caller set; its key goes into the movement and the
 * answer.  The stock has been taken by then.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/json.h"

#include "store/direct_insert.h"
#include "commands/argument.h"
#include "commands/order.h"

/* columns of the composite type "line" */
#define LINE_COLUMNS 6

/* ---- orders ---- */

/* Lines with nothing but what is bound; false if the table needs a statement. */
static bool
append_plain(InvStore *store, InvCart *cart, const InvUser *user)
{
	InvRow *rows = palloc0(sizeof(InvRow) * cart->line_count);
	int count = 0;

	for (int i = 0; i < cart->line_count; i++)
	{
		InvLine *line = &cart->lines[i];
		InvRow *row = &rows[count];

		if (line->columns != 0)
			continue;
		row->values[0] = line->item;
		row->values[1] = Int64GetDatum(line->quantity);
		row->values[2] = user->value;
		row->nulls[2] = user->isnull;
		count++;
	}
	if (!inv_append(store, INV_TO_ORDERS, rows, count))
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
	rows = inv_insert_orders(store, columns, values, nulls);
	if (rows != count)
		inv_error_order_rows(store->orders_name, count, rows);
	for (uint64 row = 0; row < rows; row++)
		group[row]->order = inv_result(row, 1, &group[row]->no_order);
}

/*
 * Insert the order rows of a cart: one per line, each set of caller-given columns in
 * one statement.  Without orders there is nothing to do.
 */
void
inv_insert_cart(InvStore *store, InvCart *cart, const InvUser *user)
{
	if (!OidIsValid(store->orders))
		return;
	for (int i = 0; i < cart->line_count; i++)
	{
		uint64 columns = cart->lines[i].columns;
		bool first = true;

		for (int j = 0; first && j < i; j++)
			first = cart->lines[j].columns != columns;
		if (first && !(columns == 0 && append_plain(store, cart, user)))
			insert_group(store, cart, columns, user);
	}
}

/* ---- answers ---- */

char *
inv_jsonb_text(Jsonb *value)
{
	return value ? JsonbToCString(NULL, &value->root, VARSIZE(value)) : NULL;
}

void
inv_append_id(StringInfo json, Oid type, Datum value, bool isnull)
{
	if (isnull)
		appendStringInfoString(json, "null");
	else if (type == INT2OID || type == INT4OID || type == INT8OID)
		appendStringInfoString(json, inv_datum_text(type, value));
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

/*
 * An answer has quantities in the type of the stock.  An item that is not tracked
 * sells more than that holds, but not in a cart, which could not answer it.
 */
static int64
line_quantity(InvStore *store, const InvLine *line, bool sold)
{
	if (sold && line->quantity > inv_most_units(store))
		inv_error_overflow("quantity of a line");
	return line->quantity;
}

/* The lines as JSON, for the idempotency key. */
char *
inv_lines_json(InvStore *store, InvCart *cart, bool sold)
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
		inv_append_id(&json, store->item_id.base, line->item, false);
		appendStringInfo(
			&json, ", \"quantity\": %s, \"order_id\": ",
			inv_datum_text(store->stock.base,
						   inv_quantity_datum(store, line_quantity(store, line, sold))));
		inv_append_id(&json, store->order_type, line->order, !sold || line->no_order);
		if (line_available(take, &available))
			appendStringInfo(
				&json, ", \"available\": %s",
				inv_datum_text(store->stock.base, inv_quantity_datum(store, available)));
		appendStringInfoChar(&json, '}');
	}
	appendStringInfoChar(&json, ']');
	return json.data;
}

void
inv_return_lines(InvStore *store, InvCart *cart, bool sold, bool replayed, ReturnSetInfo *result)
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
			inv_quantity_datum(store, line_quantity(store, line, sold)),
			line->order,
			inv_quantity_datum(store, available),
			BoolGetDatum(replayed),
		};
		bool nulls[LINE_COLUMNS] = { false, false, false, !sold || line->no_order, !shown, false };

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

void
inv_replay_lines(InvStore *store, Jsonb *answer, ReturnSetInfo *result)
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

/* Rows are returned as the caller's type says: it has to be a type of rows. */
void
inv_begin_rows(FunctionCallInfo fcinfo)
{
	if (get_call_result_type(fcinfo, NULL, NULL) != TYPEFUNC_COMPOSITE)
		inv_error_value("result_type must be of a row type", NULL);
	InitMaterializedSRF(fcinfo, 0);
}

/* The rows we return must be what the caller's type says. */
void
inv_check_row_type(InvStore *store, TupleDesc desc, const Oid *types, int count)
{
	bool good = desc->natts == count;

	for (int i = 0; good && i < count; i++)
		good = !TupleDescAttr(desc, i)->attisdropped &&
			   inv_base_type(TupleDescAttr(desc, i)->atttypid) == types[i];
	if (!good)
		inv_error_broken_store(store->label, "The caller's row type is out of date.");
}

void
inv_check_line_type(InvStore *store, TupleDesc desc)
{
	Oid types[LINE_COLUMNS] = { TEXTOID,		   store->item_id.base, store->stock.base,
								store->order_type, store->stock.base,	BOOLOID };

	inv_check_row_type(store, desc, types, LINE_COLUMNS);
}
