/*
 * key_lookup.c
 *		Rows of the ledger found by a key of the engine's, without a statement.
 *
 * A key is one or several columns with which an index begins.  The index compares as the
 * statement would, by the types of the columns and their collations, and every snapshot can
 * use it; without such an index, and where only statements may access tables
 * (inv_may_access_directly), a statement is needed.
 *
 * Expects the store to be entered: the engine acts as the owner of its tables, to whom row
 * security does not apply.  Locks the table as the caller asks.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/typcache.h"

#include "base/guc.h"
#include "store/binding.h"
#include "store/index_lookup.h"
#include "store/key_lookup.h"
#include "store/ledger_schema.h"
#include "store/query_text.h"

#define KEY_COLUMNS 3

/* The keys: their columns, and a letter of query_text.c for the type of each. */
static const struct
{
	InvLedgerTable table;
	const char *columns[KEY_COLUMNS];
	const char *types;
} key_columns[INV_KEY_COUNT] = {
	[INV_KEY_REQUEST] = { INV_LEDGER_REQUESTS, { "key", "operation", "user_id" }, "ttu" },
};

/* How to look a key up; kept as long as the binding is valid. */
struct InvKeyPlan
{
	Oid index; /* InvalidOid: that needs a statement */
	FmgrInfo equal[KEY_COLUMNS];
	Oid collations[KEY_COLUMNS];
};

/* ---- planning ---- */

/* Does a column of an index have this name and type, and compare as its column does? */
static bool
is_key_column(Relation table, Relation index, int n, const char *name, Oid type)
{
	const TypeCacheEntry *ops = lookup_type_cache(type, TYPECACHE_BTREE_OPFAMILY);
	AttrNumber attnum = index->rd_index->indkey.values[n];
	Form_pg_attribute column;

	if (attnum <= 0)
		return false;
	column = TupleDescAttr(RelationGetDescr(table), attnum - 1);
	return strcmp(NameStr(column->attname), name) == 0 &&
		   (column->atttypid == type || (column->atttypid == VARCHAROID && type == TEXTOID)) &&
		   index->rd_opfamily[n] == ops->btree_opf &&
		   index->rd_opcintype[n] == ops->btree_opintype &&
		   index->rd_indcollation[n] == column->attcollation;
}

/* Does an index, without a predicate, begin with the columns of a key? */
static bool
begins_with_key(InvStore *store, Relation table, Relation index, InvKey key)
{
	Form_pg_index form = index->rd_index;
	const char *types = key_columns[key].types;

	if (index->rd_rel->relam != BTREE_AM_OID || !form->indisvalid || form->indcheckxmin ||
		form->indnkeyatts < (int) strlen(types) ||
		!heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, NULL))
		return false;
	for (int i = 0; types[i]; i++)
		if (!is_key_column(table, index, i, key_columns[key].columns[i],
						   inv_letter_type(store, types[i])))
			return false;
	return true;
}

static void
use_index(InvKeyPlan *plan, Relation index, int columns)
{
	plan->index = RelationGetRelid(index);
	for (int i = 0; i < columns; i++)
	{
		Oid equal = get_opfamily_member(index->rd_opfamily[i], index->rd_opcintype[i],
										index->rd_opcintype[i], BTEqualStrategyNumber);

		fmgr_info_cxt(get_opcode(equal), &plan->equal[i], CurrentMemoryContext);
		plan->collations[i] = index->rd_indcollation[i];
	}
}

static InvKeyPlan *
make_key_plan(InvStore *store, InvKey key, Relation table)
{
	InvKeyPlan *plan = palloc0(sizeof(InvKeyPlan));
	List *indexes;
	ListCell *cell;

	if (table->rd_rel->relkind != RELKIND_RELATION || table->rd_rel->relhassubclass)
		return plan;
	indexes = RelationGetIndexList(table);
	foreach (cell, indexes)
	{
		Relation index = index_open(lfirst_oid(cell), AccessShareLock);

		if (!OidIsValid(plan->index) && begins_with_key(store, table, index, key))
			use_index(plan, index, strlen(key_columns[key].types));
		index_close(index, NoLock);
	}
	return plan;
}

/* The plan for an open table; not kept if that may have changed since the store was entered. */
static InvKeyPlan *
key_plan_for(InvStore *store, InvKey key, Relation table)
{
	MemoryContext old;

	if (!store->valid)
		return make_key_plan(store, key, table);
	if (store->key_plans[key] == NULL)
	{
		old = MemoryContextSwitchTo(store->context);
		store->key_plans[key] = make_key_plan(store, key, table);
		MemoryContextSwitchTo(old);
	}
	return store->key_plans[key];
}

/* ---- looking up ---- */

/* May the owner read a table and lock its rows?  A statement raises the error if not. */
static bool
owner_may_lock_rows(InvStore *store, Oid table)
{
	AclMode needed = ACL_SELECT | ACL_UPDATE;

	return pg_class_aclmask(table, store->owner, needed, ACLMASK_ALL) == needed;
}

static void
begin_rows(InvKeyLookup *lookup, const InvKeyPlan *plan, InvKey key, const Datum *values,
		   const bool *nulls)
{
	int count = strlen(key_columns[key].types);
	ScanKeyData keys[KEY_COLUMNS];

	for (int i = 0; i < count; i++)
		if (nulls[i])
			ScanKeyEntryInitialize(&keys[i], SK_ISNULL | SK_SEARCHNULL, i + 1, InvalidStrategy,
								   InvalidOid, InvalidOid, InvalidOid, (Datum) 0);
		else
			ScanKeyEntryInitializeWithInfo(&keys[i], 0, i + 1, BTEqualStrategyNumber, InvalidOid,
										   plan->collations[i], (FmgrInfo *) &plan->equal[i],
										   values[i]);
	/* what the call, and the statement that called it, have written is seen */
	CommandCounterIncrement();
	lookup->snapshot = RegisterSnapshot(GetLatestSnapshot());
	inv_begin_lookup(&lookup->rows, lookup->table, plan->index, lookup->snapshot, keys, count);
}

/*
 * Begin to look for the rows that are committed now with a key, whose columns have these
 * values.  False, with nothing begun, if that needs a statement.
 */
bool
inv_begin_key_lookup(InvKeyLookup *lookup, InvStore *store, InvKey key, const Datum *values,
					 const bool *nulls, LOCKMODE lock)
{
	InvKeyPlan *plan;

	Assert(GetUserId() == store->owner);
	if (!inv_may_access_directly())
		return false;
	lookup->table = try_table_open(store->ledger[key_columns[key].table], lock);
	if (lookup->table == NULL)
		return false;
	plan = key_plan_for(store, key, lookup->table);
	if (OidIsValid(plan->index) && owner_may_lock_rows(store, RelationGetRelid(lookup->table)))
	{
		begin_rows(lookup, plan, key, values, nulls);
		return true;
	}
	table_close(lookup->table, NoLock);
	return false;
}

bool
inv_next_key_row(InvKeyLookup *lookup)
{
	return inv_next_lookup_row(&lookup->rows);
}

/* The lock of the table is kept to the end of the transaction. */
void
inv_end_key_lookup(InvKeyLookup *lookup)
{
	inv_end_lookup(&lookup->rows);
	UnregisterSnapshot(lookup->snapshot);
	table_close(lookup->table, NoLock);
}
