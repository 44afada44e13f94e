/*
 * generated.c
 *		Rights and comments of generated functions, by their OIDs.
 *
 * The statements REVOKE and COMMENT name a function, and to find one by its name the
 * server reads every function that is called so in any schema: attach would take
 * longer with each store of the database.
 *
 * Writes pg_proc and pg_description as these statements do, and locks the function.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/pg_proc.h"
#include "commands/comment.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "base/error.h"
#include "base/store_error.h"

/* A copy of the row of a function, of which the current user has the owner's rights. */
static HeapTuple
read_own_function(Oid function)
{
	HeapTuple tuple = SearchSysCacheCopy1(PROCOID, ObjectIdGetDatum(function));
	Form_pg_proc proc;

	if (!HeapTupleIsValid(tuple))
		inv_error_no_function(function);
	proc = (Form_pg_proc) GETSTRUCT(tuple);
	if (!has_privs_of_role(GetUserId(), proc->proowner))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_FUNCTION, NameStr(proc->proname));
	return tuple;
}

/* The same, locked; the function of another role is not locked. */
static HeapTuple
lock_own_function(Oid function)
{
	(void) read_own_function(function);
	LockDatabaseObject(ProcedureRelationId, function, 0, ShareUpdateExclusiveLock);
	return read_own_function(function);
}

/* Only the owner may execute. */
static Acl *
owner_only(Oid owner)
{
	AclItem public = { 0 };

	public.ai_grantee = ACL_ID_PUBLIC;
	public.ai_grantor = owner;
	ACLITEM_SET_PRIVS_GOPTIONS(public, ACL_EXECUTE, ACL_NO_RIGHTS);
	return aclupdate(acldefault(OBJECT_FUNCTION, owner), &public, ACL_MODECHG_DEL, owner,
					 DROP_CASCADE);
}

/* Replace the privileges in the row of a function. */
static void
replace_acl(Relation catalog, HeapTuple tuple, Acl *acl)
{
	Datum values[Natts_pg_proc] = { 0 };
	bool nulls[Natts_pg_proc] = { false };
	bool replaced[Natts_pg_proc] = { false };
	Form_pg_proc proc = (Form_pg_proc) GETSTRUCT(tuple);
	bool isnull;
	Datum old = heap_getattr(tuple, Anum_pg_proc_proacl, RelationGetDescr(catalog), &isnull);
	Oid *before = NULL;
	Oid *after;
	int count_before = isnull ? 0 : aclmembers(DatumGetAclP(old), &before);
	int count_after = aclmembers(acl, &after);
	HeapTuple changed;

	values[Anum_pg_proc_proacl - 1] = PointerGetDatum(acl);
	replaced[Anum_pg_proc_proacl - 1] = true;
	changed = heap_modify_tuple(tuple, RelationGetDescr(catalog), values, nulls, replaced);
	CatalogTupleUpdate(catalog, &changed->t_self, changed);
	updateAclDependencies(ProcedureRelationId, proc->oid, 0, proc->proowner, count_before, before,
						  count_after, after);
}

PG_FUNCTION_INFO_V1(inventory_restrict_function);
PG_FUNCTION_INFO_V1(inventory_describe_function);

/* restrict_function(function): revoke what default privileges granted to roles other than the owner. */
Datum
inventory_restrict_function(PG_FUNCTION_ARGS)
{
	Relation catalog;
	HeapTuple tuple;

	if (PG_ARGISNULL(0))
		inv_error_null("function");
	PreventCommandIfReadOnly("restrict_function()");
	tuple = lock_own_function(PG_GETARG_OID(0));
	catalog = table_open(ProcedureRelationId, RowExclusiveLock);
	replace_acl(catalog, tuple, owner_only(((Form_pg_proc) GETSTRUCT(tuple))->proowner));
	table_close(catalog, RowExclusiveLock);
	CommandCounterIncrement();
	PG_RETURN_VOID();
}

/* describe_function(function, description): set the comment of a function. */
Datum
inventory_describe_function(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		inv_error_null(PG_ARGISNULL(0) ? "function" : "description");
	PreventCommandIfReadOnly("describe_function()");
	(void) lock_own_function(PG_GETARG_OID(0));
	CreateComments(PG_GETARG_OID(0), ProcedureRelationId, 0, text_to_cstring(PG_GETARG_TEXT_PP(1)));
	CommandCounterIncrement();
	PG_RETURN_VOID();
}
