/*
 * store.c
 *		The stores of this backend: cached, locked, entered and left.
 *
 * Owns the list of InvStores, which binding.c reads from the catalogs.
 *
 * Locks: a store is entered with RowExclusiveLock on items and orders, held to
 * the end of the transaction, and only then is the cached binding believed.  No
 * DDL can get between that check and the last statement of the call.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "commands/argument.h"
#include "store/binding.h"
#include "base/error.h"
#include "stock/hot_item.h"
#include "base/guc.h"
#include "shmem/shmem.h"
#include "base/stats.h"
#include "store/store.h"
#include "maintenance/worker.h"

static List *stores = NIL;	/* of InvStore, in TopMemoryContext */
static List *retired = NIL; /* replaced ones; a caller further up may hold them */
static uint64 invalidations = 0;

/* Relcache callback: mark what may have changed.  relid 0 means everything. */
static void
invalidate(Datum arg, Oid relid)
{
	ListCell *cell;

	invalidations++;
	foreach (cell, stores)
	{
		InvStore *store = lfirst(cell);

		bool concerned = !OidIsValid(relid) || relid == store->items || relid == store->orders ||
						 relid == store->sellable_view;

		for (int i = INV_LEDGER_NONE + 1; !concerned && i < INV_LEDGERS; i++)
			concerned = !OidIsValid(store->ledger[i]) || relid == store->ledger[i];
		if (concerned)
			store->valid = false;
	}
}

/*
 * Syscache callback: a schema may have another name, and with it every table; a
 * function that a condition calls another name, or that of a trigger another owner;
 * and an owner other rights.
 */
static void
invalidate_all(Datum arg, int cache, uint32 hash)
{
	invalidate(arg, InvalidOid);
}

static void
forget(InvStore *store)
{
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

	stores = list_delete_ptr(stores, store);
	retired = lappend(retired, store);
	MemoryContextSwitchTo(old);
}

/* At the end of a transaction nobody holds a replaced store any longer. */
static void
at_transaction_end(XactEvent event, void *arg)
{
	ListCell *cell;

	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT && event != XACT_EVENT_PREPARE)
		return;
	inv_statement_end_of_transaction();
	inv_stats_end_of_transaction();
	foreach (cell, stores)
		inv_statement_idle(lfirst(cell));
	foreach (cell, retired)
	{
		InvStore *store = lfirst(cell);

		inv_statement_free(store);
		MemoryContextDelete(store->context);
	}
	list_free(retired);
	retired = NIL;
}

void
inv_store_init(void)
{
	CacheRegisterRelcacheCallback(invalidate, (Datum) 0);
	CacheRegisterSyscacheCallback(NAMESPACEOID, invalidate_all, (Datum) 0);
	CacheRegisterSyscacheCallback(PROCOID, invalidate_all, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHMEMROLEMEM, invalidate_all, (Datum) 0);
	RegisterXactCallback(at_transaction_end, NULL);
}

/* ---- keys ---- */

char *
inv_item_text(InvStore *store, Datum item)
{
	return inv_datum_text(store->item_id.base, item);
}

/* The one order of item keys: that of the column's own type and collation. */
int
inv_item_compare(InvStore *store, Datum a, Datum b)
{
	return DatumGetInt32(
		FunctionCall2Coll(&store->item_ops->cmp_proc_finfo, store->item_id.collation, a, b));
}

/* The same for keys that are equal, whose texts need not be the same. */
uint64
inv_item_hash(InvStore *store, Datum item, uint64 seed)
{
	return DatumGetUInt64(FunctionCall2Coll(&store->item_ops->hash_extended_proc_finfo,
											store->item_id.collation, item, UInt64GetDatum(seed)));
}

/* ---- rows ---- */

/* A bound column of a row as bigint. */
int64
inv_column_number(TupleTableSlot *slot, const InvColumn *column, int64 if_null, bool *isnull)
{
	Datum value = 0;
	bool null = true;

	if (column->attnum != InvalidAttrNumber)
		value = slot_getattr(slot, column->attnum, &null);
	if (isnull)
		*isnull = null;
	if (null)
		return if_null;
	return column->base == INT2OID	 ? DatumGetInt16(value)
		   : column->base == INT4OID ? DatumGetInt32(value)
									 : DatumGetInt64(value);
}

/* ---- loading ---- */

/* Read a store anew; null if there is none. */
static InvStore *
load(const char *label, Oid items, LOCKMODE lock)
{
	inv_shared_open();
	for (;;)
	{
		uint64 before = invalidations;
		InvBinding binding;
		MemoryContext context, old;
		InvStore *store;

		if (!inv_binding_read(label, items, &binding))
			return NULL;
		inv_binding_lock(&binding, lock == NoLock ? AccessShareLock : lock);
		if (before != invalidations) /* the lock was waited for: is it still a store? */
			continue;
		context =
			AllocSetContextCreate(CurrentMemoryContext, "inventory store", ALLOCSET_SMALL_SIZES);
		old = MemoryContextSwitchTo(context);
		store = palloc0(sizeof(InvStore));
		store->context = context;
		if (!inv_binding_fill(store, &binding))
			store = NULL;
		MemoryContextSwitchTo(old);
		if (store == NULL)
			return NULL;
		if (before != invalidations) /* something changed while we read: again */
			continue;
		MemoryContextSetParent(context, TopMemoryContext);
		MemoryContextSwitchTo(TopMemoryContext);
		stores = lappend(stores, store);
		MemoryContextSwitchTo(old);
		store->valid = true;
		store->fresh = true;
		return store;
	}
}

static InvStore *
cached(const char *label, size_t length, Oid items)
{
	ListCell *cell;

	foreach (cell, stores)
	{
		InvStore *store = lfirst(cell);

		if (label ? strlen(store->label) == length && memcmp(store->label, label, length) == 0
				  : store->items == items)
			return store;
	}
	return NULL;
}

/* The store, locked and valid; null if there is none. */
static InvStore *
open_store(const char *label, size_t length, Oid items, LOCKMODE lock)
{
	for (;;)
	{
		InvStore *store = cached(label, length, items);

		if (store == NULL)
			return load(label ? pnstrdup(label, length) : NULL, items, lock);
		if (store->valid && lock != NoLock)
		{
			LockRelationOid(store->items, lock);
			if (OidIsValid(store->orders))
				LockRelationOid(store->orders, lock);
		}
		if (store->valid)
			return store;
		forget(store);
	}
}

/* ---- entering and leaving ---- */

/* Before a write to orders: it is locked and was looked at, but not the parts that it may have. */
void
inv_store_claim_orders(InvStore *store)
{
	Relation orders = table_open(store->orders, NoLock);

	if (orders->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
		inv_binding_check_written(store, orders);
	table_close(orders, NoLock);
}

/*
 * Before a write to a table of the ledger: lock it as a write does, and see that no
 * trigger there is somebody else's.  Items and orders are locked from the start, and
 * were looked at when the store was read.  It is done each time: what an earlier call
 * locked, a savepoint that was rolled back has unlocked.  The table is returned open.
 */
Relation
inv_store_claim(InvStore *store, InvLedger which)
{
	Relation table = try_table_open(store->ledger[which], RowExclusiveLock);

	if (table == NULL)
		inv_error_broken_store(store->label, "A table of its ledger is gone.");
	inv_binding_check_written(store, table);
	return table;
}

/*
 * From here to inv_store_leave the engine acts as the tables' owner, and under
 * the path of the generated functions.  They have set it; a direct write that
 * fires the guard, and an owner who calls the engine, come with their own.
 */
static void
become_owner(InvCall *call, InvStore *store)
{
	call->store = store;
	store->now = GetCurrentTimestamp();
	call->counters = inv_stats_current();
	call->caller = CurrentMemoryContext;
	GetUserIdAndSecContext(&call->user, &call->security);
	SPI_connect();
	SetUserIdAndSecContext(store->owner,
						   call->security | SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);
	call->nest = 0;
	if (strcmp(namespace_search_path, store->path) != 0)
	{
		call->nest = NewGUCNestLevel();
		(void) set_config_option("search_path", store->path, PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
	}
}

static void
require_owner(InvStore *store)
{
	if (GetUserId() != store->owner && !has_privs_of_role(GetUserId(), store->owner))
		inv_error_not_the_owner(store->label, store->owner);
}

/*
 * Holds and hot items that were there before this session, before a restart even,
 * need their worker too.
 */
static void
look_for_work(InvStore *store)
{
	bool none;

	store->fresh = false;
	store->hot_mode = inv_hot_mode;
	inv_execute(store, INV_NEXT_EXPIRY, NULL, NULL, INV_LATEST);
	(void) inv_result(0, 1, &none);
	if (!none || inv_hot_mode == INV_HOT_AUTO || inv_hot_any(store))
		inv_worker_start();
}

/*
 * Enter a store by its label, for a call by its generated functions or by its
 * owner.  writer names the operation for the refusal in a read-only
 * transaction; null for one that only reads.
 */
void
inv_store_enter(InvCall *call, text *label, const char *writer)
{
	InvStore *store;

	if (writer && (XactReadOnly || IsInParallelMode()))
	{
		PreventCommandIfReadOnly(psprintf("%s()", writer));
		PreventCommandIfParallelMode(psprintf("%s()", writer));
	}
	if (label == NULL)
		inv_error_null("store_name");
	store = open_store(VARDATA_ANY(label), VARSIZE_ANY_EXHDR(label), InvalidOid,
					   writer ? RowExclusiveLock : AccessShareLock);
	if (store == NULL)
		inv_error_not_a_store(psprintf("Store \"%s\"", text_to_cstring(label)));
	require_owner(store);
	become_owner(call, store);
	inv_stats_begin(call, writer ? writer : "read");
	if (writer && (store->fresh || store->hot_mode != inv_hot_mode))
		look_for_work(store);
}

/* Enter the store of an items table, if it is one, from a trigger on it. */
bool
inv_store_enter_items(InvCall *call, Oid items)
{
	InvStore *store = open_store(NULL, 0, items, NoLock);

	if (store == NULL)
		return false;
	become_owner(call, store);
	return true;
}

/* Enter the store of an items table, for its owner to look at. */
void
inv_store_enter_owned(InvCall *call, Oid items)
{
	InvStore *store;

	if (!OidIsValid(items))
		inv_error_null("items");
	store = open_store(NULL, 0, items, AccessShareLock);
	if (store == NULL)
		inv_error_not_a_store(
			psprintf("Table \"%s\"", get_rel_name(items) ? get_rel_name(items) : "?"));
	require_owner(store);
	become_owner(call, store);
}

void
inv_store_leave(InvCall *call)
{
	inv_stats_end(call);
	SPI_finish();
	if (call->nest)
		AtEOXact_GUC(true, call->nest);
	SetUserIdAndSecContext(call->user, call->security);
}

/* The store of an items table, for a trigger that may have nothing to do. */
InvStore *
inv_store_of_items(Oid items)
{
	return open_store(NULL, 0, items, NoLock);
}
