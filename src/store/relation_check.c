/*
 * relation_check.c
 *		Whose storage a table has.
 *
 * The engine reads and writes rows in the heap of this server, also without the
 * planner.  Where another engine has taken the table over, what is written there is
 * not found again, or does not roll back with the sale: Citus routes queries past
 * the heap of its tables, a foreign table is on another server, and a table access
 * method other than heap was never tested.
 *
 * Expects the relation to be open and locked; locks what it looks into.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/partition.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "commands/defrem.h"
#include "commands/extension.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "base/error.h"
#include "base/store_error.h"
#include "store/catalog.h"
#include "store/relation_check.h"

/* ---- Citus ---- */

#define CITUS_CATALOG "pg_dist_partition"

/* Citus's list of its tables, in whatever schema it keeps it; InvalidOid if there is none. */
static Oid
find_citus_catalog(Oid extension)
{
	Relation classes = table_open(RelationRelationId, AccessShareLock);
	Oid found = InvalidOid;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple tuple;

	ScanKeyInit(&key, Anum_pg_class_relname, BTEqualStrategyNumber, F_NAMEEQ,
				CStringGetDatum(CITUS_CATALOG));
	scan = systable_beginscan(classes, ClassNameNspIndexId, true, NULL, 1, &key);
	while (!OidIsValid(found) && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_class form = (Form_pg_class) GETSTRUCT(tuple);

		if (form->relkind == RELKIND_RELATION &&
			getExtensionOfObject(RelationRelationId, form->oid) == extension)
			found = form->oid;
	}
	systable_endscan(scan);
	table_close(classes, AccessShareLock);
	return found;
}

/* Is the relation distributed, a reference table, or a local table that Citus manages? */
static bool
is_citus_table(Oid relid)
{
	Oid extension = get_extension_oid("citus", true);
	Oid catalog_oid = OidIsValid(extension) ? find_citus_catalog(extension) : InvalidOid;
	AttrNumber column;
	Relation catalog;
	SysScanDesc scan;
	HeapTuple tuple;
	bool found = false;

	if (!OidIsValid(catalog_oid))
		return false;
	column = get_attnum(catalog_oid, "logicalrelid");
	catalog = table_open(catalog_oid, AccessShareLock);
	scan = systable_beginscan(catalog, InvalidOid, false, NULL, 0, NULL);
	while (!found && column != InvalidAttrNumber &&
		   HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		bool isnull;
		Datum value = heap_getattr(tuple, column, RelationGetDescr(catalog), &isnull);

		found = !isnull && DatumGetObjectId(value) == relid;
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return found;
}

/* ---- checks ---- */

/*
 * Raise if the rows of the relation are not in a heap of this server that a crash keeps.  "store_name" is
 * the store that it belongs to, or null while that is not decided.
 */
void
inv_check_storage(const char *store_name, Relation rel)
{
	Oid relid = RelationGetRelid(rel);
	char *name;

	if (rel->rd_rel->relkind == RELKIND_FOREIGN_TABLE)
	{
		name = inv_catalog_table_name(relid);
		inv_error_foreign_engine(
			store_name, name, "a foreign table",
			rel->rd_rel->relispartition
				? psprintf("ALTER TABLE %s DETACH PARTITION %s;",
						   inv_catalog_table_name(get_partition_parent(relid, true)), name)
				: "Use a table of this server.");
	}
	if (rel->rd_rel->relpersistence == RELPERSISTENCE_UNLOGGED)
	{
		name = inv_catalog_table_name(relid);
		inv_error_foreign_engine(store_name, name, "an unlogged table, which a crash empties",
								 psprintf("ALTER TABLE %s SET LOGGED;", name));
	}
	if (rel->rd_rel->relkind == RELKIND_RELATION && rel->rd_rel->relam != HEAP_TABLE_AM_OID)
	{
		name = inv_catalog_table_name(relid);
		inv_error_foreign_engine(
			store_name, name,
			psprintf("stored by access method \"%s\"", get_am_name(rel->rd_rel->relam)),
			psprintf("ALTER TABLE %s SET ACCESS METHOD heap;", name));
	}
}

static void
check_one(const char *store_name, Relation rel)
{
	char *name;

	inv_check_storage(store_name, rel);
	if (!is_citus_table(RelationGetRelid(rel)))
		return;
	name = inv_catalog_table_name(RelationGetRelid(rel));
	inv_error_foreign_engine(store_name, name, "a table of Citus",
							 psprintf("SELECT undistribute_table(%s);", quote_literal_cstr(name)));
}

/*
 * Raise if another engine owns the relation, or one of its partitions or children.
 * "dependencies", which may be null, receives these.
 */
void
inv_check_engine(const char *store_name, Relation rel, InvDependencies *dependencies)
{
	Oid relid = RelationGetRelid(rel);
	ListCell *cell;

	check_one(store_name, rel);
	if (rel->rd_rel->relkind != RELKIND_PARTITIONED_TABLE && !has_subclass(relid))
		return;
	foreach (cell, find_all_inheritors(relid, AccessShareLock, NULL))
	{
		Relation member;

		if (lfirst_oid(cell) == relid)
			continue;
		if (dependencies)
			inv_depend(dependencies, INV_DEPENDENCY_RELATION, lfirst_oid(cell));
		member = table_open(lfirst_oid(cell), NoLock);
		check_one(store_name, member);
		table_close(member, NoLock);
	}
}

PG_FUNCTION_INFO_V1(inventory_check_engine);

/* check_engine(relation): the same, for attach and for the owner of the relation. */
Datum
inventory_check_engine(PG_FUNCTION_ARGS)
{
	Relation rel;

	if (PG_ARGISNULL(0))
		inv_error_null("relation");
	rel = try_relation_open(PG_GETARG_OID(0), AccessShareLock);
	if (rel == NULL)
		inv_error_no_table(PG_GETARG_OID(0));
	if (!has_privs_of_role(GetUserId(), rel->rd_rel->relowner))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, RelationGetRelationName(rel));
	inv_check_engine(NULL, rel, NULL);
	relation_close(rel, NoLock);
	PG_RETURN_VOID();
}
