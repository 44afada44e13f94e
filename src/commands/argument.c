/*
 * argument.c
 *		Arguments of the engine's functions, in the types of the store.
 *
 * The generated functions pass ids in exactly the bound types.  The owner of the
 * tables may call the engine with any type, so every id is coerced, through text
 * where the types differ.  The user is checked against the store's claim here.
 *
 * Expects the store to be entered.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "parser/parse_func.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"

#include "base/datum.h"
#include "base/error.h"
#include "base/store_error.h"
#include "store/binding.h"
#include "store/claim.h"
#include "store/column.h"
#include "store/enter.h"
#include "commands/argument.h"

/* An argument that is not null, as a value of this base type. */
Datum
inv_getarg_as(FunctionCallInfo fcinfo, int argument, Oid to)
{
	Oid from = get_fn_expr_argtype(fcinfo->flinfo, argument);
	Datum value = PG_GETARG_DATUM(argument);

	Assert(!PG_ARGISNULL(argument));
	if (inv_base_type(from) == to)
		return value;
	return inv_from_text(to,
						 from == UNKNOWNOID ? DatumGetCString(value) : inv_datum_text(from, value));
}

/* The store's name, the first argument of every engine function. */
text *
inv_getarg_store_name(FunctionCallInfo fcinfo)
{
	return PG_ARGISNULL(0) ? NULL : PG_GETARG_TEXT_PP(0);
}

/* The key of an item. */
Datum
inv_getarg_item(InvStore *store, FunctionCallInfo fcinfo, int argument)
{
	Datum item;

	if (PG_ARGISNULL(argument))
		inv_error_null("item_id");
	item = inv_getarg_as(fcinfo, argument, store->item_id.base);
	inv_check_id_length(store->item_id.base, item, "item_id");
	return item;
}

/* The key of an order line. */
Datum
inv_getarg_order(InvStore *store, FunctionCallInfo fcinfo, int argument)
{
	if (PG_ARGISNULL(argument))
		inv_error_null("order_id");
	return inv_getarg_as(fcinfo, argument, store->order_type);
}

/* An array of ids of a type, of which none is null. */
Datum
inv_getarg_ids(FunctionCallInfo fcinfo, int argument, Oid type, const char *name)
{
	Datum ids, id;
	ArrayType *array;
	ArrayIterator iterator;
	bool isnull;

	if (PG_ARGISNULL(argument))
		inv_error_null(name);
	ids = inv_getarg_as(fcinfo, argument, get_array_type(type));
	array = DatumGetArrayTypeP(ids);
	if (array_contains_nulls(array))
		inv_error_null(psprintf("an element of %s", name));
	iterator = array_create_iterator(array, 0, NULL);
	while (array_iterate(iterator, &id, &isnull))
		inv_check_id_length(type, id, psprintf("an element of %s", name));
	array_free_iterator(iterator);
	return PointerGetDatum(array);
}

/* A quantity of at least 1; raises 22004 for null and 22023 for less. */
int64
inv_getarg_quantity(FunctionCallInfo fcinfo, int argument, const char *name)
{
	if (PG_ARGISNULL(argument))
		inv_error_null(name);
	if (PG_GETARG_INT64(argument) < 1)
		inv_error_quantity(name, PG_GETARG_INT64(argument));
	return PG_GETARG_INT64(argument);
}

char *
inv_getarg_text(FunctionCallInfo fcinfo, int argument)
{
	return PG_ARGISNULL(argument) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(argument));
}

/* ---- the user ---- */

/*
 * The user that a call names, or null.  Where the store has a claim, a role with
 * only the buyer grant acts as the user of its token: another user is refused
 * (42501).  argument is -1 for a call that names no user.
 */
InvUser
inv_getarg_named_user(InvStore *store, FunctionCallInfo fcinfo, int argument)
{
	InvUser user = { (Datum) 0, argument < 0 || PG_ARGISNULL(argument) };
	InvUser claimed;

	if (!user.isnull)
	{
		user.value = inv_getarg_as(fcinfo, argument, store->user_type);
		inv_check_id_length(store->user_type, user.value, "user_id");
	}
	if (!inv_claim_binds(store, GetOuterUserId()))
		return user;
	claimed = inv_claimed_user(store);
	if (!user.isnull && !inv_same_user(store, user.value, claimed.value))
		inv_error_not_this_user(store->user_claim);
	return claimed;
}

/* The user of a purchase; raises 22004 if orders or their header need one and there is none. */
InvUser
inv_getarg_user(InvStore *store, FunctionCallInfo fcinfo, int argument)
{
	InvUser user = inv_getarg_named_user(store, fcinfo, argument);

	if (user.isnull && ((store->order_user.attnum && store->order_user.notnull) ||
						(store->header_user.attnum && store->header_user.notnull)))
		inv_error_null("user_id");
	return user;
}

/* ---- results ---- */

/*
 * The last argument of an engine function gives the type of its result.  Refuse
 * one that the store does not return: the generated function is out of date, or
 * the engine was called directly.
 */
void
inv_check_result(InvStore *store, FunctionCallInfo fcinfo, Oid type)
{
	if (inv_base_type(get_fn_expr_rettype(fcinfo->flinfo)) != type)
		inv_error_broken_store(store->store_name, store->items,
							   psprintf("The caller expects %s, the store has %s.",
										format_type_be(get_fn_expr_rettype(fcinfo->flinfo)),
										format_type_be(type)));
}

/* A copy of a result in the memory of the caller, for inv_store_leave frees the call's. */
Datum
inv_copy_result(InvCall *call, Oid type, Datum value)
{
	MemoryContext old = MemoryContextSwitchTo(call->caller);
	int16 length;
	bool byval;
	Datum copy;

	get_typlenbyval(type, &length, &byval);
	copy = datumCopy(value, byval, length);
	MemoryContextSwitchTo(old);
	return copy;
}
