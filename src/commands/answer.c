/*
 * answer.c
 *		The answer about order lines.
 *
 * Statuses and quantities per line, as rows or as the JSON that is kept for the
 * idempotency key.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/tuplestore.h"

#include "base/compat.h"
#include "base/datum.h"
#include "base/error.h"
#include "base/store_error.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/query.h"
#include "store/query_text.h"
#include "stock/quantity.h"
#include "commands/answer.h"
#include "commands/cart.h"

/* columns of the composite type "line" */
#define LINE_COLUMNS 7

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

/* What a line shows as available; false: null, because the item is untracked or unknown. */
static bool
line_available(const InvTake *take, int64 *available)
{
	*available = inv_available(take->stock, take->floor);
	Assert(*available >= 0);
	return take->tracked && take->status != INV_STATUS_ITEM_NOT_FOUND;
}

static InvStatus
line_status(const InvTake *take, bool sold)
{
	return !sold && take->status == INV_STATUS_OK ? INV_STATUS_NOT_TAKEN : take->status;
}

/*
 * Answers have quantities in the type of the stock column.  An untracked item could
 * sell more than that type holds; a cart, whose answer shows it, refuses that.
 */
static int64
answer_quantity(InvStore *store, const InvLine *line, bool sold)
{
	if (sold && line->quantity > inv_max_units(store))
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
						   inv_quantity_datum(store, answer_quantity(store, line, sold))));
		inv_append_id(&json, store->order_type, line->order, !sold || line->no_order);
		if (line_available(take, &available))
			appendStringInfo(
				&json, ", \"available\": %s",
				inv_datum_text(store->stock.base, inv_quantity_datum(store, available)));
		if (sold && line->has_header)
		{
			appendStringInfoString(&json, ", \"header_id\": ");
			inv_append_id(&json, store->header_type, line->header, false);
		}
		appendStringInfoChar(&json, '}');
	}
	appendStringInfoChar(&json, ']');
	return json.data;
}

/* The columns of a row of type "line". */
typedef struct LineRow
{
	Datum values[LINE_COLUMNS];
	bool nulls[LINE_COLUMNS];
} LineRow;

static void
form_line(InvStore *store, InvCart *cart, int number, bool sold, bool replayed, LineRow *row)
{
	InvLine *line = &cart->lines[number];
	InvTake *take = &cart->takes[line->take];
	int64 available;

	memset(row->nulls, 0, sizeof(row->nulls));
	row->values[0] = CStringGetTextDatum(inv_status_name(line_status(take, sold)));
	row->values[1] = line->item;
	row->values[2] = inv_quantity_datum(store, answer_quantity(store, line, sold));
	row->values[3] = line->order;
	row->nulls[3] = !sold || line->no_order;
	row->nulls[4] = !line_available(take, &available);
	row->values[4] = inv_quantity_datum(store, available);
	row->values[5] = BoolGetDatum(replayed);
	row->values[6] = line->header;
	row->nulls[6] = !sold || !line->has_header;
}

void
inv_return_lines(InvStore *store, InvCart *cart, bool sold, bool replayed, ReturnSetInfo *result)
{
	for (int i = 0; i < cart->line_count; i++)
	{
		LineRow row;

		form_line(store, cart, i, sold, replayed, &row);
		tuplestore_putvalues(result->setResult, result->setDesc, row.values, row.nulls);
	}
}

/* The types of the columns of the composite type "line". */
static void
get_line_types(InvStore *store, Oid types[LINE_COLUMNS])
{
	const Oid columns[] = { TEXTOID,		   store->item_id.base, store->stock.base,
							store->order_type, store->stock.base,	BOOLOID,
							store->header_type };

	StaticAssertDecl(lengthof(columns) == LINE_COLUMNS, "one type for each column");
	memcpy(types, columns, sizeof(columns));
}

/*
 * The lines as text, as the elements of an array of such rows are written between its braces: all of
 * a cart that is sold, else those at fault.
 */
char *
inv_lines_text(InvStore *store, InvCart *cart, bool sold, bool replayed)
{
	Datum *rows = palloc(sizeof(Datum) * cart->line_count);
	TupleDesc desc = CreateTemplateTupleDesc(LINE_COLUMNS);
	Oid types[LINE_COLUMNS];
	int count = 0;
	char *text;

	get_line_types(store, types);
	for (int i = 0; i < LINE_COLUMNS; i++)
		TupleDescInitEntry(desc, i + 1, NULL, types[i], -1, 0);
	desc = inv_bless_new_desc(desc);
	for (int i = 0; i < cart->line_count; i++)
	{
		LineRow row;

		if (!sold && cart->takes[cart->lines[i].take].status == INV_STATUS_OK)
			continue;
		form_line(store, cart, i, sold, replayed, &row);
		rows[count++] = HeapTupleGetDatum(heap_form_tuple(desc, row.values, row.nulls));
	}
	text = OidOutputFunctionCall(
		F_ARRAY_OUT,
		PointerGetDatum(construct_array(rows, count, RECORDOID, -1, false, TYPALIGN_DOUBLE)));
	Assert(text[0] == '{');
	return pnstrdup(text + 1, strlen(text) - 2);
}

/* The only line of a cart, as one row. */
Datum
inv_form_line(InvStore *store, InvCart *cart, bool sold, TupleDesc desc)
{
	LineRow row;

	Assert(cart->line_count == 1);
	form_line(store, cart, 0, sold, false, &row);
	return HeapTupleGetDatum(heap_form_tuple(desc, row.values, row.nulls));
}

/* ---- the answer of an earlier call ---- */

static uint64
read_kept_lines(InvStore *store, Jsonb *answer)
{
	Datum value = JsonbPGetDatum(answer);

	return inv_execute(store, INV_STMT_REPLAY_LINES, &value, NULL, INV_SNAPSHOT_TRANSACTION);
}

static void
read_kept_line(uint64 number, LineRow *row)
{
	for (int i = 0; i < LINE_COLUMNS; i++)
		row->values[i] = inv_result(number, i + 1, &row->nulls[i]);
}

void
inv_replay_lines(InvStore *store, Jsonb *answer, ReturnSetInfo *result)
{
	uint64 count = read_kept_lines(store, answer);

	for (uint64 i = 0; i < count; i++)
	{
		LineRow row;

		read_kept_line(i, &row);
		tuplestore_putvalues(result->setResult, result->setDesc, row.values, row.nulls);
	}
}

Datum
inv_replay_line(InvStore *store, Jsonb *answer, TupleDesc desc)
{
	LineRow row;

	if (read_kept_lines(store, answer) != 1)
		inv_error_broken_store(store->store_name, store->items,
							   "A kept request of try_buy_item does not have one line.");
	read_kept_line(0, &row);
	return HeapTupleGetDatum(heap_form_tuple(desc, row.values, row.nulls));
}

/* ---- row types ---- */

/*
 * Lock the row type of a result to the end of the transaction, as a table that is read: the
 * call, and the statement around it, look it up again after they have waited for other locks.
 * It can have been dropped before.  False if the result is not of a row type.
 */
static bool
lock_row_type(FunctionCallInfo fcinfo)
{
	Oid type;
	bool is_row = get_call_result_type(fcinfo, &type, NULL) == TYPEFUNC_COMPOSITE;

	if (is_row)
		LockRelationOid(get_typ_typrelid(type), AccessShareLock);
	if (!SearchSysCacheExists1(TYPEOID, ObjectIdGetDatum(type)))
		inv_error_no_result_type();
	return is_row;
}

/*
 * Begin to return rows of the type that the caller's result_type gives.  The store is entered
 * before: detach() locks its tables, and then drops the type.
 */
void
inv_begin_rows(FunctionCallInfo fcinfo)
{
	if (!lock_row_type(fcinfo))
		inv_error_value("result_type must be of a row type", NULL);
	InitMaterializedSRF(fcinfo, 0);
}

/* Is a type this one, which is no domain, or text for varchar?  A domain over it is another type. */
static bool
is_type(Oid type, Oid wanted)
{
	return type == wanted || (get_typtype(type) != TYPTYPE_DOMAIN && inv_base_type(type) == wanted);
}

/*
 * Refuse a caller whose row type is not that of the rows to come.  A domain is another type:
 * its checks would not be made.
 */
void
inv_check_row_type(InvStore *store, TupleDesc desc, const Oid *types, int count)
{
	bool good = desc->natts == count;

	for (int i = 0; good && i < count; i++)
		good = !TupleDescAttr(desc, i)->attisdropped &&
			   is_type(TupleDescAttr(desc, i)->atttypid, types[i]);
	if (!good)
		inv_error_broken_store(store->store_name, store->items,
							   "The caller's row type is out of date.");
}

void
inv_check_line_type(InvStore *store, TupleDesc desc)
{
	Oid types[LINE_COLUMNS];

	get_line_types(store, types);
	inv_check_row_type(store, desc, types, LINE_COLUMNS);
}

/* The descriptor of the row that a call returns, of the type that its result_type gives. */
TupleDesc
inv_row_desc(InvStore *store, FunctionCallInfo fcinfo)
{
	TupleDesc desc;

	if (!lock_row_type(fcinfo))
		inv_error_broken_store(store->store_name, store->items,
							   "The caller's result type is not a row type.");
	(void) get_call_result_type(fcinfo, NULL, &desc);
	return desc;
}

/* The same of a line. */
TupleDesc
inv_line_desc(InvStore *store, FunctionCallInfo fcinfo)
{
	TupleDesc desc = inv_row_desc(store, fcinfo);

	inv_check_line_type(store, desc);
	return BlessTupleDesc(desc);
}
