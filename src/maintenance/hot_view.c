/*
 * hot_view.c
 *		What an administrator sees of hot items, and what keeps them from being lost.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "commands/event_trigger.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "nodes/value.h"
#include "parser/parse_func.h"
#include "storage/proc.h"
#include "utils/builtins.h"

#include "base/error.h"
#include "shmem/hot_table.h"
#include "shmem/shmem.h"
#include "store/catalog.h"
#include "store/query.h"

/* columns of hot_entries() */
#define ENTRY_COLUMNS 8

static const char *const hot_state_names[] = {
	[INV_HOT_STATE_COLD] = "cold",
	[INV_HOT_STATE_UNPUBLISHED] = "unpublished",
	[INV_HOT_STATE_HOT] = "hot",
	[INV_HOT_STATE_COOLING] = "cooling",
};

/* The processes that have units of an entry in flight. */
static Datum
holders_of(const uint64 *words, int count)
{
	Datum *pids = palloc(sizeof(Datum) * count * 64);
	int found = 0;

	for (int i = 0; i < count * 64; i++)
		if ((words[i / 64] & (UINT64CONST(1) << (i % 64))) != 0 && ProcGlobal->allProcs[i].pid != 0)
			pids[found++] = Int32GetDatum(ProcGlobal->allProcs[i].pid);
	return inv_make_array(INT4OID, pids, NULL, found);
}

PG_FUNCTION_INFO_V1(inventory_hot_entries);
PG_FUNCTION_INFO_V1(inventory_before_drop);

/* hot_entries(): the counters of this database. */
Datum
inventory_hot_entries(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	int words;
	uint64 *holders;

	InitMaterializedSRF(fcinfo, 0);
	inv_shmem_open();
	words = inv_hot_table_usable() ? inv_hot_table_words() : 0;
	holders = palloc(sizeof(uint64) * Max(words, 1));
	for (int i = 0; i < inv_hot_table_capacity(); i++)
	{
		InvHotEntry *entry = inv_hot_table_entry(i);
		Datum values[ENTRY_COLUMNS];
		bool nulls[ENTRY_COLUMNS] = { false };
		InvHotEntry copy;

		SpinLockAcquire(&entry->mutex);
		copy = *entry;
		memcpy(holders, inv_hot_table_holders(entry), sizeof(uint64) * words);
		SpinLockRelease(&entry->mutex);
		if (copy.state == INV_HOT_STATE_COLD || copy.key.database != MyDatabaseId)
			continue;
		values[0] = ObjectIdGetDatum(copy.key.items);
		values[1] = Int64GetDatum(copy.number);
		values[2] = CStringGetTextDatum(hot_state_names[copy.state]);
		values[3] = Int64GetDatum(copy.values.available);
		values[4] = Int64GetDatum(copy.held);
		values[5] = Int64GetDatum(copy.values.epoch);
		values[6] = Int64GetDatum(copy.values.settled);
		values[7] = holders_of(holders, words);
		nulls[3] = nulls[4] = nulls[5] = nulls[6] = nulls[7] =
			copy.state == INV_HOT_STATE_UNPUBLISHED;
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* Is it this extension, or the schema that it is in, that is dropped? */
static bool
drops_extension(const Node *statement)
{
	const DropStmt *drop = (const DropStmt *) statement;
	ListCell *cell;

	if (!IsA(statement, DropStmt) ||
		(drop->removeType != OBJECT_EXTENSION && drop->removeType != OBJECT_SCHEMA))
		return false;
	foreach (cell, drop->objects)
		if (strcmp(strVal(lfirst(cell)), "inventory") == 0)
			return true;
	return false;
}

/* Event trigger before a DROP: while an item is hot its stock column is not all of it. */
Datum
inventory_before_drop(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		inv_error_value("before_drop is an event trigger function", NULL);
	/* whoever may not drop it is told so by the server */
	if (superuser() && drops_extension(((EventTriggerData *) fcinfo->context)->parsetree))
		OidFunctionCall0(LookupFuncName(
			list_make2(makeString(INV_SCHEMA), makeString("refuse_hot")), 0, NULL, false));
	PG_RETURN_VOID();
}
