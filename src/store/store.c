/*
 * store.c
 *		The stores of this backend: found, cached and locked.
 *
 * Owns the list of InvStores, which binding.c fills from the catalogs.
 *
 * Items and orders are locked first, to the end of the transaction, and only then is
 * the cached store believed: no DDL can get between that check and the last statement
 * of the call.  A store that may be out of date is replaced, and freed at the end of
 * the transaction, because a call further up may use it.
 */
#include "postgres.h"

#include "access/xact.h"
#include "storage/lmgr.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "base/compat.h"
#include "base/stats.h"
#include "shmem/shmem.h"
#include "store/binding.h"
#include "store/catalog.h"
#include "store/ledger_schema.h"
#include "store/store.h"

static List *cached_stores = NIL;  /* of InvStore, in TopMemoryContext */
static List *retired_stores = NIL; /* replaced ones, to be freed */
static uint64 invalidation_count = 0;

/* Can a change of this table, or of any if it is InvalidOid, change the store? */
static bool
depends_on_table(const InvStore *store, Oid relid)
{
	if (!OidIsValid(relid) || relid == store->items || relid == store->orders ||
		relid == store->sellable_view)
		return true;
	/* a table of the ledger that is missing may be the one that was made */
	for (int i = INV_LEDGER_NONE + 1; i < INV_LEDGER_COUNT; i++)
		if (!OidIsValid(store->ledger[i]) || relid == store->ledger[i])
			return true;
	return false;
}

/* Relcache callback. */
static void
invalidate_table(Datum arg pg_attribute_unused(), Oid relid)
{
	ListCell *cell;

	invalidation_count++;
	foreach (cell, cached_stores)
	{
		InvStore *store = lfirst(cell);

		if (depends_on_table(store, relid))
			store->valid = false;
	}
}

/*
 * Syscache callback.  Schemas: a new name is in the names of all tables.  Functions: one
 * that a condition calls can have a new name, and that of a trigger a new owner.
 * Memberships of roles: the owner of a trigger's function can lose the owner's rights.
 */
static void
invalidate_all_stores(Datum arg, int cache pg_attribute_unused(), uint32 hash pg_attribute_unused())
{
	invalidate_table(arg, InvalidOid);
}

static void
retire_store(InvStore *store)
{
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

	Assert(!store->valid && list_member_ptr(cached_stores, store));
	cached_stores = list_delete_ptr(cached_stores, store);
	retired_stores = lappend(retired_stores, store);
	MemoryContextSwitchTo(old);
}

/* At the end of a transaction no call uses a replaced store, and none counts. */
static void
store_at_xact_end(XactEvent event, void *arg pg_attribute_unused())
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

/* A store of a row whose tables are locked, in the caller's memory; null if a table is gone. */
static InvStore *
make_store(const InvCatalogRow *row)
{
	MemoryContext context =
		AllocSetContextCreate(CurrentMemoryContext, "inventory store", ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	InvStore *store = palloc0(sizeof(InvStore));

	store->context = context;
	if (!inv_binding_fill(store, row))
		store = NULL;
	MemoryContextSwitchTo(old);
	return store;
}

static void
cache_store(InvStore *store)
{
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

	Assert(!store->valid);
	MemoryContextSetParent(store->context, TopMemoryContext);
	cached_stores = lappend(cached_stores, store);
	MemoryContextSwitchTo(old);
	store->valid = true;
	store->just_loaded = true;
}

/*
 * Read a store, with its tables locked, and cache it; null if there is none.
 *
 * It is read again if an invalidation arrived since its row was looked up: the
 * tables that were locked may no longer be its tables, or what was read may be out
 * of date.  There is no limit to that.  Under debug_discard_caches = 1, where each
 * look-up counts as an invalidation, it never ends.
 */
static InvStore *
load_store(const char *store_name, Oid items, LOCKMODE lock)
{
	inv_shmem_open();
	for (;;)
	{
		uint64 before = invalidation_count;
		InvCatalogRow row;
		InvStore *store;

		if (!inv_catalog_find(store_name, items, &row))
			return NULL;
		inv_binding_lock(&row, lock == NoLock ? AccessShareLock : lock);
		if (before != invalidation_count)
			continue;
		store = make_store(&row);
		if (store == NULL)
			return NULL;
		if (before != invalidation_count)
			continue;
		cache_store(store);
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

/* The store by its name or, where that is null, by its items; null if there is none. */
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

/*
 * The store of a name, valid, with items and orders in this lock; null if there is
 * none.  Raises if it is damaged.
 */
InvStore *
inv_store_by_name(text *store_name, LOCKMODE lock)
{
	return open_store(VARDATA_ANY(store_name), VARSIZE_ANY_EXHDR(store_name), InvalidOid, lock);
}

/*
 * The same for an items table.  NoLock is for callers that do not depend on its
 * definition, or have locked it, as the statement that fires a trigger has.
 */
InvStore *
inv_store_by_items(Oid items, LOCKMODE lock)
{
	return open_store(NULL, 0, items, lock);
}
