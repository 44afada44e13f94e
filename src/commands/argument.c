/*
 * argument.c
 *		From what a caller passes to the types of the store, and back.
 *
 * The generated functions pass ids in exactly the bound types; the owner may
 * call the engine with anything, so everything is coerced, through text where the
 * types differ, and nothing is believed.  The user is checked here against the
 * claim of the store.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "parser/parse_func.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"

#include "base/compat.h"
#include "base/datum.h"
#include "base/error.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/enter.h"
#include "store/ledger_schema.h"
#include "commands/argument.h"

/* An argument of any type, as a base type. */
static Datum
coerce_argument(FunctionCallInfo fcinfo, int argument, Oid to)
{
	Oid from = get_fn_expr_argtype(fcinfo->flinfo, argument);
	Datum value = PG_GETARG_DATUM(argument);

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
	if (PG_ARGISNULL(argument))
		inv_error_null("item_id");
	return coerce_argument(fcinfo, argument, store->item_id.base);
}

/* The same in its one text, for the digest of a call; null for null. */
char *
inv_getarg_item_text(InvStore *store, FunctionCallInfo fcinfo, int argument)
{
	return PG_ARGISNULL(argument) ? NULL
								  : inv_item_text(store, inv_getarg_item(store, fcinfo, argument));
}

/* The key of an order line. */
Datum
inv_getarg_order(InvStore *store, FunctionCallInfo fcinfo, int argument)
{
	return coerce_argument(fcinfo, argument, store->order_type);
}

/* A quantity of at least 1. */
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

/* A bigint argument in its one text. */
char *
inv_getarg_int64_text(FunctionCallInfo fcinfo, int argument)
{
	return PG_ARGISNULL(argument) ? NULL : psprintf(INT64_FORMAT, PG_GETARG_INT64(argument));
}

/* ---- the user ---- */

/* Does the role outside of the generated function hold the operator grant? */
static bool
is_operator(InvStore *store)
{
	char *ledger = get_namespace_name(get_rel_namespace(store->ledger[INV_LEDGER_MOVEMENTS]));
	/* as it is generated: a smallint key is an integer argument */
	Oid types[] = { store->item_id.base == INT2OID ? INT4OID : store->item_id.base, INT8OID,
					TEXTOID, TEXTOID };
	Oid function = LookupFuncName(list_make2(makeString(ledger), makeString("restock_item")),
								  lengthof(types), types, true);

	return OidIsValid(function) && inv_may_execute(function, GetOuterUserId());
}

/* The store's claim in request.jwt.claims, as text; null if there is none. */
static char *
claimed_user(InvStore *store)
{
	const char *claims = GetConfigOption("request.jwt.claims", true, false);
	Jsonb *object;
	JsonbValue *value;

	if (claims == NULL || claims[0] == '\0')
		return NULL;
	object = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(claims)));
	if (!JB_ROOT_IS_OBJECT(object))
		return NULL;
	value = getKeyJsonValueFromContainer(&object->root, store->user_claim,
										 strlen(store->user_claim), NULL);
	if (value == NULL)
		return NULL;
	return inv_json_text(value);
}

/*
 * The user a call names, or that of its token: with a claim, a role that has no
 * more than the buyer grant is the user of its token and nobody else.
 */
InvUser
inv_getarg_named_user(InvStore *store, FunctionCallInfo fcinfo, int argument)
{
	InvUser user = { (Datum) 0, argument < 0 || PG_ARGISNULL(argument) };
	char *claim;
	Datum claimed;

	if (!user.isnull)
		user.value = coerce_argument(fcinfo, argument, store->user_type);
	if (store->user_claim == NULL || is_operator(store))
		return user;
	claim = claimed_user(store);
	if (claim == NULL)
		inv_error_not_this_user(store->user_claim);
	claimed = inv_from_text(store->user_type, claim);
	if (!user.isnull && !inv_same_user(store, user.value, claimed))
		inv_error_not_this_user(store->user_claim);
	user.value = claimed;
	user.isnull = false;
	return user;
}

/* The user of a purchase, which the orders may not do without. */
InvUser
inv_getarg_user(InvStore *store, FunctionCallInfo fcinfo, int argument)
{
	InvUser user = inv_getarg_named_user(store, fcinfo, argument);

	if (user.isnull && store->order_user.attnum && store->order_user.notnull)
		inv_error_null("user_id");
	return user;
}

/* ---- results ---- */

/*
 * The type of a result is that of the caller's result_type argument.  Refuse one
 * that is not what the store returns: a generated function that is out of date,
 * or a direct call.
 */
void
inv_check_result(InvStore *store, FunctionCallInfo fcinfo, Oid type)
{
	if (inv_base_type(get_fn_expr_rettype(fcinfo->flinfo)) != type)
		inv_error_broken_store(store->store_name,
							   psprintf("The caller expects %s, the store has %s.",
										format_type_be(get_fn_expr_rettype(fcinfo->flinfo)),
										format_type_be(type)));
}

/* A result that survives the end of the call. */
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
