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

#include "base/stats.h"
#include "shmem/shmem.h"
#include "store/binding.h"
#include "store/catalog.h"
#include "store/ledger_schema.h"
#include "store/store.h"

static List *cached_stores = NIL;  /* of InvStore, in TopMemoryContext */
static List *retired_stores = NIL; /* replaced ones; a caller further up may hold them */
static uint64 invalidation_count = 0;

/* Relcache callback: mark what may have changed.  relid 0 means everything. */
static void
invalidate_table(Datum arg, Oid relid)
{
	ListCell *cell;

	invalidation_count++;
	foreach (cell, cached_stores)
	{
		InvStore *store = lfirst(cell);

		bool concerned = !OidIsValid(relid) || relid == store->items || relid == store->orders ||
						 relid == store->sellable_view;

		for (int i = INV_LEDGER_NONE + 1; !concerned && i < INV_LEDGER_COUNT; i++)
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
invalidate_all_stores(Datum arg, int cache, uint32 hash)
{
	invalidate_table(arg, InvalidOid);
}

static void
retire_store(InvStore *store)
{
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

	cached_stores = list_delete_ptr(cached_stores, store);
	retired_stores = lappend(retired_stores, store);
	MemoryContextSwitchTo(old);
}

/* At the end of a transaction nobody holds a replaced store any longer. */
static void
store_at_xact_end(XactEvent event, void *arg)
{
	ListCell *cell;

	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT && event != XACT_EVENT_PREPARE)
		return;
	inv_stats_end_of_transaction();
	foreach (cell, retired_stores)
		MemoryContextDelete(((InvStore *) lfirst(cell))->context);
	list_free(retired_stores);
	retired_stores = NIL;
}

void
inv_store_init(void)
{
	CacheRegisterRelcacheCallback(invalidate_table, (Datum) 0);
	CacheRegisterSyscacheCallback(NAMESPACEOID, invalidate_all_stores, (Datum) 0);
	CacheRegisterSyscacheCallback(PROCOID, invalidate_all_stores, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHMEMROLEMEM, invalidate_all_stores, (Datum) 0);
	RegisterXactCallback(store_at_xact_end, NULL);
}

/* ---- loading ---- */

/* Read a store anew; null if there is none. */
static InvStore *
load_store(const char *store_name, Oid items, LOCKMODE lock)
{
	inv_shmem_open();
	for (;;)
	{
		uint64 before = invalidation_count;
		InvCatalogRow row;
		MemoryContext context, old;
		InvStore *store;

		if (!inv_catalog_find(store_name, items, &row))
			return NULL;
		inv_binding_lock(&row, lock == NoLock ? AccessShareLock : lock);
		if (before != invalidation_count) /* the lock was waited for: is it still a store? */
			continue;
		context =
			AllocSetContextCreate(CurrentMemoryContext, "inventory store", ALLOCSET_SMALL_SIZES);
		old = MemoryContextSwitchTo(context);
		store = palloc0(sizeof(InvStore));
		store->context = context;
		if (!inv_binding_fill(store, &row))
			store = NULL;
		MemoryContextSwitchTo(old);
		if (store == NULL)
			return NULL;
		if (before != invalidation_count) /* something changed while we read: again */
			continue;
		MemoryContextSetParent(context, TopMemoryContext);
		MemoryContextSwitchTo(TopMemoryContext);
		cached_stores = lappend(cached_stores, store);
		MemoryContextSwitchTo(old);
		store->valid = true;
		store->just_loaded = true;
		return store;
	}
}

static InvStore *
find_cached_store(const char *store_name, size_t length, Oid items)
{
	ListCell *cell;

	foreach (cell, cached_stores)
	{
		InvStore *store = lfirst(cell);

		if (store_name ? strlen(store->store_name) == length &&
							 memcmp(store->store_name, store_name, length) == 0
					   : store->items == items)
			return store;
	}
	return NULL;
}

/* The store, locked and valid; null if there is none. */
static InvStore *
open_store(const char *store_name, size_t length, Oid items, LOCKMODE lock)
{
	for (;;)
	{
		InvStore *store = find_cached_store(store_name, length, items);

		if (store == NULL)
			return load_store(store_name ? pnstrdup(store_name, length) : NULL, items, lock);
		if (store->valid && lock != NoLock)
		{
			LockRelationOid(store->items, lock);
			if (OidIsValid(store->orders))
				LockRelationOid(store->orders, lock);
		}
		if (store->valid)
			return store;
		retire_store(store);
	}
}

/* ---- for others ---- */

/* The store of that name. */
InvStore *
inv_store_by_name(text *store_name, LOCKMODE lock)
{
	return open_store(VARDATA_ANY(store_name), VARSIZE_ANY_EXHDR(store_name), InvalidOid, lock);
}

/* The store of an items table; NoLock for a trigger on it, whose statement has locked it. */
InvStore *
inv_store_by_items(Oid items, LOCKMODE lock)
{
	return open_store(NULL, 0, items, lock);
}
