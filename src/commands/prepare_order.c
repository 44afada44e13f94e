/*
 * prepare_order.c
 *		Rows of orders that a function makes: prepare_order of the ledger.
 *
 * A caller must not name the price.  Where the store has the function, rows have what it
 * returns; where attach wrote it, also the columns that callers may set and it does not compute.
 * User, item, quantity and the header of a line are always the engine's.
 *
 * The function is called once for a call, as the owner, after the cart is known to be
 * available and before anything is locked or written.  It writes nothing.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "base/compat.h"
#include "base/error.h"
#include "store/binding.h"
#include "store/binding_read.h"
#include "store/query.h"
#include "store/query_text.h"
#include "commands/answer.h"
#include "commands/cart.h"
#include "commands/header.h"
#include "commands/prepare_order.h"
#include "commands/shape.h"

#define RESULT_HINT                                                                                \
	"It returns {\"header\": {...}, \"lines\": [{...}, ...]}, with an object for each line."

/* Is it the key of this name, if there is one? */
static bool
is_named(const JsonbValue *key, const char *name)
{
	return name && inv_is_key(key, name);
}

/* ---- what the function gets ---- */

static void
push_pair(InvJsonbState *state, const char *name, JsonbValue *value)
{
	JsonbValue key;

	key.type = jbvString;
	key.val.string.val = (char *) name;
	key.val.string.len = strlen(name);
	inv_jsonb_push(state, WJB_KEY, &key);
	inv_jsonb_push(state, WJB_VALUE, value);
}

/* The members of an object, into one under construction. */
static void
push_members(InvJsonbState *state, JsonbContainer *object)
{
	JsonbIterator *iterator = JsonbIteratorInit(object);
	JsonbValue key, value;

	while (inv_next_member(&iterator, &key, &value))
	{
		inv_jsonb_push(state, WJB_KEY, &key);
		inv_jsonb_push(state, WJB_VALUE, &value);
	}
}

/* An id as JSON: a number or a string. */
static void
push_id(InvJsonbState *state, const char *name, Oid type, Datum id)
{
	StringInfoData text;
	Jsonb *json;
	JsonbValue value;

	initStringInfo(&text);
	inv_append_id(&text, type, id, false);
	json = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text.data)));
	(void) JsonbExtractScalar(&json->root, &value);
	push_pair(state, name, &value);
}

/* The lines of a cart: what the caller gave, with item and quantity. */
static Jsonb *
lines_of_cart(InvStore *store, const InvCart *cart)
{
	InvJsonbState state = { 0 };

	inv_jsonb_push(&state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < cart->line_count; i++)
	{
		const InvLine *line = &cart->lines[i];

		inv_jsonb_push(&state, WJB_BEGIN_OBJECT, NULL);
		if (line->own)
			push_members(&state, line->own);
		/* of two values of a key the last one counts */
		push_id(&state, "item_id", store->item_id.base, line->item);
		push_id(&state, "quantity", INT8OID, Int64GetDatum(line->quantity));
		inv_jsonb_push(&state, WJB_END_OBJECT, NULL);
	}
	inv_jsonb_push(&state, WJB_END_ARRAY, NULL);
	return JsonbValueToJsonb(state.result);
}

/* ---- what it returns ---- */

/* The bit of a column in a list, to which a column is added that a row has for the first time. */
static uint64
bit_of_column(InvStore *store, InvColumnList *list, Oid table, const JsonbValue *key)
{
	char *name = pnstrdup(key->val.string.val, key->val.string.len);
	AttrNumber attnum;

	for (int i = 0; i < list->count; i++)
		if (strcmp(list->columns[i].label, name) == 0)
			return UINT64CONST(1) << i;
	attnum = get_attnum(table, name);
	if (attnum <= 0)
		inv_error_unknown_column(
			name, table == store->orders ? store->orders_name : store->header_name, NULL);
	if (list->count >= INV_MAX_SETTABLE)
		inv_error_value(
			psprintf("prepare_order returns more than %d columns of a table", INV_MAX_SETTABLE),
			NULL);
	inv_binding_add_column(store, list, table, attnum);
	return UINT64CONST(1) << (list->count - 1);
}

/* Is a key of a line that of a column which is the engine's? */
static bool
is_engine_column(const InvStore *store, Oid table, const JsonbValue *key)
{
	if (table == store->header)
		return is_named(key, store->header_user.key);
	return is_named(key, "item_id") || is_named(key, "quantity") ||
		   is_named(key, store->order_item.key) || is_named(key, store->order_quantity.key) ||
		   is_named(key, store->order_user.key) || is_named(key, store->order_header.key);
}

/*
 * The columns of a row: those of "given", if not null, and over them those that the function
 * has returned.  Sets their bits, which were those of "given".
 */
static Jsonb *
prepared_row(InvStore *store, InvColumnList *list, Oid table, Jsonb *given,
			 JsonbContainer *returned, uint64 *columns)
{
	JsonbIterator *iterator = JsonbIteratorInit(returned);
	InvJsonbState state = { 0 };
	JsonbValue key, value;

	inv_jsonb_push(&state, WJB_BEGIN_OBJECT, NULL);
	if (given)
		push_members(&state, &given->root);
	while (inv_next_member(&iterator, &key, &value))
	{
		if (is_engine_column(store, table, &key))
			continue;
		*columns |= bit_of_column(store, list, table, &key);
		inv_jsonb_push(&state, WJB_KEY, &key);
		inv_jsonb_push(&state, WJB_VALUE, &value);
	}
	inv_jsonb_push(&state, WJB_END_OBJECT, NULL);
	return JsonbValueToJsonb(state.result);
}

/* A header that a line names, as the only column that the line has from the caller. */
static Jsonb *
only_header(InvStore *store, InvLine *line)
{
	InvJsonbState state = { 0 };

	line->columns &= store->header_bit;
	if (line->columns == 0)
		return NULL;
	inv_jsonb_push(&state, WJB_BEGIN_OBJECT, NULL);
	push_id(&state, store->order_header.key, store->header_type, line->header);
	inv_jsonb_push(&state, WJB_END_OBJECT, NULL);
	return JsonbValueToJsonb(state.result);
}

static void
prepare_lines(InvStore *store, InvCart *cart, JsonbValue *lines)
{
	JsonbContainer *array = lines && lines->type == jbvBinary ? lines->val.binary.data : NULL;

	if (array == NULL || !JsonContainerIsArray(array) ||
		JsonContainerSize(array) != (uint32) cart->line_count)
		inv_error_value(psprintf("prepare_order must return %d lines", cart->line_count),
						RESULT_HINT);
	for (int i = 0; i < cart->line_count; i++)
	{
		InvLine *line = &cart->lines[i];
		JsonbContainer *returned = inv_json_object(getIthJsonbValueFromContainer(array, i));
		Jsonb *given = store->has_values ? line->data : only_header(store, line);

		if (returned == NULL)
			inv_error_value("the lines that prepare_order returns must be objects", RESULT_HINT);
		line->data = prepared_row(store, &store->order_columns, store->orders, given, returned,
								  &line->columns);
	}
}

static void
prepare_header(InvStore *store, InvHeader *header, JsonbValue *returned)
{
	JsonbContainer *object = returned ? inv_json_object(returned) : NULL;

	if (returned && returned->type != jbvNull && object == NULL)
		inv_error_value("the header that prepare_order returns must be an object", RESULT_HINT);
	if (!store->has_values)
	{
		header->data = NULL;
		header->columns = 0;
	}
	if (object == NULL || !header->inserts)
		return;
	header->data = prepared_row(store, &store->header_columns, store->header, header->data, object,
								&header->columns);
}

/* Let prepare_order make the rows of a cart and of its header, if the store has the function. */
void
inv_prepare_order(InvStore *store, InvCart *cart, InvHeader *header, const InvUser *user)
{
	Datum values[3];
	char nulls[] = { user->isnull ? 'n' : ' ', ' ', header->order_data ? ' ' : 'n' };
	Jsonb *result;
	Datum value;
	bool isnull;

	if (!OidIsValid(store->prepare))
		return;
	values[0] = user->value;
	values[1] = JsonbPGetDatum(lines_of_cart(store, cart));
	values[2] = header->order_data ? JsonbPGetDatum(header->order_data) : (Datum) 0;
	inv_execute_as_attached(store, INV_STMT_PREPARE_ORDER, values, nulls, INV_SNAPSHOT_TRANSACTION);
	value = inv_result(0, 1, &isnull);
	result = isnull ? NULL : DatumGetJsonbP(value);
	if (result == NULL || !JB_ROOT_IS_OBJECT(result))
		inv_error_value("prepare_order must return an object", RESULT_HINT);
	prepare_lines(store, cart, inv_json_member(&result->root, "lines"));
	prepare_header(store, header, inv_json_member(&result->root, "header"));
}
