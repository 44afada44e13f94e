/*
 * catalog_write.c
 *		Who may write which rows into inventory.store.
 *
 * Attach inserts a row as the owner of the tables, and any role that restores a dump
 * of its tables does too.  The trigger on inventory.store checks the row, and makes
 * every session read the store again.  When a row is gone, what shared memory has of its
 * store is given back.
 *
 * Locks inventory.store itself, and the names of the stores of an owner; expects no
 * lock.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "base/datum.h"
#include "base/error.h"
#include "base/lock.h"
#include "base/stats.h"
#include "base/store_error.h"
#include "shmem/hot_directory.h"
#include "store/catalog.h"
#include "store/catalog_write.h"
#include "store/ledger_schema.h"

/* ---- rows that come and go ---- */

/*
 * Rows that this transaction has written, by their items, or InvalidOid for all rows.
 * When it ends, those that do not exist any more are given back in shared memory: if it
 * commits, what is gone then, and if it aborts, what was not there before.  A transaction
 * with such rows cannot be prepared, because its end calls nothing then.
 */
static List *written_rows = NIL; /* both in TopTransactionContext */
static List *new_rows = NIL;	 /* of written_rows: what this transaction has inserted first */

static bool
has_catalog_row(Oid items)
{
	Oid relid = inv_catalog_relid();
	InvCatalogRow row;

	return OidIsValid(relid) && (!OidIsValid(items) || inv_catalog_find(items, &row));
}

static void
note_written(Oid items, bool inserted)
{
	MemoryContext old;
	bool is_new;

	if (list_member_oid(written_rows, items))
		return;
	/* the row of a store that is there can be inserted again, and is refused then */
	is_new = inserted && !has_catalog_row(items);
	old = MemoryContextSwitchTo(TopTransactionContext);
	written_rows = lappend_oid(written_rows, items);
	if (is_new)
		new_rows = lappend_oid(new_rows, items);
	MemoryContextSwitchTo(old);
}

/* This transaction deletes the row of a store, or with InvalidOid drops the extension. */
void
inv_catalog_note_deleted(Oid items)
{
	note_written(items, false);
}

/* Give back what shared memory has of stores of this database.  Cannot fail. */
static void
free_stores(const List *stores)
{
	ListCell *cell;

	foreach (cell, stores)
	{
		inv_stats_free(MyDatabaseId, lfirst_oid(cell));
		if (inv_hot_table_usable())
			inv_hot_directory_free_stores(MyDatabaseId, lfirst_oid(cell));
	}
}

/* Of rows that were written, leave out those that are there: of a savepoint that was rolled back, say. */
static void
forget_rows_that_exist(void)
{
	ListCell *cell;

	foreach (cell, written_rows)
		if (has_catalog_row(lfirst_oid(cell)))
			written_rows = foreach_delete_current(written_rows, cell);
}

static void
catalog_write_at_xact_end(XactEvent event, void *arg pg_attribute_unused())
{
	if (event == XACT_EVENT_PRE_COMMIT)
		forget_rows_that_exist();
	else if (event == XACT_EVENT_PRE_PREPARE && written_rows != NIL)
		inv_error_prepare_store();
	else if (event == XACT_EVENT_COMMIT)
		free_stores(written_rows);
	else if (event == XACT_EVENT_ABORT)
		free_stores(new_rows);
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT)
		written_rows = new_rows = NIL;
}

void
inv_catalog_write_init(void)
{
	RegisterXactCallback(catalog_write_at_xact_end, NULL);
}

/* ---- rows that are written ---- */

/* What a role that is no superuser can put into inventory.store is what attach would. */
typedef struct TableFacts
{
	char kind;
	char persistence;
	bool is_partition;
	int columns;
	Oid owner;
	Oid schema;
	char *name;
} TableFacts;

/* False if the table does not exist. */
static bool
read_table_facts(Oid table, TableFacts *facts)
{
	HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
	Form_pg_class class;

	if (!HeapTupleIsValid(tuple))
		return false;
	class = (Form_pg_class) GETSTRUCT(tuple);
	facts->kind = class->relkind;
	facts->persistence = class->relpersistence;
	facts->is_partition = class->relispartition;
	facts->columns = class->relnatts;
	facts->owner = class->relowner;
	facts->schema = class->relnamespace;
	facts->name = pstrdup(NameStr(class->relname));
	ReleaseSysCache(tuple);
	return true;
}

/* An ordinary table, permanent and of this owner, that is not part of another one? */
static bool
is_table_of(Oid table, Oid owner, bool partitioned, TableFacts *facts)
{
	return read_table_facts(table, facts) && facts->owner == owner &&
		   (facts->kind == RELKIND_RELATION ||
			(partitioned && facts->kind == RELKIND_PARTITIONED_TABLE)) &&
		   facts->persistence == RELPERSISTENCE_PERMANENT && (partitioned || !facts->is_partition);
}

/* Has the table a column for stock, and another one for the key?  Which they are is not in the row. */
static bool
has_item_columns(Oid table, int columns)
{
	int integers = 0;
	int keys = 0;

	for (int number = 1; number <= columns; number++)
	{
		Oid type = get_atttype(table, number); /* InvalidOid: it was dropped */
		Oid base = OidIsValid(type) ? inv_base_type(type) : InvalidOid;
		bool is_integer = base == INT2OID || base == INT4OID || base == INT8OID;

		integers += is_integer;
		keys += is_integer || base == UUIDOID || base == TEXTOID;
	}
	return integers >= 1 && keys >= 2;
}

/* Are there the tables of a ledger beside this one, with its columns? */
static bool
is_ledger_of(Oid movements, Oid owner)
{
	static const char *const columns[] = { INV_MOVEMENT_COLUMNS(INV_COLUMN_NAME) };
	static const char *const tables[] = { "reservations", "requests", "hot" };
	TableFacts facts, beside;

	if (!is_table_of(movements, owner, false, &facts) || strcmp(facts.name, "movements") != 0)
		return false;
	for (size_t i = 0; i < lengthof(columns); i++)
		if (get_attnum(movements, columns[i]) == InvalidAttrNumber)
			return false;
	for (size_t i = 0; i < lengthof(tables); i++)
		if (!is_table_of(get_relname_relid(tables[i], facts.schema), owner, false, &beside))
			return false;
	return true;
}

/*
 * Raise unless the tables of a row can make a store.  Constraints and triggers are
 * not looked at, because a dump is restored before they are there.
 */
static void
check_catalog_tables(const InvCatalogRow *row)
{
	Oid owner = inv_catalog_table_owner(row->items);
	TableFacts facts;

	if (!is_table_of(row->items, owner, false, &facts) ||
		!has_item_columns(row->items, facts.columns))
		inv_error_unfit_row(row->store_name,
							"Its items are not an ordinary table with a key and a stock.");
	if (OidIsValid(row->orders) && !is_table_of(row->orders, owner, true, &facts))
		inv_error_unfit_row(row->store_name,
							"Its orders are not an ordinary table of the same owner.");
	if (OidIsValid(row->header) && !is_table_of(row->header, owner, false, &facts))
		inv_error_unfit_row(row->store_name,
							"The header of its orders is not an ordinary table of the same owner.");
	if (!is_ledger_of(row->movements, owner))
		inv_error_unfit_row(row->store_name, "Its movements are not a ledger of the same owner.");
}

/*
 * Raise if the owner of the items has another store of the name.  The lock makes
 * transactions of one owner that add stores wait for each other, so that each sees
 * the names of the others; it is the owner's, and so no other role can hold it.  A
 * superuser is only warned: if a dump cannot have one row, it cannot have any.
 */
static void
check_catalog_name(Relation catalog, const InvCatalogRow *row)
{
	Oid owner = inv_catalog_table_owner(row->items);
	Oid other = InvalidOid;
	SysScanDesc scan;
	HeapTuple tuple;

	if (!OidIsValid(owner))
		return;
	inv_lock_owner(owner);
	scan = inv_catalog_scan_by_name(catalog, row->store_name);
	while (!OidIsValid(other) && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Oid items = inv_catalog_table(tuple, RelationGetDescr(catalog), "items");

		if (items != row->items && inv_catalog_table_owner(items) == owner)
			other = items;
	}
	systable_endscan(scan);
	if (OidIsValid(other))
		ereport(superuser() ? WARNING : ERROR,
				inv_report_duplicate_store(row->store_name, inv_catalog_table_name(other)));
}

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

/* Require the ownership of a table that a row names, unless it is null. */
static Oid
check_catalog_table(HeapTuple tuple, TupleDesc desc, const char *column, bool missing_ok)
{
	bool isnull;
	Oid table = DatumGetObjectId(inv_catalog_value(tuple, desc, column, &isnull));

	if (isnull)
		return InvalidOid;
	require_table_owner(table, missing_ok);
	return table;
}

/*
 * Require the ownership of each table that a row names.  A row of a dropped table
 * can be deleted by any role that may write inventory.store.  A superuser, who may
 * restore a dump of a broken store, can write any row.  The constraints of the table
 * are checked later: a new row can have nulls.
 */
static void
check_catalog_row(Relation catalog, HeapTuple tuple, bool is_new)
{
	TupleDesc desc = RelationGetDescr(catalog);
	bool missing_ok = !is_new || superuser();
	InvCatalogRow row = { 0 };

	row.store_name = inv_catalog_text(tuple, desc, "store_name");
	row.items = check_catalog_table(tuple, desc, "items", missing_ok);
	row.orders = check_catalog_table(tuple, desc, "orders", missing_ok);
	row.header = check_catalog_table(tuple, desc, "header", missing_ok);
	row.movements = check_catalog_table(tuple, desc, "movements", missing_ok);
	if (!is_new || row.store_name == NULL)
		return;
	if (!superuser())
		check_catalog_tables(&row);
	check_catalog_name(catalog, &row);
}

/*
 * Does the row name a table that does not exist?  It is of a dump whose table could not be
 * restored, and is left out with a warning.
 */
static bool
is_row_without_table(HeapTuple tuple, TupleDesc desc)
{
	static const char *const columns[] = { "items", "orders", "header", "movements" };
	bool missing = false;

	for (size_t i = 0; i < lengthof(columns); i++)
	{
		bool isnull;
		Datum table = inv_catalog_value(tuple, desc, columns[i], &isnull);

		missing = missing || (!isnull && !OidIsValid(DatumGetObjectId(table)));
	}
	if (missing)
		inv_warn_row_without_table(inv_catalog_text(tuple, desc, "store_name"));
	return missing;
}

/* ---- SQL functions ---- */

PG_FUNCTION_INFO_V1(inventory_store_changed);
PG_FUNCTION_INFO_V1(inventory_delete_store_row);

/* Trigger on inventory.store, before each row. */
Datum
inventory_store_changed(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	Relation catalog;

	if (!CALLED_AS_TRIGGER(fcinfo))
		inv_error_value("store_changed is a trigger function", NULL);
	catalog = trigger->tg_relation;
	if (!TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		RelationGetRelid(catalog) != inv_catalog_relid())
		inv_error_value("store_changed is the trigger of inventory.store", NULL);

	if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event) &&
		is_row_without_table(trigger->tg_trigtuple, RelationGetDescr(catalog)))
		return PointerGetDatum(NULL);
	check_catalog_row(catalog, trigger->tg_trigtuple, TRIGGER_FIRED_BY_INSERT(trigger->tg_event));
	CacheInvalidateRelcache(catalog); /* of which store a name is */
	note_written(inv_catalog_table(trigger->tg_trigtuple, RelationGetDescr(catalog), "items"),
				 TRIGGER_FIRED_BY_INSERT(trigger->tg_event));
	if (!TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
		return PointerGetDatum(trigger->tg_trigtuple);
	check_catalog_row(catalog, trigger->tg_newtuple, true);
	note_written(inv_catalog_table(trigger->tg_newtuple, RelationGetDescr(catalog), "items"), true);
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
	catalog = table_open(inv_catalog_relid(), RowExclusiveLock);
	scan = inv_catalog_scan_by_items(catalog, items);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		simple_heap_delete(catalog, &tuple->t_self);
	systable_endscan(scan);
	CacheInvalidateRelcache(catalog);
	table_close(catalog, RowExclusiveLock);
	inv_catalog_note_deleted(items);
	CommandCounterIncrement();
	PG_RETURN_VOID();
}
