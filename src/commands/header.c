/*
 * header.c
 *		The header of order lines.
 *
 * Where the store has a table of headers, a purchase or confirmation whose lines name none
 * inserts one header for all of them: before the lines, and before their items are locked.
 * A header that lines name must be one of the same user, so that a buyer cannot add to the
 * order of another one.
 *
 * Locks: a header that is named, as the foreign key of its lines locks it, before limits and
 * stock rows.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "base/compat.h"
#include "base/datum.h"
#include "base/error.h"
#include "base/fact.h"
#include "base/store_error.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/direct_insert.h"
#include "store/query.h"
#include "store/query_insert.h"
#include "store/query_text.h"
#include "commands/cart.h"
#include "commands/header.h"
#include "commands/idempotency.h"
#include "commands/shape.h"

/* ---- what the caller gives ---- */

/* The bit in InvHeader.columns of a column that callers may set; raises if they may not. */
static uint64
settable_header_column(InvStore *store, const JsonbValue *key)
{
	const InvColumnList *list = &store->header_columns;
	char *name = pnstrdup(key->val.string.val, key->val.string.len);

	for (int i = 0; i < list->settable; i++)
		if (strcmp(list->columns[i].key, name) == 0)
			return UINT64CONST(1) << i;
	if (OidIsValid(store->prepare) && (!store->has_values || get_attnum(store->header, name) <= 0))
		return 0;
	if (get_attnum(store->header, name) <= 0)
		inv_error_unknown_column(name, store->header_name, inv_meant_column(list, name));
	inv_error_column_not_allowed(name, store->store_name, "header_columns");
}

/*
 * Read "header" of order_data, and return what is left of order_data for the lines.  An array
 * of objects, as a confirmation can have, is for lines alone.
 */
Jsonb *
inv_header_split(InvStore *store, InvHeader *header, Jsonb *order_data)
{
	JsonbIterator *iterator;
	JsonbValue *value, key, ignored;

	memset(header, 0, sizeof(*header));
	header->order_data = order_data;
	if (!OidIsValid(store->header) || order_data == NULL || !JB_ROOT_IS_OBJECT(order_data) ||
		(value = inv_json_member(&order_data->root, "header")) == NULL)
		return order_data;
	if (value->type != jbvNull)
	{
		if (inv_json_object(value) == NULL)
			inv_error_value("order_data.header must be a JSON object", NULL);
		header->data = JsonbValueToJsonb(value);
		iterator = JsonbIteratorInit(&header->data->root);
		while (inv_next_member(&iterator, &key, &ignored))
			header->columns |= settable_header_column(store, &key);
	}
	return DatumGetJsonbP(DirectFunctionCall2(jsonb_delete, JsonbPGetDatum(order_data),
											  CStringGetTextDatum("header")));
}

/* ---- headers that lines name ---- */

static bool
is_same_header(InvStore *store, Datum a, Datum b)
{
	return strcmp(inv_datum_text(store->header_type, a), inv_datum_text(store->header_type, b)) ==
		   0;
}

/* Read the header that a line names, if it names one.  Null is none. */
static void
read_given_header(InvStore *store, InvLine *line)
{
	JsonbValue *value;
	char *text;

	if ((line->columns & store->header_bit) == 0)
		return;
	value = inv_json_member(&line->data->root, store->order_header.key);
	if (value == NULL || value->type == jbvNull)
	{
		line->columns &= ~store->header_bit;
		return;
	}
	text = inv_json_text(value);
	if (text == NULL)
		inv_error_value(psprintf("%s must be a string or a number", store->order_header.key), NULL);
	line->header = inv_from_text(store->header_type, text);
	line->has_header = true;
}

static InvFacts *
header_facts(InvStore *store, Datum header)
{
	InvFacts *facts = inv_facts(store->header, store->header_id.key);

	facts->name = inv_datum_text(store->header_type, header);
	inv_fact_text(facts, "header_id", facts->name);
	return facts;
}

/* Lock the header of a line, and raise IV003 unless it is the user's. */
static void
check_given_header(InvStore *store, InvLine *line, const InvUser *user)
{
	InvUser owner;
	uint64 rows =
		inv_execute(store, INV_STMT_LOCK_HEADER, &line->header, NULL, INV_SNAPSHOT_LATEST);

	if (rows == 1)
		owner.value = inv_result(0, 1, &owner.isnull);
	if (rows == 1 && store->header_user.attnum == InvalidAttrNumber)
		return;
	if (rows != 1 || owner.isnull != user->isnull ||
		(!owner.isnull && !inv_same_user(store, owner.value, user->value)))
		inv_error_header_not_found(header_facts(store, line->header));
}

/*
 * Find the headers that the lines of a cart name; where they name none, the call is to
 * insert one.  Raises IV003 for a header that does not exist or is another user's.
 */
void
inv_header_find(InvStore *store, InvHeader *header, InvCart *cart, const InvUser *user)
{
	int named = 0;

	if (!OidIsValid(store->header))
		return;
	for (int i = 0; i < cart->line_count; i++)
	{
		read_given_header(store, &cart->lines[i]);
		named += cart->lines[i].has_header;
	}
	header->inserts = named == 0;
	if (named > 0 && named < cart->line_count)
		inv_error_value(
			psprintf("%s must be given for all lines, or for none", store->order_header.key),
			"A call whose lines name no header inserts one for all of them.");
	if (named > 0 && header->data)
		inv_error_value(psprintf("order_data has both a header and %s", store->order_header.key),
						"Its header has the columns of a header that the call inserts.");
	for (int i = 0; i < named; i++)
		if ((cart->lines[i].columns & store->header_bit) == 0)
			continue; /* that of the line which is exchanged for it */
		else if (i == 0 || !is_same_header(store, cart->lines[i].header, cart->lines[i - 1].header))
			check_given_header(store, &cart->lines[i], user);
}

/* ---- the header that a call inserts ---- */

static bool
insert_header_directly(InvStore *store, const InvUser *user, Datum *key)
{
	InvDirectRow row = { 0 };

	row.values[INV_HEADER_USER] = user->value;
	row.nulls[INV_HEADER_USER] = user->isnull;
	if (!inv_direct_insert(store, INV_TARGET_HEADER, &row, 1, false))
		return false;
	if (!row.written || row.no_key)
		inv_error_order_rows(store->header_name, 1, 0);
	*key = row.key;
	return true;
}

static Datum
insert_header(InvStore *store, const InvHeader *header, const InvUser *user)
{
	Datum values[] = { user->value, header->data ? JsonbPGetDatum(header->data) : (Datum) 0 };
	char nulls[] = { user->isnull ? 'n' : ' ', header->data ? ' ' : 'n' };
	bool isnull;
	Datum key;

	if (header->columns == 0 && insert_header_directly(store, user, &key))
		return key;
	if (inv_insert_header(store, header->columns, values, nulls) != 1)
		inv_error_order_rows(store->header_name, 1, 0);
	return inv_result(0, 1, &isnull);
}

/* Insert the header of a cart whose lines name none. */
void
inv_header_insert(InvStore *store, InvHeader *header, InvCart *cart, const InvUser *user)
{
	Datum key;

	if (!header->inserts)
		return;
	key = insert_header(store, header, user);
	for (int i = 0; i < cart->line_count; i++)
	{
		cart->lines[i].header = key;
		cart->lines[i].has_header = true;
	}
	INV_POINT("inventory-after-header");
}

/* Let the lines of a cart that name no header have that of an order row, if it has one. */
void
inv_header_keep(InvStore *store, InvCart *cart, Datum order)
{
	bool isnull;
	Datum header;

	if (!OidIsValid(store->header) ||
		inv_execute(store, INV_STMT_HEADER_OF_LINE, &order, NULL, INV_SNAPSHOT_LATEST) == 0)
		return;
	header = inv_result(0, 1, &isnull);
	for (int i = 0; !isnull && i < cart->line_count; i++)
	{
		cart->lines[i].header = header;
		cart->lines[i].has_header = true;
	}
}

/* ---- calls that are repeated ---- */

/* Read the headers of lines that are there, by their order rows. */
void
inv_header_read(InvStore *store, InvCart *cart)
{
	for (int i = 0; OidIsValid(store->header) && i < cart->line_count; i++)
	{
		InvLine *line = &cart->lines[i];
		bool isnull = true;

		if (!line->no_order && inv_execute(store, INV_STMT_HEADER_OF_LINE, &line->order, NULL,
										   INV_SNAPSHOT_LATEST) > 0)
			line->header = inv_result(0, 1, &isnull);
		line->has_header = !isnull;
	}
}

/* Raise IV015 if an object names another header than those of the first call. */
static void
check_repeated_object(InvStore *store, JsonbContainer *object, const List *headers)
{
	JsonbValue *value = inv_json_member(object, store->order_header.key);
	char *text = value && value->type != jbvNull ? inv_json_text(value) : NULL;
	Datum given;
	ListCell *cell;

	if (text == NULL)
		return;
	given = inv_from_text(store->header_type, text);
	foreach (cell, headers)
		if (is_same_header(store, given, inv_from_text(store->header_type, lfirst(cell))))
			return;
	inv_error_already_placed(
		header_facts(store, inv_from_text(store->header_type, linitial(headers))));
}

/* The same of an object, or of each object of an array; given may be null. */
static void
check_repeated(InvStore *store, Jsonb *given, const List *headers)
{
	if (given == NULL || headers == NIL || store->header_bit == 0)
		return;
	if (JB_ROOT_IS_OBJECT(given))
		check_repeated_object(store, &given->root, headers);
	for (uint32 i = 0; JB_ROOT_IS_ARRAY(given) && i < JB_ROOT_COUNT(given); i++)
	{
		JsonbContainer *object = inv_json_object(getIthJsonbValueFromContainer(&given->root, i));

		if (object)
			check_repeated_object(store, object, headers);
	}
}

/* Add the header that a kept answer, or a line of it, has. */
static List *
add_kept_header(List *headers, Jsonb *answer)
{
	char *header = inv_json_field(answer, "header_id");

	return header ? lappend(headers, header) : headers;
}

/*
 * A call is repeated that was made before with this answer.  Raise IV015 if the caller has
 * inserted another header for it, which the error rolls back: it would stay without lines.
 */
void
inv_header_check_replay(InvStore *store, Jsonb *lines, Jsonb *order_data, Jsonb *answer)
{
	List *headers = NIL;

	if (!OidIsValid(store->header))
		return;
	if (JB_ROOT_IS_OBJECT(answer))
		headers = add_kept_header(headers, answer);
	for (uint32 i = 0; JB_ROOT_IS_ARRAY(answer) && i < JB_ROOT_COUNT(answer); i++)
		headers = add_kept_header(
			headers, JsonbValueToJsonb(getIthJsonbValueFromContainer(&answer->root, i)));
	check_repeated(store, lines, headers);
	check_repeated(store, order_data, headers);
}

/* The same of a reservation that was confirmed before. */
void
inv_header_check_confirmed(InvStore *store, Jsonb *order_data, const InvCart *cart)
{
	List *headers = NIL;

	for (int i = 0; i < cart->line_count; i++)
		if (cart->lines[i].has_header)
			headers = lappend(headers, inv_datum_text(store->header_type, cart->lines[i].header));
	check_repeated(store, order_data, headers);
}
