/*
 * query_expand.c
 *		From a template of query_text.c to the SQL of one store.
 *
 * Each placeholder is in one of two tables: with the column that it stands for, or
 * with the function that appends its text.  {=} and the like are operators.
 *
 * Expects the store to be entered: names of types are looked up in the catalogs.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"

#include "store/binding.h"
#include "store/column.h"
#include "store/ledger_schema.h"
#include "store/query_expand.h"

static void append_template(StringInfo text, InvStore *store, const char *template);

/* The type of a column with its modifier, qualified. */
char *
inv_column_type_name(const InvColumn *column)
{
	return format_type_extended(column->type, column->typmod,
								FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY);
}

/* ---- placeholders that stand for a bound column ---- */

typedef struct ColumnPlaceholder
{
	const char *name;
	size_t column;		 /* offset of the InvColumn in InvStore */
	const char *format;	 /* for the name of the column */
	const char *unbound; /* a template, for a store that has no such column */
} ColumnPlaceholder;

#define COLUMN(member) offsetof(InvStore, member)

static const ColumnPlaceholder column_placeholders[] = {
	{ "id", COLUMN(item_id), "i.%s", NULL },
	{ "stock", COLUMN(stock), "i.%s::pg_catalog.int8", NULL },
	{ "stock column", COLUMN(stock), "%s", NULL },
	{ "floor column", COLUMN(stock_floor), "COALESCE(i.%s::pg_catalog.int8, 0)",
	  "0::pg_catalog.int8" },
	{ "limit", COLUMN(purchase_limit), "i.%s::pg_catalog.int8", "NULL::pg_catalog.int8" },
	{ "order limit", COLUMN(order_limit), "i.%s::pg_catalog.int8", NULL },
	{ "version", COLUMN(version), "COALESCE(i.%s::pg_catalog.int8, 0)", "{stock}" },
	{ "order id", COLUMN(order_id), "o.%s", NULL },
	{ "order item", COLUMN(order_item), "o.%s", NULL },
	{ "order quantity column", COLUMN(order_quantity), "%s", NULL },
	{ "order quantity text", COLUMN(order_quantity), "o.%s::pg_catalog.text", "'1'" },
	{ "order user", COLUMN(order_user), "o.%s", "{user of header}" },
	{ "order header", COLUMN(order_header), "o.%s", "NULL::pg_catalog.text" },
	{ "header id", COLUMN(header_id), "h.%s", NULL },
	{ "header user", COLUMN(header_user), "h.%s", "NULL::{user type}" },
};

static void
append_column(StringInfo text, InvStore *store, const ColumnPlaceholder *placeholder)
{
	const InvColumn *column = (const InvColumn *) ((char *) store + placeholder->column);

	if (column->attnum != InvalidAttrNumber)
		appendStringInfo(text, placeholder->format, column->name);
	else
	{
		Assert(placeholder->unbound != NULL);
		append_template(text, store, placeholder->unbound);
	}
}

/* ---- the other placeholders ---- */

static void
append_items_name(StringInfo text, InvStore *store)
{
	appendStringInfoString(text, store->items_name);
}

static void
append_items_oid(StringInfo text, InvStore *store)
{
	appendStringInfo(text, "%u", store->items);
}

static void
append_sellable_oid(StringInfo text, InvStore *store)
{
	appendStringInfo(text, "%u", store->sellable_view);
}

static void
append_stock_type_oid(StringInfo text, InvStore *store)
{
	appendStringInfo(text, "%u", store->stock.type);
}

static void
append_orders_name(StringInfo text, InvStore *store)
{
	Assert(OidIsValid(store->orders));
	appendStringInfoString(text, store->orders_name);
}

static void
append_header_name(StringInfo text, InvStore *store)
{
	Assert(OidIsValid(store->header));
	appendStringInfoString(text, store->header_name);
}

/* The user of an order line that has none is that of its header. */
static void
append_user_of_header(StringInfo text, InvStore *store)
{
	append_template(text, store,
					store->header_user.attnum == InvalidAttrNumber
						? "NULL::{user type}"
						: "(SELECT {header user} FROM {header} AS h "
						  "WHERE {header id} {=} {order header})");
}

static void
append_ledger_name(StringInfo text, InvStore *store)
{
	appendStringInfoString(text, store->ledger_name);
}

static void
append_stock_type(StringInfo text, InvStore *store)
{
	appendStringInfoString(text, inv_column_type_name(&store->stock));
}

/* No stock is below the range of its column, so a lower floor means the end of that range. */
static void
append_floor(StringInfo text, InvStore *store)
{
	bool limited = store->stock.base != INT8OID && store->stock_floor.attnum != InvalidAttrNumber;

	if (limited)
		appendStringInfoString(text, "GREATEST(");
	append_template(text, store, "{floor column}");
	if (limited)
		appendStringInfo(text, ", " INT64_FORMAT ")", inv_min_units(store));
}

static void
append_user_type(StringInfo text, InvStore *store)
{
	appendStringInfoString(text, format_type_be_qualified(store->user_type));
}

/* The whole units of an order line: what is refunded never exceeds a line of 2.5. */
static void
append_order_units(StringInfo text, InvStore *store)
{
	const InvColumn *quantity = &store->order_quantity;

	if (quantity->attnum == InvalidAttrNumber)
		appendStringInfoString(text, "1::pg_catalog.int8");
	else if (quantity->base == NUMERICOID)
		appendStringInfo(text,
						 "CASE WHEN o.%s::pg_catalog.numeric OPERATOR(pg_catalog.=) 'NaN' THEN 0 "
						 "WHEN o.%s IS NOT NULL THEN "
						 "LEAST(GREATEST(pg_catalog.trunc(o.%s::pg_catalog.numeric), "
						 "-9223372036854775807), 9223372036854775807) END::pg_catalog.int8",
						 quantity->name, quantity->name, quantity->name);
	else
		appendStringInfo(text, "o.%s::pg_catalog.int8", quantity->name);
}

/* Each write raises a bound version, which starts again at 0 instead of overflowing. */
static void
append_next_version(StringInfo text, InvStore *store)
{
	const InvColumn *version = &store->version;
	const char *limit = version->base == INT2OID   ? "32767"
						: version->base == INT4OID ? "2147483647"
												   : "9223372036854775807";

	if (version->attnum == InvalidAttrNumber)
		return;
	appendStringInfo(text,
					 ", %s = CASE WHEN i.%s::pg_catalog.int8 OPERATOR(pg_catalog.<) %s "
					 "THEN (i.%s::pg_catalog.int8 OPERATOR(pg_catalog.+) 1)::%s ELSE 0 END",
					 version->name, version->name, limit, version->name,
					 inv_column_type_name(version));
}

/* Numbers that are computed from the quantity of a line change with it. */
static void
append_by_quantity(StringInfo text, InvStore *store)
{
	for (int i = store->order_columns.settable; i < store->order_columns.count; i++)
	{
		const InvColumn *column = &store->order_columns.columns[i];

		if (!column->by_quantity ||
			!(column->base == INT2OID || column->base == INT4OID || column->base == INT8OID ||
			  column->base == NUMERICOID || column->base == FLOAT4OID || column->base == FLOAT8OID))
			continue;
		appendStringInfo(
			text,
			", %s = CASE WHEN o.%s OPERATOR(pg_catalog.<>) 0 THEN (o.%s::pg_catalog.numeric "
			"OPERATOR(pg_catalog.*) $2 OPERATOR(pg_catalog./) "
			"o.%s::pg_catalog.numeric)::%s ELSE o.%s END",
			column->name, store->order_quantity.name, column->name, store->order_quantity.name,
			inv_column_type_name(column), column->name);
	}
}

static void
append_sellable(StringInfo text, InvStore *store)
{
	appendStringInfo(text, "(%s) IS TRUE", store->sellable ? store->sellable->text : "true");
}

static void
append_and_sellable(StringInfo text, InvStore *store)
{
	if (store->sellable)
		appendStringInfo(text, "AND (%s)", store->sellable->text);
}

static void
append_movement_columns(StringInfo text, InvStore *store pg_attribute_unused())
{
	static const char *const names[] = { INV_MOVEMENT_COLUMNS(INV_COLUMN_NAME) };

	for (int i = 0; i < INV_MOVEMENT_COLUMN_COUNT; i++)
		appendStringInfo(text, "%s%s", i > 0 ? ", " : "", names[i]);
}

static void
append_movement_arrays(StringInfo text, InvStore *store pg_attribute_unused())
{
	for (int i = 0; i < INV_MOVEMENT_FIRST_SCALAR; i++)
		appendStringInfo(text, "%spg_catalog.unnest($%d)", i > 0 ? ", " : "", i + 1);
}

static void
append_movement_scalars(StringInfo text, InvStore *store pg_attribute_unused())
{
	for (int i = INV_MOVEMENT_FIRST_SCALAR; i < INV_MOVEMENT_COLUMN_COUNT; i++)
		appendStringInfo(text, "%s$%d", i > INV_MOVEMENT_FIRST_SCALAR ? ", " : "", i + 1);
}

/* Only purchase limits ask for the user of movements that close_ledger carries. */
static void
append_carried_user(StringInfo text, InvStore *store)
{
	if (store->purchase_limit.attnum != InvalidAttrNumber)
		appendStringInfoString(text, "m.user_id");
	else
		append_template(text, store, "NULL::{user type}");
}

/*
 * What refunds read of old movements stays: where orders do not have the quantity or the user,
 * those of sales.  Where the ledger follows orders a line goes as a whole, and is not known any
 * more: then its row says what can be refunded, so that no line goes of which units were.
 */
static void
append_and_not_refundable(StringInfo text, InvStore *store)
{
	if (inv_follows_orders(store))
	{
		append_template(
			text, store,
			"AND (m.order_id IS NULL OR NOT EXISTS (SELECT FROM {ledger}.movements AS n "
			"LEFT JOIN {ledger}.hot AS g ON g.item_id {=} n.item_id "
			"WHERE n.order_id {=} m.order_id AND (n.created_at {>=} $1 "
			"OR (n.kind {=} '" INV_KIND_REFUND "' "
			"AND EXISTS (SELECT FROM {orders} AS o WHERE {order id} {=} n.order_id)) "
			"OR n.reservation_id IS NOT NULL OR (n.epoch IS NOT NULL "
			"AND (n.epoch {<=} g.settled_epoch) IS NOT TRUE)))) ");
		return;
	}
	appendStringInfoString(text, "AND m.kind OPERATOR(pg_catalog.<>) ALL (ARRAY['" INV_KIND_REFUND
								 "', '" INV_KIND_CANCELLATION "', '" INV_KIND_WRITE_OFF "']) ");
	if (!OidIsValid(store->orders) || (store->purchase_limit.attnum != InvalidAttrNumber &&
									   store->order_user.attnum == InvalidAttrNumber))
		appendStringInfoString(text, "AND (m.kind OPERATOR(pg_catalog.<>) '" INV_KIND_SALE
									 "' OR m.order_id IS NULL) ");
}

static void
append_has_orders(StringInfo text, InvStore *store)
{
	appendStringInfoString(text, OidIsValid(store->orders) ? "true" : "false");
}

/* What each order line is worth. */
static void
append_order_worth(StringInfo text, InvStore *store)
{
	append_template(text, store,
					store->has_order_units
						? "SELECT v.order_id, v.item_id, v.units FROM {ledger}.order_worth AS v"
						: "SELECT {order id} AS order_id, {order item} AS item_id, "
						  "COALESCE({order units}, 0) AS units FROM {orders} AS o");
}

/* Rows of orders, and what others have changed in them, beside movements of lines. */
static void
append_and_order_rows(StringInfo text, InvStore *store)
{
	if (!OidIsValid(store->orders))
		return;
	append_template(text, store, "UNION ALL SELECT {order id}, {order item}, {order units}, ");
	append_template(text, store,
					store->has_order_units
						? "0, 0, 0, 0, true, false FROM {orders} AS o "
						  "UNION ALL SELECT v.order_id, v.item_id, 0, v.units, 0, 0, 0, false, "
						  "false FROM {ledger}.order_worth AS v "
						: "{order units}, 0, 0, 0, true, false FROM {orders} AS o ");
	append_template(
		text, store,
		"UNION ALL SELECT c.order_id, c.item_before, 0, 0, {-} c.quantity_before, 0, 0, false, "
		"c.operation {=} '" INV_CHANGE_DELETE "' FROM {ledger}.order_changes AS c "
		"WHERE c.operation {<>} '" INV_CHANGE_INSERT "' "
		"UNION ALL SELECT c.order_id, c.item_after, 0, 0, c.quantity_after, 0, 0, false, false "
		"FROM {ledger}.order_changes AS c WHERE c.operation {<>} '" INV_CHANGE_DELETE "' ");
}

/* The arguments of order_units and order_final.  "o.*", because "o" can be a column. */
static void
append_line_rows(StringInfo text, InvStore *store)
{
	appendStringInfoString(text, OidIsValid(store->header) ? "o.*, h.*" : "o.*");
}

static void
append_join_header(StringInfo text, InvStore *store)
{
	if (OidIsValid(store->header))
		append_template(text, store, "LEFT JOIN {header} AS h ON {header id} {=} {order header}");
}

static void
append_header_lock(StringInfo text, InvStore *store)
{
	appendStringInfoString(text, inv_follows_orders(store) ? "NO KEY UPDATE" : "KEY SHARE");
}

static const struct
{
	const char *name;
	void (*append)(StringInfo text, InvStore *store);
} text_placeholders[] = {
	{ "items", append_items_name },
	{ "items oid", append_items_oid },
	{ "sellable oid", append_sellable_oid },
	{ "orders", append_orders_name },
	{ "header", append_header_name },
	{ "user of header", append_user_of_header },
	{ "ledger", append_ledger_name },
	{ "stock type", append_stock_type },
	{ "stock type oid", append_stock_type_oid },
	{ "floor", append_floor },
	{ "user type", append_user_type },
	{ "order units", append_order_units },
	{ "and next version", append_next_version },
	{ "and by quantity", append_by_quantity },
	{ "is sellable", append_sellable },
	{ "and sellable", append_and_sellable },
	{ "movement columns", append_movement_columns },
	{ "movement arrays", append_movement_arrays },
	{ "movement scalars", append_movement_scalars },
	{ "carried user", append_carried_user },
	{ "and not refundable", append_and_not_refundable },
	{ "and order rows", append_and_order_rows },
	{ "has orders", append_has_orders },
	{ "order worth", append_order_worth },
	{ "line rows", append_line_rows },
	{ "join header", append_join_header },
	{ "header lock", append_header_lock },
};

/* ---- expansion ---- */

static void
append_placeholder(StringInfo text, InvStore *store, const char *name)
{
	for (size_t i = 0; i < lengthof(column_placeholders); i++)
		if (strcmp(column_placeholders[i].name, name) == 0)
		{
			append_column(text, store, &column_placeholders[i]);
			return;
		}
	for (size_t i = 0; i < lengthof(text_placeholders); i++)
		if (strcmp(text_placeholders[i].name, name) == 0)
		{
			text_placeholders[i].append(text, store);
			return;
		}
	Assert(strspn(name, "+-*/<>=~!") == strlen(name));
	appendStringInfo(text, "OPERATOR(pg_catalog.%s)", name);
}

static void
append_template(StringInfo text, InvStore *store, const char *template)
{
	for (const char *p = template; *p; p++)
	{
		const char *end;

		if (*p != '{')
		{
			appendStringInfoChar(text, *p);
			continue;
		}
		end = strchr(p, '}');
		Assert(end != NULL);
		append_placeholder(text, store, pnstrdup(p + 1, end - p - 1));
		p = end;
	}
}

/* The SQL of a template, for a store. */
char *
inv_expand_template(InvStore *store, const char *template)
{
	StringInfoData text;

	initStringInfo(&text);
	append_template(&text, store, template);
	return text.data;
}
