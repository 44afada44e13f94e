/*
 * catalog.c
 *		The table inventory.store: which tables make a store.
 *
 * Reads its rows, checks in a trigger who writes them, and deletes one for
 * delete_store_row().  It is scanned without SPI, because a row is read before a
 * store is entered.  Columns are found by name, so that script/10_catalog.sql is
 * the only place that orders them.
 *
 * Locks inventory.store itself and expects no lock.  A row read here can be out
 * of date as soon as it is returned: store.c locks the tables that it names and
 * then looks whether anything changed.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "base/error.h"
#include "store/catalog.h"

static Oid
catalog_oid(void)
{
	return get_relname_relid("store", get_namespace_oid(INV_SCHEMA, false));
}

/* ---- a row and its columns ---- */

static Datum
catalog_value(HeapTuple tuple, TupleDesc desc, const char *column, bool *isnull)
{
	int number = desc->natts;

	while (number > 0 && namestrcmp(&TupleDescAttr(desc, number - 1)->attname, column) != 0)
		number--;
	if (number == 0)
		inv_error_unknown_column(column, "inventory.store");
	return heap_getattr(tuple, number, desc, isnull);
}

/* A table that a row names; InvalidOid for null. */
static Oid
catalog_table(HeapTuple tuple, TupleDesc desc, const char *column)
{
	bool isnull;
	Datum value = catalog_value(tuple, desc, column, &isnull);

	return isnull ? InvalidOid : DatumGetObjectId(value);
}

/* A text of a row; NULL for null. */
static char *
catalog_text(HeapTuple tuple, TupleDesc desc, const char *column)
{
	bool isnull;
	Datum value = catalog_value(tuple, desc, column, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

/* An array of texts of a row, as a list of strings; NIL for null. */
static List *
catalog_text_list(HeapTuple tuple, TupleDesc desc, const char *column)
{
	bool isnull;
	Datum value = catalog_value(tuple, desc, column, &isnull);
	List *texts = NIL;
	Datum *elements;
	bool *nulls;
	int count;

	if (isnull)
		return NIL;
	deconstruct_array(DatumGetArrayTypeP(value), TEXTOID, -1, false, TYPALIGN_INT, &elements,
					  &nulls, &count);
	for (int i = 0; i < count; i++)
		if (!nulls[i])
			texts = lappend(texts, TextDatumGetCString(elements[i]));
	return texts;
}

static void
copy_catalog_row(InvCatalogRow *row, HeapTuple tuple, TupleDesc desc)
{
	bool isnull, no_ttl;

	row->store_name = catalog_text(tuple, desc, "store_name");
	row->items = catalog_table(tuple, desc, "items");
	row->orders = catalog_table(tuple, desc, "orders");
	row->movements = catalog_table(tuple, desc, "movements");
	row->user_claim = catalog_text(tuple, desc, "user_claim");
	row->refuse_direct = strcmp(catalog_text(tuple, desc, "direct_writes"), "refuse") == 0;
	row->has_sellable = DatumGetBool(catalog_value(tuple, desc, "has_sellable", &isnull));
	row->settings = catalog_text_list(tuple, desc, "settings");
	row->max_ttl = *DatumGetIntervalP(catalog_value(tuple, desc, "max_ttl", &no_ttl));
	Assert(row->store_name && !isnull && !no_ttl); /* all are NOT NULL */
}

/* Find the row of a store by its name or, where that is null, by its items table. */
bool
inv_catalog_find(const char *store_name, Oid items, InvCatalogRow *row)
{
	Relation catalog = table_open(catalog_oid(), AccessShareLock);
	TupleDesc desc = RelationGetDescr(catalog);
	SysScanDesc scan = systable_beginscan(catalog, InvalidOid, false, NULL, 0, NULL);
	HeapTuple tuple;
	bool found = false;

	while (!found && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		found = store_name ? strcmp(catalog_text(tuple, desc, "store_name"), store_name) == 0
						   : catalog_table(tuple, desc, "items") == items;
		if (found)
			copy_catalog_row(row, tuple, desc);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return found;
}

/* The rows of all stores, as a list of InvCatalogRow; NIL where the extension is not installed. */
List *
inv_catalog_list(void)
{
	Oid schema = get_namespace_oid(INV_SCHEMA, true);
	Oid relid = OidIsValid(schema) ? get_relname_relid("store", schema) : InvalidOid;
	Relation catalog = OidIsValid(relid) ? try_table_open(relid, AccessShareLock) : NULL;
	List *rows = NIL;
	SysScanDesc scan;
	HeapTuple tuple;

	if (catalog == NULL)
		return NIL;
	scan = systable_beginscan(catalog, InvalidOid, false, NULL, 0, NULL);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		InvCatalogRow *row = palloc(sizeof(InvCatalogRow));

		copy_catalog_row(row, tuple, RelationGetDescr(catalog));
		rows = lappend(rows, row);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return rows;
}

/* ---- SQL functions ---- */

PG_FUNCTION_INFO_V1(inventory_store_changed);
PG_FUNCTION_INFO_V1(inventory_delete_store_row);

/*
 * Raise unless the current user has the rights of the table's owner, and make
 * every session read the store of the table again.
 */
static void
require_table_owner(Oid table, bool missing_ok)
{
	HeapTuple class = SearchSysCache1(RELOID, ObjectIdGetDatum(table));

	if (!HeapTupleIsValid(class))
	{
		if (!missing_ok)
			inv_error_no_table(table);
		return;
	}
	if (!has_privs_of_role(GetUserId(), ((Form_pg_class) GETSTRUCT(class))->relowner))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, get_rel_name(table));
	CacheInvalidateRelcacheByTuple(class);
	ReleaseSysCache(class);
}

/*
 * Require the ownership of each table that a row names.  A row of a dropped table
 * can be deleted by any role that may write inventory.store, but only a superuser
 * can write one.
 */
static void
check_catalog_row(HeapTuple tuple, TupleDesc desc, bool is_new)
{
	static const char *const columns[] = { "items", "orders", "movements" };

	for (size_t i = 0; i < lengthof(columns); i++)
	{
		bool isnull;
		Oid table = DatumGetObjectId(catalog_value(tuple, desc, columns[i], &isnull));

		if (!isnull)
			require_table_owner(table, !is_new || superuser());
	}
}

/* Trigger on inventory.store, before each row. */
Datum
inventory_store_changed(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	TupleDesc desc;

	if (!CALLED_AS_TRIGGER(fcinfo))
		inv_error_value("store_changed is a trigger function", NULL);
	if (!TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		RelationGetRelid(trigger->tg_relation) != catalog_oid())
		inv_error_value("store_changed is the trigger of inventory.store", NULL);

	desc = RelationGetDescr(trigger->tg_relation);
	check_catalog_row(trigger->tg_trigtuple, desc, TRIGGER_FIRED_BY_INSERT(trigger->tg_event));
	if (!TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
		return PointerGetDatum(trigger->tg_trigtuple);
	check_catalog_row(trigger->tg_newtuple, desc, true);
	return PointerGetDatum(trigger->tg_newtuple);
}

/*
 * delete_store_row(items): remove the row of a store, for the owner of its items
 * table.  Nothing else of the store is looked at, because it may be damaged.
 */
Datum
inventory_delete_store_row(PG_FUNCTION_ARGS)
{
	Oid items = PG_ARGISNULL(0) ? InvalidOid : PG_GETARG_OID(0);
	Relation catalog;
	SysScanDesc scan;
	HeapTuple tuple;

	PreventCommandIfReadOnly("delete_store_row()");
	require_table_owner(items, false);
	catalog = table_open(catalog_oid(), RowExclusiveLock);
	scan = systable_beginscan(catalog, InvalidOid, false, NULL, 0, NULL);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		if (catalog_table(tuple, RelationGetDescr(catalog), "items") == items)
			simple_heap_delete(catalog, &tuple->t_self);
	systable_endscan(scan);
	table_close(catalog, RowExclusiveLock);
	CommandCounterIncrement();
	PG_RETURN_VOID();
}
