/*
 * shape.c
 *		JSON arguments that do not have the expected shape.
 *
 * The mistakes that callers make have messages of their own: JSON that was encoded twice, and
 * keys in another convention.
 */
#include "postgres.h"

#include "base/error.h"
#include "store/binding.h"
#include "commands/shape.h"

#define ENCODED_TWICE_HINT                                                                         \
	"It was encoded twice. Pass the value itself, not its JSON text as a string."

/* Is it the key of this name? */
bool
inv_is_key(const JsonbValue *key, const char *name)
{
	return (size_t) key->val.string.len == strlen(name) &&
		   memcmp(key->val.string.val, name, key->val.string.len) == 0;
}

/* Step to the next member of an object that is being iterated over; false at its end. */
bool
inv_next_member(JsonbIterator **iterator, JsonbValue *key, JsonbValue *value)
{
	JsonbIteratorToken token;

	while ((token = JsonbIteratorNext(iterator, key, true)) != WJB_DONE)
		if (token == WJB_KEY)
		{
			(void) JsonbIteratorNext(iterator, value, true);
			return true;
		}
	return false;
}

/* The value of a member of an object; null if it has none of this name. */
JsonbValue *
inv_json_member(JsonbContainer *object, const char *name)
{
	return getKeyJsonValueFromContainer(object, name, strlen(name), NULL);
}

/* The object that a value is, or null. */
JsonbContainer *
inv_json_object(const JsonbValue *value)
{
	return value->type == jbvBinary && JsonContainerIsObject(value->val.binary.data)
			   ? value->val.binary.data
			   : NULL;
}

/* Is a value a string that contains a JSON array or object? */
static bool
is_encoded_twice(const JsonbValue *value)
{
	int i = 0;

	if (value->type != jbvString)
		return false;
	while (i < value->val.string.len && strchr(" \t\r\n", value->val.string.val[i]))
		i++;
	return i < value->val.string.len && strchr("[{", value->val.string.val[i]);
}

/* The same of a whole argument. */
static bool
is_root_encoded_twice(Jsonb *argument)
{
	JsonbValue value;

	return JB_ROOT_IS_SCALAR(argument) && JsonbExtractScalar(&argument->root, &value) &&
		   is_encoded_twice(&value);
}

/* Raise unless lines are an array that is not empty. */
void
inv_check_lines(Jsonb *lines)
{
	if (is_root_encoded_twice(lines))
		inv_error_value("lines must be a JSON array, not a string that contains one",
						ENCODED_TWICE_HINT);
	if (!JB_ROOT_IS_ARRAY(lines) || JB_ROOT_IS_SCALAR(lines))
		inv_error_value("lines must be a JSON array of objects", INV_LINE_HINT);
	if (JB_ROOT_COUNT(lines) == 0)
		inv_error_value("lines must not be empty", INV_LINE_HINT);
}

/* The object that an element of lines is; raises if it is none. */
JsonbContainer *
inv_line_object(const JsonbValue *line)
{
	JsonbContainer *object = inv_json_object(line);

	if (is_encoded_twice(line))
		inv_error_value("a line must be a JSON object, not a string that contains one",
						ENCODED_TWICE_HINT);
	if (object == NULL)
		inv_error_value("lines must be a JSON array of objects", INV_LINE_HINT);
	return object;
}

/* Raise unless order_data, which may be null, is an object. */
void
inv_check_order_data(Jsonb *order_data)
{
	if (order_data == NULL || JB_ROOT_IS_OBJECT(order_data))
		return;
	if (is_root_encoded_twice(order_data))
		inv_error_value("order_data must be a JSON object, not a string that contains one",
						ENCODED_TWICE_HINT);
	inv_error_value("order_data must be a JSON object", NULL);
}

/* Are two names the same, if case and underscores are ignored? */
static bool
names_are_alike(const char *a, const char *b)
{
	for (;; a++, b++)
	{
		while (*a == '_')
			a++;
		while (*b == '_')
			b++;
		if (pg_ascii_tolower(*a) != pg_ascii_tolower(*b))
			return false;
		if (*a == '\0')
			return true;
	}
}

/* The column that callers may set whose name could have been meant; null if there is none. */
const char *
inv_meant_column(const InvColumnList *list, const char *key)
{
	for (int i = 0; i < list->settable; i++)
		if (names_are_alike(key, list->columns[i].key))
			return list->columns[i].key;
	return NULL;
}

/* The key that could have been meant by an unknown one, or null.  store is null for a reservation. */
const char *
inv_meant_key(const InvStore *store, const char *key, bool is_line)
{
	if (is_line && names_are_alike(key, "item_id"))
		return "item_id";
	if (is_line && names_are_alike(key, "quantity"))
		return "quantity";
	if (store == NULL)
		return NULL;
	if (!OidIsValid(store->orders))
		return names_are_alike(key, "order_id") ? "order_id" : NULL;
	return inv_meant_column(&store->order_columns, key);
}
