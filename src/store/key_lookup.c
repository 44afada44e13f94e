/*
 * key_lookup.c
 *		Rows of the ledger and orders found by a key of the engine's, without a statement.
 *
 * A key is one or several columns with which an index begins.  The index compares as the
 * statement would, by the types of the columns and their collations, and every snapshot can
 * use it; without such an index, and where only statements may access tables
 * (inv_may_access_directly), a statement is needed.
 *
 * Expects the store to be entered: the engine acts as the owner of its tables, to whom row
 * security does not apply.  Locks the table as a statement that locks its rows does.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_index.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/typcache.h"

#include "base/error.h"
#include "base/guc.h"
#include "store/binding.h"
#include "store/enter.h"
#include "store/index_lookup.h"
#include "store/key_lookup.h"
#include "store/ledger_schema.h"
#include "store/query_letter.h"
#include "store/table_check.h"

#define KEY_COLUMNS 3

/*
 * The keys: their columns and those that are read, with a letter of query_text.c for the type of
 * each.  A column that is read can be null if a "?" follows its letter.
 */
static const struct
{
	InvLedgerTable table; /* INV_LEDGER_NONE: orders, by the bound column */
	LOCKMODE lock;
	const char *columns[KEY_COLUMNS];
	const char *types;
	const char *among[2]; /* a column and its value in all rows: an index of these will do */
	const char *read[INV_KEY_READ_COLUMNS];
	const char *read_types;
} keys[INV_KEY_COUNT] = {
	[INV_KEY_REQUEST] = { .table = INV_LEDGER_REQUESTS,
						  .lock = RowShareLock,
						  .columns = { "key", "operation", "user_id" },
						  .types = "ttu",
						  .read_types = "" },
	[INV_KEY_HOLD] = { .table = INV_LEDGER_RESERVATIONS,
					   .lock = RowShareLock,
					   .columns = { "reservation_id", "item_id" },
					   .types = "qi",
					   .read = { INV_HOLD_READ_COLUMNS(INV_COLUMN_NAME) },
					   .read_types = INV_HOLD_READ_COLUMNS(INV_COLUMN_TYPE) },
	[INV_KEY_ORDER] = { .lock = RowShareLock, .types = "o", .read_types = "" },
	[INV_KEY_REFUND] = { .table = INV_LEDGER_MOVEMENTS,
						 .lock = AccessShareLock,
						 .columns = { "order_id" },
						 .types = "o",
						 .among = { "kind", INV_KIND_REFUND },
						 .read = { "kind", "delta" },
						 .read_types = "tn" },
	[INV_KEY_HOLD_OF_USER] = { .table = INV_LEDGER_RESERVATIONS,
							   .lock = AccessShareLock,
							   .columns = { "user_id" },
							   .types = "u",
							   .among = { "status", INV_RESERVATION_HELD },
							   .read_types = "" },
};

/* How to look a key up; kept as long as the binding is valid. */
struct InvKeyPlan
{
	Oid index; /* InvalidOid: that needs a statement */
	FmgrInfo equal[KEY_COLUMNS];
	Oid collations[KEY_COLUMNS];
	AttrNumber read[INV_KEY_READ_COLUMNS];
};

static bool
is_of_ledger(InvKey key)
{
	return keys[key].table != INV_LEDGER_NONE;
}

/* ---- planning ---- */

static bool
has_type(Form_pg_attribute column, Oid type)
{
	return column->atttypid == type || (column->atttypid == VARCHAROID && type == TEXTOID);
}

/* Does a column of an index have this name and type, and compare and sort as its column does? */
static bool
is_key_column(Relation table, Relation index, int n, const char *name, Oid type)
{
	const TypeCacheEntry *ops = lookup_type_cache(type, TYPECACHE_BTREE_OPFAMILY);
	AttrNumber attnum = index->rd_index->indkey.values[n];
	Form_pg_attribute column;

	if (attnum <= 0)
		return false;
	column = TupleDescAttr(RelationGetDescr(table), attnum - 1);
	return strcmp(NameStr(column->attname), name) == 0 && has_type(column, type) &&
		   index->rd_indoption[n] == 0 && index->rd_opfamily[n] == ops->btree_opf &&
		   index->rd_opcintype[n] == ops->btree_opintype &&
		   index->rd_indcollation[n] == column->attcollation;
}

/* Has an index all rows of a key?  To simplify its predicate can run functions of the shop. */
static bool
has_all_rows(InvStore *store, Relation index, InvKey key)
{
	AttrNumber attnum;
	Expr *condition;

	if (heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, NULL))
		return true;
	if (keys[key].among[0] == NULL)
		return false;
	inv_pin_path(store);
	attnum = get_attnum(index->rd_index->indrelid, keys[key].among[0]);
	condition =
		make_opclause(TextEqualOperator, BOOLOID, false,
					  (Expr *) makeVar(1, attnum, TEXTOID, -1, DEFAULT_COLLATION_OID, 0),
					  (Expr *) makeConst(TEXTOID, -1, DEFAULT_COLLATION_OID, -1,
										 CStringGetTextDatum(keys[key].among[1]), false, false),
					  InvalidOid, DEFAULT_COLLATION_OID);
	fix_opfuncids((Node *) condition);
	return predicate_implied_by(RelationGetIndexPredicate(index), list_make1(condition), false);
}

/* Does an index begin with the columns of a key, and have all its rows? */
static bool
begins_with_key(InvStore *store, Relation table, Relation index, InvKey key)
{
	Form_pg_index form = index->rd_index;
	const char *types = keys[key].types;

	if (index->rd_rel->relam != BTREE_AM_OID || !form->indisvalid || form->indcheckxmin ||
		form->indnkeyatts < (int) strlen(types))
		return false;
	for (int i = 0; types[i]; i++)
		if (!is_key_column(table, index, i,
						   is_of_ledger(key) ? keys[key].columns[i] : store->order_id.key,
						   inv_letter_type(store, types[i])))
			return false;
	return has_all_rows(store, index, key);
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

/* Note where the columns are that are read; false if one has another type. */
static bool
find_read_columns(InvKeyPlan *plan, InvStore *store, InvKey key, Relation table)
{
	int n = 0;

	for (const char *letter = keys[key].read_types; *letter; letter++)
	{
		AttrNumber attnum;

		if (*letter == '?')
			continue;
		attnum = get_attnum(RelationGetRelid(table), keys[key].read[n]);
		if (attnum == InvalidAttrNumber ||
			!has_type(TupleDescAttr(RelationGetDescr(table), attnum - 1),
					  inv_letter_type(store, *letter)))
			return false;
		plan->read[n++] = attnum;
	}
	return true;
}

static InvKeyPlan *
make_key_plan(InvStore *store, InvKey key, Relation table)
{
	InvKeyPlan *plan = palloc0(sizeof(InvKeyPlan));
	List *indexes;
	ListCell *cell;

	if (table->rd_rel->relkind != RELKIND_RELATION || table->rd_rel->relhassubclass ||
		!inv_owner_may_name(store, table) || !find_read_columns(plan, store, key, table))
		return plan;
	indexes = RelationGetIndexList(table);
	foreach (cell, indexes)
	{
		Relation index = index_open(lfirst_oid(cell), AccessShareLock);

		if (!OidIsValid(plan->index) && begins_with_key(store, table, index, key))
			use_index(plan, index, strlen(keys[key].types));
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

/* The rights that the owner needs for it; without them a statement raises the error. */
static AclMode
needed_rights(InvKey key)
{
	return keys[key].lock == AccessShareLock ? ACL_SELECT : ACL_SELECT | ACL_UPDATE;
}

static void
begin_rows(InvKeyLookup *lookup, const Datum *values, const bool *nulls, int count)
{
	const InvKeyPlan *plan = lookup->plan;
	ScanKeyData conditions[KEY_COLUMNS];

	for (int i = 0; i < count; i++)
		if (nulls[i])
			ScanKeyEntryInitialize(&conditions[i], SK_ISNULL | SK_SEARCHNULL, i + 1,
								   InvalidStrategy, InvalidOid, InvalidOid, InvalidOid, (Datum) 0);
		else
			ScanKeyEntryInitializeWithInfo(&conditions[i], 0, i + 1, BTEqualStrategyNumber,
										   InvalidOid, plan->collations[i],
										   (FmgrInfo *) &plan->equal[i], values[i]);
	/* what the call, and the statement that called it, have written is seen */
	CommandCounterIncrement();
	lookup->snapshot = RegisterSnapshot(GetLatestSnapshot());
	inv_begin_lookup(&lookup->rows, lookup->table, plan->index, lookup->snapshot, conditions,
					 count);
}

/*
 * Begin to look for the rows that are committed now with a key, of whose columns the first have
 * these values; the others order them.  False, with nothing begun, if that needs a statement.
 */
bool
inv_begin_key_lookup(InvKeyLookup *lookup, InvStore *store, InvKey key, const Datum *values,
					 const bool *nulls, int count)
{
	Assert(GetUserId() == store->owner && count <= (int) strlen(keys[key].types));
	if (!inv_may_access_directly())
		return false;
	lookup->table = try_table_open(
		is_of_ledger(key) ? store->ledger[keys[key].table] : store->orders, keys[key].lock);
	if (lookup->table == NULL)
		return false;
	lookup->key = key;
	lookup->plan = key_plan_for(store, key, lookup->table);
	if (OidIsValid(lookup->plan->index) &&
		inv_owner_may(store, RelationGetRelid(lookup->table), needed_rights(key)))
	{
		begin_rows(lookup, values, nulls, count);
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

/*
 * Lock the current row FOR NO KEY UPDATE.  False if it was changed since it was found: then a
 * statement has to find it.  Raises 40001 if that would, with the snapshot of this look-up.
 */
bool
inv_lock_key_row(InvKeyLookup *lookup)
{
	ItemPointerData tid = lookup->rows.slot->tts_tid;
	TM_FailureData failure;
	TM_Result result = table_tuple_lock(
		lookup->table, &tid, lookup->snapshot, lookup->rows.slot, GetCurrentCommandId(true),
		LockTupleNoKeyExclusive, LockWaitBlock, TUPLE_LOCK_FLAG_LOCK_UPDATE_IN_PROGRESS, &failure);

	if ((result == TM_Updated || result == TM_Deleted) && IsolationUsesXactSnapshot())
		inv_error_serialization();
	return result == TM_Ok;
}

/* Copy a column of the current row. */
static Datum
copy_key_column(InvKeyLookup *lookup, AttrNumber attnum, bool *isnull)
{
	TupleTableSlot *slot = lookup->rows.slot;
	Form_pg_attribute column = TupleDescAttr(slot->tts_tupleDescriptor, attnum - 1);
	Datum value = slot_getattr(slot, attnum, isnull);

	if (*isnull)
		return (Datum) 0;
	return column->attlen == -1 ? PointerGetDatum(PG_DETOAST_DATUM_COPY(value))
								: datumCopy(value, column->attbyval, column->attlen);
}

/*
 * Copy the columns of the current row that are read.  False if one is null that may not be:
 * the statement raises the error.
 */
bool
inv_read_key_row(InvKeyLookup *lookup, Datum *values, bool *nulls)
{
	int n = 0;

	for (const char *letter = keys[lookup->key].read_types; *letter; letter++)
	{
		if (*letter == '?')
			continue;
		values[n] = copy_key_column(lookup, lookup->plan->read[n], &nulls[n]);
		if (nulls[n] && letter[1] != '?')
			return false;
		n++;
	}
	return true;
}

/* The lock of the table is kept to the end of the transaction. */
void
inv_end_key_lookup(InvKeyLookup *lookup)
{
	inv_end_lookup(&lookup->rows);
	UnregisterSnapshot(lookup->snapshot);
	table_close(lookup->table, NoLock);
}
