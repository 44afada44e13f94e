/*
 * insert_text.c
 *		The SQL of INSERT into orders and into their header: one text for each set of columns that
 *		rows give.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/builtins.h"

#include "store/binding.h"
#include "store/insert_text.h"
#include "store/query_expand.h"

/*
 * A bound column and its value, if the store has that column.  There is no cast,
 * because a cast would cut off what is too long, and the assignment refuses it.
 */
static void
append_bound(StringInfo names, StringInfo values, const InvColumn *column, const char *value)
{
	if (column->attnum == InvalidAttrNumber)
		return;
	appendStringInfo(names, "%s%s", names->len ? ", " : "", column->name);
	appendStringInfo(values, "%s%s", values->len ? ", " : "", value);
}

/* Columns that a JSON object has, a bitmap over the list; "record" describes the object. */
static void
append_given(StringInfo names, StringInfo values, StringInfo record, const InvColumnList *list,
			 uint64 columns)
{
	for (int i = 0; i < list->count; i++)
	{
		const InvColumn *column = &list->columns[i];

		if ((columns & (UINT64CONST(1) << i)) == 0)
			continue;
		appendStringInfo(names, "%s%s", names->len ? ", " : "", column->name);
		appendStringInfo(values, "%sr.%s", values->len ? ", " : "",
						 quote_identifier(column->label));
		appendStringInfo(record, "%s%s %s", record->len ? ", " : "",
						 quote_identifier(column->label), inv_column_type_name(column));
	}
}

/*
 * The INSERT of order lines that give these columns, a bitmap over InvStore.order_columns.
 * A line's data is a JSON object with the columns.
 */
char *
inv_insert_orders_text(InvStore *store, uint64 columns)
{
	StringInfoData names, values, record, text;

	initStringInfo(&names);
	initStringInfo(&values);
	initStringInfo(&record);
	initStringInfo(&text);
	append_bound(&names, &values, &store->order_item, "w.item");
	append_bound(&names, &values, &store->order_quantity, "w.quantity");
	append_bound(&names, &values, &store->order_user, "$3");
	if ((columns & store->header_bit) == 0)
		append_bound(&names, &values, &store->order_header, "$5");
	append_given(&names, &values, &record, &store->order_columns, columns);
	appendStringInfo(&text,
					 "INSERT INTO %s (%s) SELECT %s "
					 "FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2), "
					 "pg_catalog.unnest($4)) WITH ORDINALITY AS w (item, quantity, data, line)",
					 store->orders_name, names.data, values.data);
	if (record.len)
		appendStringInfo(&text, ", pg_catalog.jsonb_to_record(w.data) AS r (%s)", record.data);
	appendStringInfo(&text, " ORDER BY w.line RETURNING %s", store->order_id.name);
	return text.data;
}

/* The same of a header: its data is a JSON object with columns of InvStore.header_columns. */
char *
inv_insert_header_text(InvStore *store, uint64 columns)
{
	StringInfoData names, values, record, text;

	initStringInfo(&names);
	initStringInfo(&values);
	initStringInfo(&record);
	initStringInfo(&text);
	append_bound(&names, &values, &store->header_user, "$1");
	append_given(&names, &values, &record, &store->header_columns, columns);
	appendStringInfo(&text, "INSERT INTO %s ", store->header_name);
	if (names.len)
		appendStringInfo(&text, "(%s) SELECT %s", names.data, values.data);
	else
		appendStringInfoString(&text, "DEFAULT VALUES");
	if (record.len)
		appendStringInfo(&text, " FROM pg_catalog.jsonb_to_record($2) AS r (%s)", record.data);
	appendStringInfo(&text, " RETURNING %s", store->header_id.name);
	return text.data;
}
