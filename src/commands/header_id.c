/*
 * header_id.c
 *		Ids of headers in what callers give: left out of what tells two calls apart.
 */
#include "postgres.h"

#include "base/compat.h"
#include "store/binding.h"
#include "commands/header_id.h"
#include "commands/shape.h"

/* A copy of an object without a key.  The object under "nested", if not null, loses another one. */
static Jsonb *
without_key(JsonbContainer *object, const char *name, const char *nested, const char *nested_name)
{
	JsonbIterator *iterator = JsonbIteratorInit(object);
	InvJsonbState state = { 0 };
	JsonbValue key, value;

	inv_jsonb_push(&state, WJB_BEGIN_OBJECT, NULL);
	while (inv_next_member(&iterator, &key, &value))
	{
		if (inv_is_key(&key, name))
			continue;
		if (nested && inv_is_key(&key, nested) && inv_json_object(&value))
			JsonbToJsonbValue(without_key(value.val.binary.data, nested_name, NULL, NULL), &value);
		inv_jsonb_push(&state, WJB_KEY, &key);
		inv_jsonb_push(&state, WJB_VALUE, &value);
	}
	inv_jsonb_push(&state, WJB_END_OBJECT, NULL);
	return JsonbValueToJsonb(state.result);
}

/*
 * lines or order_data without the ids of headers: of those that lines name, and of the one
 * that the call is to insert.
 */
Jsonb *
inv_without_headers(InvStore *store, Jsonb *given)
{
	InvJsonbState state = { 0 };

	Assert(OidIsValid(store->header));
	if (JB_ROOT_IS_OBJECT(given))
		return without_key(&given->root, store->order_header.key, "header", store->header_id.key);
	if (!JB_ROOT_IS_ARRAY(given) || JB_ROOT_IS_SCALAR(given))
		return given;
	inv_jsonb_push(&state, WJB_BEGIN_ARRAY, NULL);
	for (uint32 i = 0; i < JB_ROOT_COUNT(given); i++)
	{
		JsonbValue value = *getIthJsonbValueFromContainer(&given->root, i);

		if (inv_json_object(&value))
			JsonbToJsonbValue(
				without_key(value.val.binary.data, store->order_header.key, NULL, NULL), &value);
		inv_jsonb_push(&state, WJB_ELEM, &value);
	}
	inv_jsonb_push(&state, WJB_END_ARRAY, NULL);
	return JsonbValueToJsonb(state.result);
}
