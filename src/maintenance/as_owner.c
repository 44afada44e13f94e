/*
 * as_owner.c
 *		attach(), detach(), refresh(), retype(), grant_api() and repair() act with the rights of the
 *		owner.
 *
 * A superuser, or a role that is a member of the owner, calls them for tables of
 * another role, which decides what objects are called, where they are, and what
 * triggers and conditions do.  So the work is done by a function of the same
 * arguments that has only the owner's rights: it can change nothing that the owner
 * could not change, and leaves nothing in the caller's session (store/enter.c).
 */
#include "postgres.h"

#include "miscadmin.h"
#include "nodes/value.h"
#include "parser/parse_func.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"

#include "store/catalog.h"
#include "store/enter.h"

/* A function of the schema inventory with the argument types of the one that is called. */
static Oid
find_inner_function(FunctionCallInfo fcinfo, const char *name)
{
	Oid *types;
	int count;

	(void) get_func_signature(fcinfo->flinfo->fn_oid, &types, &count);
	return LookupFuncName(list_make2(makeString(INV_SCHEMA), makeString(pstrdup(name))), count,
						  types, false);
}

/* Call a function with the arguments of this call. */
static Datum
call_inner_function(FunctionCallInfo fcinfo, const char *name)
{
	LOCAL_FCINFO(inner, FUNC_MAX_ARGS);
	FmgrInfo function;
	Datum result;

	fmgr_info(find_inner_function(fcinfo, name), &function);
	InitFunctionCallInfoData(*inner, &function, fcinfo->nargs, fcinfo->fncollation, NULL, NULL);
	for (int i = 0; i < fcinfo->nargs; i++)
		inner->args[i] = fcinfo->args[i];
	result = FunctionCallInvoke(inner);
	fcinfo->isnull = inner->isnull;
	return result;
}

/* The owner of the first argument, a table; InvalidOid if there is no such table. */
static Oid
owner_of_items(FunctionCallInfo fcinfo)
{
	return PG_ARGISNULL(0) ? InvalidOid : inv_catalog_table_owner(PG_GETARG_OID(0));
}

/*
 * Call a function as the owner of the items.  A caller without the owner's rights
 * calls it as itself, and gets the function's error.
 */
static Datum
call_as_owner(FunctionCallInfo fcinfo, const char *name)
{
	Oid owner = owner_of_items(fcinfo);
	InvGuest guest;
	Datum result;

	if (!OidIsValid(owner) || owner == GetUserId() || !has_privs_of_role(GetUserId(), owner))
		return call_inner_function(fcinfo, name);
	inv_guest_begin(&guest, owner);
	result = call_inner_function(fcinfo, name);
	inv_guest_end(&guest);
	return result;
}

/*
 * The items may have another owner than the ledger: give the ledger to the owner of the
 * items, with the rights of the caller, who needs those of both.
 */
static void
take_over_ledger(FunctionCallInfo fcinfo)
{
	Oid user = GetUserId();
	Oid owner = owner_of_items(fcinfo);
	Oid ledger_owner;
	InvCatalogRow row;

	if (!OidIsValid(owner) || !has_privs_of_role(user, owner) ||
		!inv_catalog_find(PG_GETARG_OID(0), &row))
		return;
	ledger_owner = inv_catalog_table_owner(row.movements);
	if (OidIsValid(ledger_owner) && ledger_owner != owner && has_privs_of_role(user, ledger_owner))
		(void) call_inner_function(fcinfo, "take_over_ledger");
}

PG_FUNCTION_INFO_V1(inventory_attach);
PG_FUNCTION_INFO_V1(inventory_detach);
PG_FUNCTION_INFO_V1(inventory_refresh);
PG_FUNCTION_INFO_V1(inventory_retype);
PG_FUNCTION_INFO_V1(inventory_grant_api);
PG_FUNCTION_INFO_V1(inventory_repair);

Datum
inventory_attach(PG_FUNCTION_ARGS)
{
	return call_as_owner(fcinfo, "bind_store");
}

Datum
inventory_detach(PG_FUNCTION_ARGS)
{
	take_over_ledger(fcinfo);
	return call_as_owner(fcinfo, "unbind_store");
}

Datum
inventory_refresh(PG_FUNCTION_ARGS)
{
	take_over_ledger(fcinfo);
	return call_as_owner(fcinfo, "refresh_store");
}

Datum
inventory_retype(PG_FUNCTION_ARGS)
{
	take_over_ledger(fcinfo);
	return call_as_owner(fcinfo, "retype_column");
}

Datum
inventory_grant_api(PG_FUNCTION_ARGS)
{
	return call_as_owner(fcinfo, "grant_facade");
}

Datum
inventory_repair(PG_FUNCTION_ARGS)
{
	return call_as_owner(fcinfo, "repair_store");
}
