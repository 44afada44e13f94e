/*
 * statement.c
 *		The only SPI: texts, plans and their execution.
 *
 * Every text is written once, as a template in which {name} stands for what the
 * store binds and {=} for the operator of pg_catalog.  A plan is prepared at
 * its first use, generic, and kept as long as the store's binding is valid.
 * Values are parameters, always.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "error.h"
#include "statement.h"
#include "store.h"

#define MAX_PARAMETERS 16

/*
 * Parameter types: i item, u user, o order, n bigint, t text, b bytea, j jsonb,
 * z timestamptz; the capital letter is the array.
 */
typedef struct Template
{
	const char *parameters;
	int result; /* SPI_OK_... */
	const char *text;
} Template;

#define FOR_SALE "FROM ONLY {items} AS i WHERE {id} {=} $1{and sellable}"
#define MANY_FOR_SALE "FROM ONLY {items} AS i WHERE {id} {=} ANY ($1){and sellable} ORDER BY {id}"
#define READ_COLUMNS "SELECT {stock}, {floor}, {limit}, {version} "
#define READ_MANY_COLUMNS "SELECT {stock}, {floor}, {limit}, {version}, {id} "

static const Template templates[INV_STATEMENTS] = {
	[INV_READ] = { "i", SPI_OK_SELECT, READ_COLUMNS FOR_SALE },
	[INV_LOCK] = { "i", SPI_OK_SELECT, READ_COLUMNS FOR_SALE " FOR NO KEY UPDATE OF i" },
	[INV_READ_ANY] = { "i", SPI_OK_SELECT,
					   READ_COLUMNS "FROM ONLY {items} AS i WHERE {id} {=} $1" },
	[INV_LOCK_ANY] = { "i", SPI_OK_SELECT,
					   READ_COLUMNS "FROM ONLY {items} AS i WHERE {id} {=} $1 "
									"FOR NO KEY UPDATE OF i" },
	[INV_TAKE] = { "in", SPI_OK_UPDATE_RETURNING,
				   "UPDATE ONLY {items} AS i "
				   "SET {stock_column} = ({stock} {-} $2)::{stock_type}{bump} "
				   "WHERE {id} {=} $1 AND ({stock} {-} $2) {>=} {floor}{and sellable} "
				   "RETURNING {stock}, {floor}" },
	[INV_TAKE_IF_VERSION] = { "inn", SPI_OK_UPDATE_RETURNING,
							  "UPDATE ONLY {items} AS i "
							  "SET {stock_column} = ({stock} {-} $2)::{stock_type}{bump} "
							  "WHERE {id} {=} $1 AND {version} {=} $3 "
							  "AND ({stock} {-} $2) {>=} {floor}{and sellable} "
							  "RETURNING {stock}, {floor}" },
	[INV_CHANGE] = { "in", SPI_OK_UPDATE_RETURNING,
					 "UPDATE ONLY {items} AS i "
					 "SET {stock_column} = ({stock} {+} $2)::{stock_type}{bump} "
					 "WHERE {id} {=} $1 RETURNING {stock}, {floor}" },

	[INV_READ_MANY] = { "I", SPI_OK_SELECT, READ_MANY_COLUMNS MANY_FOR_SALE },
	[INV_LOCK_MANY] = { "I", SPI_OK_SELECT,
						READ_MANY_COLUMNS MANY_FOR_SALE " FOR NO KEY UPDATE OF i" },
	[INV_TAKE_MANY] = { "IN", SPI_OK_UPDATE_RETURNING,
						"UPDATE ONLY {items} AS i "
						"SET {stock_column} = ({stock} {-} w.quantity)::{stock_type}{bump} "
						"FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) "
						"AS w (id, quantity) "
						"WHERE {id} {=} w.id AND ({stock} {-} w.quantity) {>=} {floor} "
						"RETURNING {stock}, {floor}, {id}" },

	[INV_MOVEMENT] = { "intuottz", SPI_OK_INSERT,
					   "INSERT INTO {ledger}.movements "
					   "(item_id, delta, kind, user_id, order_id, reason, actor, created_at) "
					   "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)" },
	[INV_MOVEMENTS] = { "INtuOttz", SPI_OK_INSERT,
						"INSERT INTO {ledger}.movements "
						"(item_id, delta, kind, user_id, order_id, reason, actor, created_at) "
						"SELECT m.item_id, m.delta, $3, $4, m.order_id, $6, $7, $8 "
						"FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2), "
						"pg_catalog.unnest($5)) AS m (item_id, delta, order_id)" },
	[INV_MOVED_SINCE] = { "iz", SPI_OK_SELECT,
						  "SELECT COALESCE(pg_catalog.sum(m.delta) "
						  "FILTER (WHERE m.created_at {>} $2 AND m.kind {<>} 'count'), 0)"
						  "::pg_catalog.int8, "
						  "pg_catalog.count(*) FILTER (WHERE m.created_at {<=} $2) "
						  "FROM {ledger}.movements AS m WHERE m.item_id {=} $1" },
	[INV_USED] = { "iu", SPI_OK_SELECT,
				   "SELECT COALESCE({-} pg_catalog.sum(m.delta), 0)::pg_catalog.int8 "
				   "FROM {ledger}.movements AS m WHERE m.item_id {=} $1 AND m.user_id {=} $2" },
	[INV_OPEN_LEDGER] = { "tz", SPI_OK_INSERT,
						  "INSERT INTO {ledger}.movements "
						  "(item_id, delta, kind, reason, actor, created_at) "
						  "SELECT COALESCE({id}, m.item_id), "
						  "COALESCE({stock}, 0) {-} COALESCE(m.total, 0), "
						  "CASE WHEN m.item_id IS NULL THEN 'opening' ELSE 'direct' END, "
						  "CASE WHEN m.item_id IS NULL THEN NULL ELSE 'attach' END, $1, $2 "
						  "FROM (SELECT i.* FROM ONLY {items} AS i) AS i FULL JOIN "
						  "(SELECT item_id, pg_catalog.sum(delta)::pg_catalog.int8 AS total "
						  "FROM {ledger}.movements GROUP BY item_id) AS m "
						  "ON {id} {=} m.item_id "
						  "WHERE (m.item_id IS NULL AND {stock} IS NOT NULL) "
						  "OR COALESCE({stock}, 0) {<>} COALESCE(m.total, 0)" },
	[INV_VERIFY] = { "i", SPI_OK_SELECT,
					 "SELECT COALESCE({id}, m.item_id)::pg_catalog.text, "
					 "CASE WHEN {id} IS NULL THEN 'movements_of_unknown_item' "
					 "WHEN {stock} IS NULL THEN 'untracked_item_has_balance' "
					 "ELSE 'stock_differs_from_movements' END, "
					 "COALESCE(m.total, 0), {stock} "
					 "FROM (SELECT i.* FROM ONLY {items} AS i "
					 "WHERE $1 IS NULL OR {id} {=} $1) AS i FULL JOIN "
					 "(SELECT item_id, pg_catalog.sum(delta)::pg_catalog.int8 AS total "
					 "FROM {ledger}.movements WHERE $1 IS NULL OR item_id {=} $1 "
					 "GROUP BY item_id) AS m ON {id} {=} m.item_id "
					 "WHERE COALESCE({stock}, 0) {<>} COALESCE(m.total, 0) "
					 "ORDER BY COALESCE({id}, m.item_id)" },

	[INV_FIND_REQUEST] = { "tut", SPI_OK_SELECT,
						   "SELECT r.fingerprint, r.result "
						   "FROM {ledger}.requests AS r WHERE r.key {=} $3 AND r.operation {=} $1 "
						   "AND (r.user_id {=} $2 OR (r.user_id IS NULL AND $2 IS NULL))" },
	[INV_KEEP_REQUEST] = { "tutbjz", SPI_OK_INSERT,
						   "INSERT INTO {ledger}.requests "
						   "(operation, user_id, key, fingerprint, result, created_at) "
						   "VALUES ($1, $2, $3, $4, $5, $6)" },
	[INV_REPLAY_LINES] = { "j", SPI_OK_SELECT,
						   "SELECT l.status, l.item_id, l.quantity, l.order_id, l.available, true "
						   "FROM pg_catalog.jsonb_populate_recordset(NULL::{ledger}.line, $1) "
						   "AS l" },
};

static List *retired = NIL; /* plans to drop at the end of the transaction */

/* ---- from template to text ---- */

/* A column of items as bigint, or what stands for it when it is not bound. */
static void
append_number(StringInfo text, const InvColumn *column, const char *instead, const char *if_null)
{
	if (column->attnum == InvalidAttrNumber)
		appendStringInfo(text, "%s::pg_catalog.int8", instead);
	else if (if_null)
		appendStringInfo(text, "COALESCE(i.%s::pg_catalog.int8, %s)", column->name, if_null);
	else
		appendStringInfo(text, "i.%s::pg_catalog.int8", column->name);
}

/* Every write bumps a bound version, which begins anew rather than overflow. */
static void
append_bump(StringInfo text, const InvColumn *version)
{
	const char *limit = version->base == INT2OID   ? "32767"
						: version->base == INT4OID ? "2147483647"
												   : "9223372036854775807";

	if (version->attnum == InvalidAttrNumber)
		return;
	appendStringInfo(text,
					 ", %s = CASE WHEN i.%s::pg_catalog.int8 OPERATOR(pg_catalog.<) %s "
					 "THEN (i.%s::pg_catalog.int8 OPERATOR(pg_catalog.+) 1)::%s ELSE 0 END",
					 version->name, version->name, limit, version->name,
					 format_type_extended(version->type, version->typmod,
										  FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY));
}

static void
append_placeholder(StringInfo text, InvStore *store, const char *name)
{
	if (strcmp(name, "items") == 0)
		appendStringInfoString(text, store->items_name);
	else if (strcmp(name, "ledger") == 0)
		appendStringInfoString(text, store->ledger_name);
	else if (strcmp(name, "id") == 0)
		appendStringInfo(text, "i.%s", store->item_id.name);
	else if (strcmp(name, "stock_column") == 0)
		appendStringInfoString(text, store->stock.name);
	else if (strcmp(name, "stock_type") == 0)
		appendStringInfoString(
			text, format_type_extended(store->stock.type, store->stock.typmod,
									   FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY));
	else if (strcmp(name, "stock") == 0)
		append_number(text, &store->stock, NULL, NULL);
	else if (strcmp(name, "floor") == 0)
		append_number(text, &store->stock_floor, "0", "0");
	else if (strcmp(name, "limit") == 0)
		append_number(text, &store->purchase_limit, "NULL", NULL);
	else if (strcmp(name, "version") == 0)
		append_number(text, store->version.attnum ? &store->version : &store->stock, NULL,
					  store->version.attnum ? "0" : NULL);
	else if (strcmp(name, "bump") == 0)
		append_bump(text, &store->version);
	else if (strcmp(name, "and sellable") == 0)
	{
		if (store->sellable)
			appendStringInfo(text, " AND (%s)", store->sellable);
	}
	else
	{
		Assert(strspn(name, "+-*/<>=~!") == strlen(name));
		appendStringInfo(text, "OPERATOR(pg_catalog.%s)", name);
	}
}

static char *
expand(InvStore *store, const char *template)
{
	StringInfoData text;

	initStringInfo(&text);
	for (const char *p = template; *p; p++)
	{
		const char *end;

		if (*p != '{')
		{
			appendStringInfoChar(&text, *p);
			continue;
		}
		end = strchr(p, '}');
		Assert(end != NULL);
		append_placeholder(&text, store, pnstrdup(p + 1, end - p - 1));
		p = end;
	}
	return text.data;
}

static Oid
parameter_type(InvStore *store, char letter)
{
	Oid type;

	switch (pg_ascii_tolower(letter))
	{
		case 'i':
			type = store->item_id.base;
			break;
		case 'u':
			type = store->user_type;
			break;
		case 'o':
			type = store->order_type;
			break;
		case 'n':
			type = INT8OID;
			break;
		case 't':
			type = TEXTOID;
			break;
		case 'b':
			type = BYTEAOID;
			break;
		case 'j':
			type = JSONBOID;
			break;
		default:
			Assert(letter == 'z');
			type = TIMESTAMPTZOID;
			break;
	}
	return pg_ascii_tolower(letter) == letter ? type : get_array_type(type);
}

/* ---- plans ---- */

/* Prepare a generic plan that outlives the call; memory of the text does not. */
static SPIPlanPtr
prepare(InvStore *store, const char *parameters, const char *text)
{
	Oid types[MAX_PARAMETERS];
	int count = strlen(parameters);
	SPIPlanPtr plan;

	Assert(count <= MAX_PARAMETERS);
	for (int i = 0; i < count; i++)
		types[i] = parameter_type(store, parameters[i]);
	plan = SPI_prepare_cursor(text, count, types, CURSOR_OPT_GENERIC_PLAN);
	if (plan == NULL || SPI_keepplan(plan) != 0)
		inv_error_broken_store(store->label, psprintf("A statement could not be prepared: %s.",
													  SPI_result_code_string(SPI_result)));
	return plan;
}

/* Drop a plan when the transaction ends: a caller further up may be in it. */
static void
retire(SPIPlanPtr plan)
{
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

	retired = lappend(retired, plan);
	MemoryContextSwitchTo(old);
}

void
inv_statement_end_of_transaction(void)
{
	ListCell *cell;

	foreach (cell, retired)
		SPI_freeplan((SPIPlanPtr) lfirst(cell));
	list_free(retired);
	retired = NIL;
}

void
inv_statement_free(InvStore *store)
{
	for (int i = 0; i < INV_STATEMENTS; i++)
		if (store->plans[i])
			SPI_freeplan(store->plans[i]);
	for (int i = 0; i < INV_INSERT_PLANS; i++)
		if (store->inserts[i].plan)
			SPI_freeplan(store->inserts[i].plan);
}

static uint64
run(InvStore *store, SPIPlanPtr plan, Datum *values, const char *nulls, InvView view, int expected)
{
	Snapshot snapshot = InvalidSnapshot;
	int result;

	/* in READ COMMITTED every statement sees the latest anyway */
	if (view == INV_LATEST && IsolationUsesXactSnapshot())
		snapshot = GetLatestSnapshot();
	result = SPI_execute_snapshot(plan, values, nulls, snapshot, InvalidSnapshot,
								  view == INV_READ_ONLY, true, 0);
	if (result != expected)
		inv_error_broken_store(store->label, psprintf("A rule or view rewrites its tables: %s.",
													  SPI_result_code_string(result)));
	return SPI_processed;
}

/*
 * Execute a statement; the rows it returns are read with inv_result until the
 * next one.  nulls is null when no value is.
 */
uint64
inv_execute(InvStore *store, InvStatement which, Datum *values, const char *nulls, InvView view)
{
	const Template *template = &templates[which];

	if (store->plans[which] == NULL)
		store->plans[which] = prepare(store, template->parameters, expand(store, template->text));
	return run(store, store->plans[which], values, nulls, view, template->result);
}

/* A column of a row of the last statement. */
Datum
inv_result(uint64 row, int column, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, isnull);
}

/* A bigint column that cannot be null. */
int64
inv_result_int64(uint64 row, int column)
{
	bool isnull;
	Datum value = inv_result(row, column, &isnull);

	Assert(!isnull);
	return DatumGetInt64(value);
}

/* An array parameter; nulls may be null. */
Datum
inv_array(Oid type, Datum *elements, bool *nulls, int count)
{
	int16 length;
	bool byval;
	char align;
	int bounds[] = { 1 };

	get_typlenbyvalalign(type, &length, &byval, &align);
	return PointerGetDatum(
		construct_md_array(elements, nulls, 1, &count, bounds, type, length, byval, align));
}

/* ---- orders: one text per set of caller-given columns ---- */

static char *
column_type_name(const InvColumn *column)
{
	return format_type_extended(column->type, column->typmod,
								FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY);
}

/* A bound column and the value it gets, if the store has that column. */
static void
append_bound(StringInfo names, StringInfo values, const InvColumn *column, const char *value)
{
	if (column->attnum == InvalidAttrNumber)
		return;
	appendStringInfo(names, "%s%s", names->len ? ", " : "", column->name);
	appendStringInfo(values, "%s%s::%s", values->len ? ", " : "", value, column_type_name(column));
}

/*
 * One line without columns of the caller's is a plain VALUES: parameters item,
 * quantity, user.  Otherwise the parameters are the items, the quantities, the
 * user and per line a JSON object with the caller's columns.
 */
static char *
insert_orders_text(InvStore *store, uint64 columns, bool batch)
{
	StringInfoData names, values, record, text;

	initStringInfo(&names);
	initStringInfo(&values);
	initStringInfo(&record);
	initStringInfo(&text);
	append_bound(&names, &values, &store->order_item, batch ? "w.item" : "$1");
	append_bound(&names, &values, &store->order_quantity, batch ? "w.quantity" : "$2");
	append_bound(&names, &values, &store->order_user, "$3");
	for (int i = 0; i < store->nsettable; i++)
	{
		const InvColumn *column = &store->settable[i];

		if ((columns & (UINT64CONST(1) << i)) == 0)
			continue;
		appendStringInfo(&names, ", %s", column->name);
		appendStringInfo(&values, ", r.%s", column->name);
		appendStringInfo(&record, "%s%s %s", record.len ? ", " : "", column->name,
						 column_type_name(column));
	}
	appendStringInfo(&text, "INSERT INTO %s (%s) ", store->orders_name, names.data);
	if (!batch)
		appendStringInfo(&text, "VALUES (%s)", values.data);
	else
	{
		appendStringInfo(&text,
						 "SELECT %s FROM ROWS FROM (pg_catalog.unnest($1), "
						 "pg_catalog.unnest($2), pg_catalog.unnest($4)) WITH ORDINALITY "
						 "AS w (item, quantity, data, line)",
						 values.data);
		if (record.len)
			appendStringInfo(&text, ", pg_catalog.jsonb_to_record(w.data) AS r (%s)", record.data);
		appendStringInfoString(&text, " ORDER BY w.line");
	}
	appendStringInfo(&text, " RETURNING %s", store->order_id.name);
	return text.data;
}

/* The plan for a set of columns, in a cache that replaces the least used. */
static SPIPlanPtr
insert_plan(InvStore *store, uint64 columns, bool batch)
{
	/* the top bit tells the two forms apart; there are fewer settable columns */
	uint64 key = columns | (batch ? UINT64CONST(1) << INV_MAX_SETTABLE : 0);
	InvInsertPlan *slot = &store->inserts[0];

	for (int i = 0; i < INV_INSERT_PLANS; i++)
	{
		InvInsertPlan *candidate = &store->inserts[i];

		if (candidate->plan && candidate->columns == key)
		{
			candidate->used = ++store->insert_clock;
			return candidate->plan;
		}
		if (candidate->used < slot->used)
			slot = candidate;
	}
	if (slot->plan)
		retire(slot->plan);
	slot->plan = NULL;
	slot->columns = key;
	slot->used = ++store->insert_clock;
	slot->plan = prepare(store, batch ? "INuJ" : "inu", insert_orders_text(store, columns, batch));
	return slot->plan;
}

/*
 * Insert order lines, all with the same set of caller-given columns; their keys
 * are the rows of the result, in the order of the lines.
 */
uint64
inv_insert_orders(InvStore *store, uint64 columns, bool batch, Datum *values, const char *nulls)
{
	return run(store, insert_plan(store, columns, batch), values, nulls, INV_TRANSACTION,
			   SPI_OK_INSERT_RETURNING);
}
