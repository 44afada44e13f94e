/*
 * hot_view.c
 *		hot_entries(), count_hot(), and the event trigger that refuses DROP EXTENSION while
 *		items are hot.
 *
 * This file only reads.  It copies each entry under the entry's spinlock, and
 * expects no other lock: what hot_entries() returns of two entries need not be of
 * one instant.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/event_trigger.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "nodes/value.h"
#include "parser/parse_func.h"
#include "storage/proc.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"

#include "base/error.h"
#include "shmem/hot_table.h"
#include "shmem/shmem.h"
#include "store/catalog.h"
#include "store/catalog_write.h"
#include "store/query.h"
#include "stock/quantity.h"

#define BITS_OF_WORD 64

/* columns of hot_entries(), in the order of script/25_hot.sql */
typedef enum EntryColumn
{
	ENTRY_COLUMN_ITEMS,
	ENTRY_COLUMN_NUMBER,
	ENTRY_COLUMN_STATE,
	ENTRY_COLUMN_AVAILABLE,
	ENTRY_COLUMN_HELD,
	ENTRY_COLUMN_EPOCH,
	ENTRY_COLUMN_SETTLED_EPOCH,
	ENTRY_COLUMN_HOLDERS,
	ENTRY_COLUMN_PROBLEM,
	ENTRY_COLUMN_COUNT
} EntryColumn;

static const char *const hot_state_names[] = {
	[INV_HOT_STATE_COLD] = "cold",
	[INV_HOT_STATE_UNPUBLISHED] = "unpublished",
	[INV_HOT_STATE_HOT] = "hot",
	[INV_HOT_STATE_COOLING] = "cooling",
};

StaticAssertDecl(lengthof(hot_state_names) == INV_HOT_STATE_COOLING + 1, "every state has a name");

/* ---- hot_entries() ---- */

/* The processes of a bitmap, as an integer array. */
static Datum
holder_pids(const uint64 *holders, int words)
{
	Datum *pids = palloc(sizeof(Datum) * words * BITS_OF_WORD);
	int count = 0;

	for (int i = 0; i < words * BITS_OF_WORD; i++)
	{
		bool holds = (holders[i / BITS_OF_WORD] & (UINT64CONST(1) << (i % BITS_OF_WORD))) != 0;

		/* 0: the process has ended since */
		if (holds && ProcGlobal->allProcs[i].pid != 0)
			pids[count++] = Int32GetDatum(ProcGlobal->allProcs[i].pid);
	}
	return inv_make_array(INT4OID, pids, NULL, count);
}

/* Copy an entry, its bitmap of holders and its problem, as they are at one instant. */
static InvHotEntry
copy_entry(InvHotEntry *entry, uint64 *holders, int words, char *problem)
{
	InvHotEntry copy;

	SpinLockAcquire(&entry->mutex);
	copy = *entry;
	memcpy(holders, inv_hot_table_holders(entry), sizeof(uint64) * words);
	memcpy(problem, inv_hot_table_problem(entry), INV_HOT_PROBLEM_SIZE);
	SpinLockRelease(&entry->mutex);
	return copy;
}

/* Add a row to hot_entries(). */
static void
report_entry(ReturnSetInfo *result, const InvHotEntry *entry, const uint64 *holders, int words,
			 const char *problem)
{
	Datum values[ENTRY_COLUMN_COUNT];
	bool nulls[ENTRY_COLUMN_COUNT] = { false };

	values[ENTRY_COLUMN_ITEMS] = ObjectIdGetDatum(entry->key.items);
	values[ENTRY_COLUMN_NUMBER] = Int64GetDatum(entry->number);
	values[ENTRY_COLUMN_STATE] = CStringGetTextDatum(hot_state_names[entry->state]);
	values[ENTRY_COLUMN_AVAILABLE] =
		Int64GetDatum(inv_above_floor(entry->values.stock, entry->values.floor));
	values[ENTRY_COLUMN_HELD] = Int64GetDatum(entry->held);
	values[ENTRY_COLUMN_EPOCH] = Int64GetDatum(entry->values.epoch);
	values[ENTRY_COLUMN_SETTLED_EPOCH] = Int64GetDatum(entry->values.settled);
	values[ENTRY_COLUMN_HOLDERS] = holder_pids(holders, words);
	values[ENTRY_COLUMN_PROBLEM] = CStringGetTextDatum(problem);
	/* an unpublished entry has no numbers yet */
	for (int i = ENTRY_COLUMN_AVAILABLE; i <= ENTRY_COLUMN_HOLDERS; i++)
		nulls[i] = entry->state == INV_HOT_STATE_UNPUBLISHED;
	nulls[ENTRY_COLUMN_PROBLEM] = entry->retry_at == 0;
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

PG_FUNCTION_INFO_V1(inventory_hot_entries);
PG_FUNCTION_INFO_V1(inventory_count_hot);
PG_FUNCTION_INFO_V1(inventory_before_drop);

/* hot_entries(): the counters of this database; no rows without shared memory. */
Datum
inventory_hot_entries(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	int words;
	uint64 *holders;

	InitMaterializedSRF(fcinfo, 0);
	Assert(result->setDesc->natts == ENTRY_COLUMN_COUNT);
	inv_shmem_open();
	words = inv_hot_table_usable() ? inv_hot_table_words() : 0;
	holders = palloc(sizeof(uint64) * Max(words, 1));
	for (int slot = 0; slot < inv_hot_table_capacity(); slot++)
	{
		char problem[INV_HOT_PROBLEM_SIZE];
		InvHotEntry entry = copy_entry(inv_hot_table_entry(slot), holders, words, problem);

		if (entry.state != INV_HOT_STATE_COLD && entry.key.database == MyDatabaseId)
			report_entry(result, &entry, holders, words, problem);
	}
	return (Datum) 0;
}

/* ---- count_hot() ---- */

/* The number of a boolean column of a table; InvalidAttrNumber if it has none of this name. */
static AttrNumber
boolean_column(Relation table, const char *name)
{
	AttrNumber number = get_attnum(RelationGetRelid(table), name);

	return number > 0 && get_atttype(RelationGetRelid(table), number) == BOOLOID
			   ? number
			   : InvalidAttrNumber;
}

/* Count the rows of a table in which a boolean column is true. */
static int64
count_true(Relation table, AttrNumber column)
{
	Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
	SysScanDesc scan = systable_beginscan(table, InvalidOid, false, snapshot, 0, NULL);
	HeapTuple tuple;
	int64 count = 0;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		bool isnull;
		Datum value = heap_getattr(tuple, column, RelationGetDescr(table), &isnull);

		CHECK_FOR_INTERRUPTS();
		count += !isnull && DatumGetBool(value);
	}
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	return count;
}

/*
 * How many items of a store are hot according to its ledger.  The rows of the table
 * "hot" are read without a statement, so that nothing can run but the server's own
 * code: a superuser who drops the extension gets here.  What is not a table of the
 * owner is not of the store, and counts as no hot items.
 */
static int64
count_hot_rows(const InvCatalogRow *row)
{
	Oid schema = get_rel_namespace(row->movements);
	Oid relid = OidIsValid(schema) ? get_relname_relid("hot", schema) : InvalidOid;
	Relation table = OidIsValid(relid) ? try_relation_open(relid, AccessShareLock) : NULL;
	int64 count = 0;

	if (table == NULL)
		return 0;
	if (table->rd_rel->relkind == RELKIND_RELATION &&
		table->rd_rel->relowner == inv_catalog_table_owner(row->items))
	{
		AttrNumber column = boolean_column(table, "hot");

		if (column != InvalidAttrNumber)
			count = count_true(table, column);
	}
	/* there can be thousands of stores, and the lock table has a limit */
	relation_close(table, AccessShareLock);
	return count;
}

/* count_hot(items): for the owner of the items; null for a table that is no store. */
Datum
inventory_count_hot(PG_FUNCTION_ARGS)
{
	InvCatalogRow row;
	Oid owner;

	if (PG_ARGISNULL(0) || !inv_catalog_find(PG_GETARG_OID(0), &row))
		PG_RETURN_NULL();
	owner = inv_catalog_table_owner(row.items);
	if (!has_privs_of_role(GetUserId(), owner))
		inv_error_not_the_owner(row.store_name, row.items, owner);
	PG_RETURN_INT64(count_hot_rows(&row));
}

/* ---- before_drop() ---- */

/* Does a statement drop the extension, or the schema of the same name with its functions? */
static bool
drops_inventory(const Node *statement)
{
	const DropStmt *drop = (const DropStmt *) statement;
	ListCell *cell;

	if (!IsA(statement, DropStmt) ||
		(drop->removeType != OBJECT_EXTENSION && drop->removeType != OBJECT_SCHEMA))
		return false;
	foreach (cell, drop->objects)
		if (strcmp(strVal(lfirst(cell)), INV_SCHEMA) == 0)
			return true;
	return false;
}

/*
 * Event trigger before DROP EXTENSION and DROP SCHEMA: raises an error if an item of
 * any store is hot, because its stock column lacks its unsettled movements.
 */
Datum
inventory_before_drop(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		inv_error_value("before_drop is an event trigger function", NULL);
	/* a role that may not drop the extension gets the server's error instead */
	if (superuser() && drops_inventory(((EventTriggerData *) fcinfo->context)->parsetree))
	{
		OidFunctionCall0(LookupFuncName(
			list_make2(makeString(INV_SCHEMA), makeString("refuse_hot")), 0, NULL, false));
		inv_catalog_note_deleted(InvalidOid);
	}
	PG_RETURN_VOID();
}
