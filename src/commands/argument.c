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

#include "commands/argument.h"
#include "base/compat.h"
#include "base/error.h"

/* The type under its domains; varchar has the operators of text. */
Oid
inv_base_type(Oid type)
{
	Oid base = getBaseType(type);

	return base == VARCHAROID ? TEXTOID : base;
}

char *
inv_datum_text(Oid type, Datum value)
{
	Oid output;
	bool varlena;

	getTypeOutputInfo(type, &output, &varlena);
	return OidOutputFunctionCall(output, value);
}

Datum
inv_from_text(Oid type, char *string)
{
	Oid input, param;

	getTypeInputInfo(type, &input, &param);
	return OidInputFunctionCall(input, string, param, -1);
}

/* An argument of any type, as a base type. */
static Datum
coerce(FunctionCallInfo fcinfo, int argument, Oid to)
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
inv_label(FunctionCallInfo fcinfo)
{
	return PG_ARGISNULL(0) ? NULL : PG_GETARG_TEXT_PP(0);
}

/* The key of an item. */
Datum
inv_item(InvStore *store, FunctionCallInfo fcinfo, int argument)
{
	if (PG_ARGISNULL(argument))
		inv_error_null("item_id");
	return coerce(fcinfo, argument, store->item_id.base);
}

/* The same in its one text, for the digest of a call; null for null. */
char *
inv_item_argument_text(InvStore *store, FunctionCallInfo fcinfo, int argument)
{
	return PG_ARGISNULL(argument) ? NULL : inv_item_text(store, inv_item(store, fcinfo, argument));
}

/* The key of an order line. */
Datum
inv_order(InvStore *store, FunctionCallInfo fcinfo, int argument)
{
	return coerce(fcinfo, argument, store->order_type);
}

/* The item column of an order may be a wider or narrower integer than the key. */
Datum
inv_item_of_order(InvStore *store, Datum value)
{
	if (store->order_item.base == store->item_id.base)
		return value;
	return inv_from_text(store->item_id.base, inv_datum_text(store->order_item.base, value));
}

/* A quantity of at least 1. */
int64
inv_quantity(FunctionCallInfo fcinfo, int argument, const char *name)
{
	if (PG_ARGISNULL(argument))
		inv_error_null(name);
	if (PG_GETARG_INT64(argument) < 1)
		inv_error_quantity(name, PG_GETARG_INT64(argument));
	return PG_GETARG_INT64(argument);
}

char *
inv_text(FunctionCallInfo fcinfo, int argument)
{
	return PG_ARGISNULL(argument) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(argument));
}

/* A bigint argument in its one text. */
char *
inv_int64_text(FunctionCallInfo fcinfo, int argument)
{
	return PG_ARGISNULL(argument) ? NULL : psprintf(INT64_FORMAT, PG_GETARG_INT64(argument));
}

/* A JSON string or number as text; null for anything else. */
char *
inv_json_text(const JsonbValue *value)
{
	if (value->type == jbvString)
		return pnstrdup(value->val.string.val, value->val.string.len);
	if (value->type == jbvNumeric)
		return DatumGetCString(
			DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric)));
	return NULL;
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
inv_named_user(InvStore *store, FunctionCallInfo fcinfo, int argument)
{
	InvUser user = { (Datum) 0, argument < 0 || PG_ARGISNULL(argument) };
	char *claim;
	Datum claimed;

	if (!user.isnull)
		user.value = coerce(fcinfo, argument, store->user_type);
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
inv_user(InvStore *store, FunctionCallInfo fcinfo, int argument)
{
	InvUser user = inv_named_user(store, fcinfo, argument);

	if (user.isnull && store->order_user.attnum && store->order_user.notnull)
		inv_error_null("user_id");
	return user;
}

bool
inv_same_user(InvStore *store, Datum a, Datum b)
{
	return strcmp(inv_datum_text(store->user_type, a), inv_datum_text(store->user_type, b)) == 0;
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
		inv_error_broken_store(store->label,
							   psprintf("The caller expects %s, the store has %s.",
										format_type_be(get_fn_expr_rettype(fcinfo->flinfo)),
										format_type_be(type)));
}

/* The most that the stock column can hold. */
int64
inv_most_units(InvStore *store)
{
	return store->stock.base == INT2OID	  ? PG_INT16_MAX
		   : store->stock.base == INT4OID ? PG_INT32_MAX
										  : PG_INT64_MAX;
}

/* A quantity in the type of the stock column, at most what that can hold. */
Datum
inv_quantity_datum(InvStore *store, int64 quantity)
{
	switch (store->stock.base)
	{
		case INT2OID:
			return Int16GetDatum((int16) Max(Min(quantity, PG_INT16_MAX), PG_INT16_MIN));
		case INT4OID:
			return Int32GetDatum((int32) Max(Min(quantity, PG_INT32_MAX), PG_INT32_MIN));
		default:
			return Int64GetDatum(quantity);
	}
}

/* A result that survives the end of the call. */
Datum
inv_return(InvCall *call, Oid type, Datum value)
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
