/*
 * store.c
 *		The stores of this backend: found, cached and locked.
 *
 * Owns the list of InvStores, which binding_read.c fills from the catalogs.
 *
 * Items, orders and their header are locked first, to the end of the transaction, and only then is
 * the cached store believed: no DDL can get between that check and the last statement
 * of the call.  A store that may be out of date is replaced, and freed as soon as no
 * call uses it.  Its plans are not kept, because the server forgets what a statement
 * depends on while a rule turns it into nothing.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/partition.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "base/array.h"
#include "base/error.h"
#include "base/stats.h"
#include "base/store_error.h"
#include "shmem/shmem.h"
#include "store/binding.h"
#include "store/binding_read.h"
#include "store/binding_equal.h"
#include "store/catalog.h"
#include "store/dependency.h"
#include "store/store.h"
#include "store/store_name.h"
#include "store/table_check.h"

static List *cached_stores = NIL;  /* of InvStore, in TopMemoryContext */
static uint64 last_layout = 0;	   /* of a store of this session */
static List *retired_stores = NIL; /* replaced ones that a call further up uses */

static uint64 store_changes = 0; /* how often a store became invalid */

/* ---- invalidation ---- */

#define MAX_MESSAGES 64

/*
 * The invalidations that arrived since this backend began to read a store.  A message
 * that names an object is kept, because only the store that is being read will know
 * whether it depends on it.  Others discard a whole cache, for instance because too
 * many messages were waiting; under debug_discard_caches = 1 each look-up does that.
 */
static struct
{
	InvDependency messages[MAX_MESSAGES];
	int message_count;
	int discards;
} reading;

static void
start_reading(void)
{
	reading.message_count = 0;
	reading.discards = 0;
}

static void
note_invalidation(InvDependencyKind kind, uint32 value)
{
	if (value == INV_ANY_VALUE || reading.message_count == MAX_MESSAGES)
	{
		reading.discards++;
		return;
	}
	reading.messages[reading.message_count].kind = kind;
	reading.messages[reading.message_count++].value = value;
}

static void
invalidate(InvDependencyKind kind, uint32 value)
{
	ListCell *cell;

	note_invalidation(kind, value);
	foreach (cell, cached_stores)
	{
		InvStore *store = lfirst(cell);

		if (store->valid && inv_depends(&store->dependencies, kind, value))
		{
			store->valid = false;
			store_changes++;
		}
	}
}

/* Grows when a store that was found by its name may have become another one. */
uint64
inv_store_changes(void)
{
	return store_changes + inv_store_name_changes();
}

/* Relcache callback. */
static void
invalidate_relation(Datum arg pg_attribute_unused(), Oid relid)
{
	invalidate(INV_DEPENDENCY_RELATION, relid);
}

/* Syscache callback; its argument is the kind of object. */
static void
invalidate_object(Datum kind, int cache pg_attribute_unused(), uint32 hash)
{
	invalidate(DatumGetInt32(kind), hash);
}

/* ---- uses ---- */

/* A call that uses a store. */
typedef struct StoreUse
{
	InvStore *store;
	int nesting;				/* of subtransactions, when the call began */
	InvStatsEntry *outer_stats; /* what was counted then */
} StoreUse;

static StoreUse *uses = NULL; /* a stack, in TopMemoryContext */
static int use_count = 0;
static int use_room = 0;

/* From here on the store stays in memory, until inv_store_unuse() or an error. */
void
inv_store_use(InvStore *store)
{
	uses = inv_make_room(uses, use_count, &use_room, sizeof(StoreUse), TopMemoryContext);
	uses[use_count].store = store;
	uses[use_count].outer_stats = inv_stats_current();
	uses[use_count++].nesting = GetCurrentTransactionNestLevel();
	store->uses++;
}

static void
end_last_use(void)
{
	Assert(use_count > 0 && uses[use_count - 1].store->uses > 0);
	uses[--use_count].store->uses--;
}

/* The last use that has begun ends. */
void
inv_store_unuse(InvStore *store pg_attribute_unused())
{
	Assert(use_count > 0 && uses[use_count - 1].store == store);
	end_last_use();
}

/* An error ended the calls that began in the subtransaction; the one around them goes on. */
static void
store_at_subxact_end(SubXactEvent event, SubTransactionId self pg_attribute_unused(),
					 SubTransactionId parent pg_attribute_unused(), void *arg pg_attribute_unused())
{
	if (event != SUBXACT_EVENT_ABORT_SUB)
		return;
	while (use_count > 0 && uses[use_count - 1].nesting >= GetCurrentTransactionNestLevel())
	{
		inv_stats_end(uses[use_count - 1].outer_stats);
		end_last_use();
	}
}

/* Free the replaced stores that no call uses any more. */
static void
free_retired_stores(void)
{
	ListCell *cell;

	foreach (cell, retired_stores)
	{
		InvStore *store = lfirst(cell);

		if (store->uses > 0)
			continue;
		retired_stores = foreach_delete_current(retired_stores, cell);
		MemoryContextDelete(store->context);
	}
}

/* At the end of a transaction no call uses a store, and none counts. */
static void
store_at_xact_end(XactEvent event, void *arg pg_attribute_unused())
{
	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT && event != XACT_EVENT_PREPARE)
		return;
	inv_stats_end(NULL);
	while (use_count > 0)
		end_last_use();
	free_retired_stores();
}

void
inv_store_init(void)
{
	CacheRegisterRelcacheCallback(invalidate_relation, (Datum) 0);
	for (int kind = INV_DEPENDENCY_RELATION + 1; kind < INV_DEPENDENCY_KIND_COUNT; kind++)
		CacheRegisterSyscacheCallback(inv_dependency_syscache(kind), invalidate_object,
									  Int32GetDatum(kind));
	RegisterXactCallback(store_at_xact_end, NULL);
	RegisterSubXactCallback(store_at_subxact_end, NULL);
}

/* ---- loading ---- */

/*
 * Lock the tables of a store to the end of the transaction: this waits for a session that
 * changes one of them, and keeps others from doing so.
 */
static void
lock_bound_tables(Oid items, Oid orders, Oid header, LOCKMODE lock)
{
	LockRelationOid(items, lock);
	if (OidIsValid(orders))
		LockRelationOid(orders, lock);
	if (OidIsValid(header))
		LockRelationOid(header, lock);
}

/*
 * Find the row of a store, and lock the tables that it names; false if there is none.
 * With one of its tables locked it can neither be detached nor attached to others, but
 * it could before the lock was granted: then its row is read again.
 */
static bool
find_and_lock(Oid items, LOCKMODE lock, InvCatalogRow *row)
{
	for (;;)
	{
		InvCatalogRow before;

		start_reading();
		if (!inv_catalog_find(items, row))
			return false;
		lock_bound_tables(row->items, row->orders, row->header,
						  lock == NoLock ? AccessShareLock : lock);
		LockRelationOid(row->movements, AccessShareLock);
		if (reading.message_count == 0 && reading.discards == 0)
			return true;
		before = *row;
		if (!inv_catalog_find(items, row))
			return false;
		if (row->items == before.items && row->orders == before.orders &&
			row->header == before.header && row->movements == before.movements)
			return true;
	}
}

/* A store of a row whose tables are locked, in the caller's memory; null if a table is gone. */
static InvStore *
make_store(const InvCatalogRow *row)
{
	MemoryContext context =
		AllocSetContextCreate(CurrentMemoryContext, "inventory store", ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	InvStore *store = palloc0(sizeof(InvStore));

	store->context = context;
	if (inv_binding_fill(store, row))
		inv_check_tables(store);
	else
		store = NULL;
	MemoryContextSwitchTo(old);
	return store;
}

/* Did something that the store was read from change while it was read? */
static bool
changed_while_read(const InvStore *store)
{
	for (int i = 0; i < reading.message_count; i++)
		if (inv_depends(&store->dependencies, reading.messages[i].kind, reading.messages[i].value))
			return true;
	return false;
}

/*
 * Read a store, with its tables locked; null if there is none.
 *
 * It is read again if something that it depends on changed while it was read, and if
 * caches were discarded, which could hide such a change.  Where each reading discards
 * them, two that agree end this.
 */
static InvStore *
load_store(Oid items, LOCKMODE lock)
{
	InvStore *before = NULL;

	inv_shmem_open();
	for (;;)
	{
		InvCatalogRow row;
		InvStore *store;
		bool changed, agrees;

		if (!find_and_lock(items, lock, &row))
			return NULL;
		start_reading();
		store = make_store(&row);
		if (store == NULL)
			return NULL;
		changed = changed_while_read(store);
		agrees = before && inv_binding_equal(before, store);
		if (before)
			MemoryContextDelete(before->context);
		if (!changed && (agrees || reading.discards == 0))
			return store;
		before = store;
	}
}

/* ---- the cache ---- */

static InvStore *
find_cached_store(Oid items)
{
	ListCell *cell;

	foreach (cell, cached_stores)
	{
		InvStore *store = lfirst(cell);

		if (store->items == items)
			return store;
	}
	return NULL;
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

/* Remove a store from the cache, and free it unless a call further up uses it. */
static void
retire_store(InvStore *store)
{
	Assert(!store->valid && list_member_ptr(cached_stores, store));
	cached_stores = list_delete_ptr(cached_stores, store);
	if (store->uses > 0)
	{
		MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

		retired_stores = lappend(retired_stores, store);
		MemoryContextSwitchTo(old);
	}
	else
		MemoryContextDelete(store->context);
}

/*
 * A call holds values of ids as the store says that it used when it began: raise if they have
 * other types in the one that is to take its place.
 */
static void
check_used_stores(const List *stores, const InvStore *new)
{
	ListCell *cell;

	foreach (cell, stores)
	{
		const InvStore *used = lfirst(cell);

		if (used->items == new->items && used->uses > 0 &&
			!(inv_binding_same_lines(used, new) && inv_binding_same_headers(used, new)))
			inv_error_broken_store(new->store_name, new->items,
								   "The types of its columns have changed during the call.");
	}
}

/* The store of an items table; null if there is none. */
static InvStore *
open_store(Oid items, LOCKMODE lock)
{
	InvStore *store = find_cached_store(items);
	InvStore *new;

	if (store && store->valid && lock != NoLock)
		lock_bound_tables(store->items, store->orders, store->header, lock);
	if (store && store->valid)
		return store;
	free_retired_stores();
	new = load_store(items, lock);
	if (new)
	{
		check_used_stores(cached_stores, new);
		check_used_stores(retired_stores, new);
		new->line_layout = ++last_layout;
		new->header_layout = ++last_layout;
		if (store && inv_binding_same_lines(store, new))
			new->line_layout = store->line_layout;
		if (store && inv_binding_same_headers(store, new))
			new->header_layout = store->header_layout;
	}
	if (store)
		retire_store(store);
	if (new)
		cache_store(new);
	return new;
}

/*
 * The store that the current user means by a name, valid, with items and orders in
 * this lock; null if there is none.  Raises if it is damaged.
 */
InvStore *
inv_store_by_name(text *store_name, LOCKMODE lock)
{
	const char *name = VARDATA_ANY(store_name);
	size_t length = VARSIZE_ANY_EXHDR(store_name);

	for (;;)
	{
		Oid items = inv_store_name_resolve(name, length);
		InvStore *store = OidIsValid(items) ? open_store(items, lock) : NULL;

		/* it had the name before its tables were locked */
		if (store == NULL ||
			(strlen(store->store_name) == length && memcmp(store->store_name, name, length) == 0))
			return store;
		CHECK_FOR_INTERRUPTS();
	}
}

/*
 * The same for an items table.  NoLock is for callers that do not depend on its
 * definition, or have locked it, as the statement that fires a trigger has.
 */
InvStore *
inv_store_by_items(Oid items, LOCKMODE lock)
{
	return open_store(items, lock);
}

/* The cached store of this name that has one of these tables as orders or headers, valid; or null. */
static InvStore *
find_cached_by_orders(const char *store_name, const List *tables)
{
	ListCell *cell;

	foreach (cell, cached_stores)
	{
		InvStore *store = lfirst(cell);

		if (store->valid &&
			(list_member_oid(tables, store->orders) || list_member_oid(tables, store->header)) &&
			strcmp(store->store_name, store_name) == 0)
			return store;
	}
	return NULL;
}

/*
 * The store of this name for a trigger on its orders or their headers, which can have been
 * fired on a partition of orders; null if there is none.  The statement that fired it has orders locked.
 */
InvStore *
inv_store_by_orders(Relation orders, const char *store_name)
{
	List *tables =
		orders->rd_rel->relispartition ? get_partition_ancestors(RelationGetRelid(orders)) : NIL;
	InvStore *store;
	Oid items;

	tables = lappend_oid(tables, RelationGetRelid(orders));
	store = find_cached_by_orders(store_name, tables);
	if (store == NULL)
	{
		items = inv_catalog_find_orders(store_name, tables);
		store = OidIsValid(items) ? open_store(items, NoLock) : NULL;
	}
	list_free(tables);
	return store;
}
