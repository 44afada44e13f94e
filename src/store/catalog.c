/*
 * catalog.c
 *		The table inventory.store: which tables make a store.
 *
 * Reads its rows; catalog_write.c writes them.  It is scanned without SPI, because a
 * row is read before a store is entered.  Columns are found by name, so that
 * script/10_catalog.sql is the only place that orders them.
 *
 * Any role may insert rows for its own tables, because a dump that an owner restores
 * has such rows.  So the name of a store belongs to its owner: stores of different
 * owners can have the same name, and no role can take a name from another one, or
 * keep it waiting for a transaction that inserts it.  A name that a call gives is
 * that of a store whose owner the call runs as.
 *
 * Locks inventory.store itself and expects no lock.  A row read here can be out
 * of date as soon as it is returned: store.c locks the tables that it names and
 * then looks whether anything changed.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/skey.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "base/error.h"
#include "base/store_error.h"
#include "store/catalog.h"

/*
 * The table inventory.store; InvalidOid where the extension is not installed.  In such a
 * database any role that can create schemas can make a relation of that name, which is not
 * a catalog: the worker looks into every database.
 */
Oid
inv_catalog_relid(void)
{
	static Oid known = InvalidOid; /* is a member of the extension */
	Oid schema = get_namespace_oid(INV_SCHEMA, true);
	Oid relid = OidIsValid(schema) ? get_relname_relid("store", schema) : InvalidOid;
	Oid extension;

	if (!OidIsValid(relid) || relid == known)
		return relid;
	extension = get_extension_oid("inventory", true);
	if (!OidIsValid(extension) || getExtensionOfObject(RelationRelationId, relid) != extension)
		return InvalidOid;
	known = relid;
	return relid;
}

/* ---- a row and its columns ---- */

Datum
inv_catalog_value(HeapTuple tuple, TupleDesc desc, const char *column, bool *isnull)
{
	int number = desc->natts;

	while (number > 0 && namestrcmp(&TupleDescAttr(desc, number - 1)->attname, column) != 0)
		number--;
	if (number == 0)
		inv_error_unknown_column(column, "inventory.store", NULL);
	return heap_getattr(tuple, number, desc, isnull);
}

/* A table that a row names; InvalidOid for null. */
Oid
inv_catalog_table(HeapTuple tuple, TupleDesc desc, const char *column)
{
	bool isnull;
	Datum value = inv_catalog_value(tuple, desc, column, &isnull);

	return isnull ? InvalidOid : DatumGetObjectId(value);
}

/* A text of a row; NULL for null. */
char *
inv_catalog_text(HeapTuple tuple, TupleDesc desc, const char *column)
{
	bool isnull;
	Datum value = inv_catalog_value(tuple, desc, column, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

/* An array of texts of a row, as a list of strings; NIL for null. */
static List *
catalog_text_list(HeapTuple tuple, TupleDesc desc, const char *column)
{
	bool isnull;
	Datum value = inv_catalog_value(tuple, desc, column, &isnull);
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

static bool
catalog_has_value(HeapTuple tuple, TupleDesc desc, const char *column)
{
	bool isnull;

	(void) inv_catalog_value(tuple, desc, column, &isnull);
	return !isnull;
}

static InvOrderWrites
order_writes_of(const char *name)
{
	return strcmp(name, "follow") == 0	 ? INV_ORDER_WRITES_FOLLOW
		   : strcmp(name, "refuse") == 0 ? INV_ORDER_WRITES_REFUSE
										 : INV_ORDER_WRITES_RECORD;
}

static InvDirectWrites
direct_writes_of(const char *name)
{
	return strcmp(name, "refuse") == 0 ? INV_DIRECT_WRITES_REFUSE
		   : strcmp(name, "keep") == 0 ? INV_DIRECT_WRITES_KEEP
									   : INV_DIRECT_WRITES_RECORD;
}

static void
copy_catalog_row(InvCatalogRow *row, HeapTuple tuple, TupleDesc desc)
{
	bool isnull, no_ttl;

	row->store_name = inv_catalog_text(tuple, desc, "store_name");
	row->items = inv_catalog_table(tuple, desc, "items");
	row->orders = inv_catalog_table(tuple, desc, "orders");
	row->header = inv_catalog_table(tuple, desc, "header");
	row->movements = inv_catalog_table(tuple, desc, "movements");
	row->user_claim = inv_catalog_text(tuple, desc, "user_claim");
	row->direct_writes = direct_writes_of(inv_catalog_text(tuple, desc, "direct_writes"));
	row->order_writes = order_writes_of(inv_catalog_text(tuple, desc, "order_writes"));
	row->refuses_truncate =
		DatumGetBool(inv_catalog_value(tuple, desc, "refuses_truncate", &isnull));
	row->has_order_units = DatumGetBool(inv_catalog_value(tuple, desc, "has_order_units", &isnull));
	row->has_sellable = DatumGetBool(inv_catalog_value(tuple, desc, "has_sellable", &isnull));
	row->has_prepare = DatumGetBool(inv_catalog_value(tuple, desc, "has_prepare", &isnull));
	row->has_values = catalog_has_value(tuple, desc, "order_values") ||
					  catalog_has_value(tuple, desc, "header_values");
	row->settings = catalog_text_list(tuple, desc, "settings");
	row->max_ttl = *DatumGetIntervalP(inv_catalog_value(tuple, desc, "max_ttl", &no_ttl));
	Assert(row->store_name && !isnull && !no_ttl); /* all are NOT NULL */
}

/* ---- looking rows up ---- */

/*
 * Scan the rows whose column, which an index of this name is on, has a value.
 * Without the index, which a superuser can drop, all rows are read.
 */
static SysScanDesc
scan_catalog(Relation catalog, const char *column, const char *index, RegProcedure equal,
			 Datum value)
{
	Oid schema = RelationGetNamespace(catalog);
	Oid index_id = get_relname_relid(index, schema);
	AttrNumber number = get_attnum(RelationGetRelid(catalog), column);
	ScanKeyData key;

	if (number == InvalidAttrNumber)
		inv_error_unknown_column(column, "inventory.store", NULL);
	ScanKeyEntryInitialize(&key, 0, number, BTEqualStrategyNumber, InvalidOid,
						   DEFAULT_COLLATION_OID, equal, value);
	return systable_beginscan(catalog, index_id, OidIsValid(index_id), NULL, 1, &key);
}

SysScanDesc
inv_catalog_scan_by_items(Relation catalog, Oid items)
{
	return scan_catalog(catalog, "items", "store_pkey", F_OIDEQ, ObjectIdGetDatum(items));
}

SysScanDesc
inv_catalog_scan_by_name(Relation catalog, const char *store_name)
{
	return scan_catalog(catalog, "store_name", "store_store_name_idx", F_TEXTEQ,
						CStringGetTextDatum(store_name));
}

/* Find the row of the store of an items table. */
bool
inv_catalog_find(Oid items, InvCatalogRow *row)
{
	Oid relid = inv_catalog_relid();
	Relation catalog;
	SysScanDesc scan;
	HeapTuple tuple;

	if (!OidIsValid(relid))
		return false;
	catalog = table_open(relid, AccessShareLock);
	scan = inv_catalog_scan_by_items(catalog, items);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		copy_catalog_row(row, tuple, RelationGetDescr(catalog));
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return HeapTupleIsValid(tuple);
}

/*
 * The items table of the store that has this name and one of these tables as orders or
 * their headers; InvalidOid if there is none.  All of them have one owner, whose stores have different names.
 */
Oid
inv_catalog_find_orders(const char *store_name, const List *tables)
{
	Oid relid = inv_catalog_relid();
	Oid items = InvalidOid;
	Relation catalog;
	SysScanDesc scan;
	HeapTuple tuple;

	if (!OidIsValid(relid))
		return InvalidOid;
	catalog = table_open(relid, AccessShareLock);
	scan = inv_catalog_scan_by_name(catalog, store_name);
	while (!OidIsValid(items) && HeapTupleIsValid(tuple = systable_getnext(scan)))
		if (list_member_oid(tables,
							inv_catalog_table(tuple, RelationGetDescr(catalog), "orders")) ||
			list_member_oid(tables, inv_catalog_table(tuple, RelationGetDescr(catalog), "header")))
			items = inv_catalog_table(tuple, RelationGetDescr(catalog), "items");
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return items;
}

/* The owner of a table; InvalidOid if it was dropped. */
Oid
inv_catalog_table_owner(Oid table)
{
	HeapTuple class = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
	Oid owner;

	if (!HeapTupleIsValid(class))
		return InvalidOid;
	owner = ((Form_pg_class) GETSTRUCT(class))->relowner;
	ReleaseSysCache(class);
	return owner;
}

/* Do row security policies of a table bind its owner?  False if it does not exist. */
bool
inv_catalog_forces_policies(Oid table)
{
	HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
	bool forces = false;

	if (HeapTupleIsValid(tuple))
	{
		Form_pg_class class = (Form_pg_class) GETSTRUCT(tuple);

		forces = class->relrowsecurity && class->relforcerowsecurity;
		ReleaseSysCache(tuple);
	}
	return forces;
}

/* The name of a table with its schema, quoted where that is needed. */
char *
inv_catalog_table_name(Oid table)
{
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(table)),
									  get_rel_name(table));
}

/* How well the store of an owner matches a name that a user gives. */
typedef enum NameMatch
{
	NAME_MATCH_FOREIGN, /* the user does not have the owner's rights */
	NAME_MATCH_MEMBER,
	NAME_MATCH_OWN
} NameMatch;

static NameMatch
match_owner(Oid user, Oid owner)
{
	if (user == owner)
		return NAME_MATCH_OWN;
	return OidIsValid(owner) && has_privs_of_role(user, owner) ? NAME_MATCH_MEMBER
															   : NAME_MATCH_FOREIGN;
}

/*
 * The items table of the store that the current user means by a name: its own, or
 * else one of an owner whose rights it has.  Raises if there are two.  InvalidOid
 * if no store has the name; a store that the user may not use if only such stores
 * have it.  *is_only: no other store has the name.
 */
Oid
inv_catalog_resolve(const char *store_name, bool *is_only)
{
	Oid relid = inv_catalog_relid();
	Relation catalog;
	SysScanDesc scan;
	Oid user = GetUserId();
	Oid found = InvalidOid;
	NameMatch best = NAME_MATCH_FOREIGN;
	int equals = 0;
	int rows = 0;
	HeapTuple tuple;

	*is_only = false;
	if (!OidIsValid(relid))
		return InvalidOid;
	catalog = table_open(relid, AccessShareLock);
	scan = inv_catalog_scan_by_name(catalog, store_name);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Oid items = inv_catalog_table(tuple, RelationGetDescr(catalog), "items");
		NameMatch match = match_owner(user, inv_catalog_table_owner(items));

		rows++;
		if (!OidIsValid(found) || match > best)
		{
			found = items;
			best = match;
			equals = 0;
		}
		if (match == best)
			equals++;
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	if (equals > 1 && best != NAME_MATCH_FOREIGN)
		inv_error_ambiguous_store(store_name, user);
	*is_only = rows == 1;
	return found;
}

/* The rows of all stores, as a list of InvCatalogRow; NIL where the extension is not installed. */
List *
inv_catalog_list(void)
{
	Oid relid = inv_catalog_relid();
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
