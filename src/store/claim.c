/*
 * claim.c
 *		The user of a token, who alone a buyer can act for.
 *
 * Where a store has a claim, a role with only the buyer grant acts as the user of its token,
 * which PostgREST puts into request.jwt.claims.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "parser/parse_func.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"

#include "base/compat.h"
#include "base/datum.h"
#include "base/error.h"
#include "store/binding.h"
#include "store/claim.h"
#include "store/column.h"
#include "store/ledger_schema.h"

/* May a role execute the operator functions? */
bool
inv_is_operator(InvStore *store, Oid role)
{
	char *ledger = get_namespace_name(get_rel_namespace(store->ledger[INV_LEDGER_MOVEMENTS]));
	/* the generated function takes a smallint key as integer */
	Oid types[] = { store->item_id.base == INT2OID ? INT4OID : store->item_id.base, INT8OID,
					TEXTOID, TEXTOID };
	Oid function = LookupFuncName(list_make2(makeString(ledger), makeString("restock_item")),
								  lengthof(types), types, true);

	return OidIsValid(function) && inv_may_execute(function, role);
}

/* The value of the store's claim in request.jwt.claims, or null. */
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

/* Is a role bound to the user of its token? */
bool
inv_claim_binds(InvStore *store, Oid role)
{
	return store->user_claim != NULL && !inv_is_operator(store, role);
}

/* The user of the token; raises 42501 if there is none. */
InvUser
inv_claimed_user(InvStore *store)
{
	InvUser user = { .isnull = false };
	char *claim = claimed_user(store);

	if (claim == NULL)
		inv_error_not_this_user(store->user_claim);
	user.value = inv_from_text(store->user_type, claim);
	inv_check_id_length(store->user_type, user.value, "user_id");
	return user;
}

/* Raise 42501 unless the user is that of the token. */
void
inv_check_claim(InvStore *store, const InvUser *user)
{
	InvUser claimed = inv_claimed_user(store);

	if (!inv_same_users(store, user, &claimed))
		inv_error_not_this_user(store->user_claim);
}
