/*
 * hot_item.c
 *		Which items of a store are hot, as this session knows.
 *
 * The rows of the store's table "hot" say it.  The first session that needs to know
 * reads them, and gives each hot item an entry in shared memory (hot_table.c).  A
 * transaction that changes a row of "hot" marks the entries as out of date when it
 * ends, so that the next session reads the rows again.
 *
 * Where there is no shared memory nothing becomes hot, but items can be hot that were
 * when the server had it.
 *
 * What a transaction finds, it keeps for later ones and for other sessions: so it looks for what
 * others have committed, without its own changes, which can be rolled back.
 *
 * Fills the directory of the entries under its lock; writes no table, and locks no row.
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/uuid.h"

#include "base/clock.h"
#include "base/compat.h"
#include "base/error.h"
#include "base/hot_error.h"
#include "shmem/counter_state.h"
#include "shmem/hot_directory.h"
#include "shmem/hot_room.h"
#include "shmem/hot_table.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/query.h"
#include "store/query_cursor.h"
#include "store/query_text.h"
#include "store/table_check.h"
#include "stock/hot_item.h"

/* how long the worker leaves an item alone whose stock column could not be written */
#define RETRY_MS 60000

static List *changed_stores = NIL; /* of InvHotStore; this transaction changed their "hot" */
static uint64 type_changes = 0;	   /* how often this session heard of a change of a type */

/* ---- what sessions share of a store ---- */

/* Does this InvStore have the place of its store? */
static bool
has_place(const InvStore *store)
{
	const InvHotStore *hot_store = store->hot_store;

	return hot_store && hot_store->items == store->items && hot_store->database == MyDatabaseId;
}

/*
 * Use a place for an InvStore.  The first use marks the entries as out of date: the
 * tables may have been restored or replicated, without a transaction that would have
 * marked them.
 */
static InvHotStore *
use_place(InvStore *store, InvHotStore *hot_store)
{
	store->hot_store = hot_store;
	if (hot_store)
		inv_hot_directory_invalidate(hot_store);
	return hot_store;
}

/* Is it known that nothing in the store, which has no place, is hot? */
static bool
is_known_to_have_none(const InvStore *store)
{
	return store->none_hot_at == inv_hot_directory_places_made();
}

/*
 * What sessions share of a store; null if there is no shared memory, or nothing in the
 * store was hot since the server started.
 */
static InvHotStore *
hot_store_if_any(InvStore *store)
{
	if (has_place(store))
		return store->hot_store;
	if (!inv_hot_table_usable() || is_known_to_have_none(store))
		return NULL;
	return use_place(store, inv_hot_directory_find_store(store->items));
}

/* The same, made if needed; null if there is no shared memory, or no room in it. */
InvHotStore *
inv_hot_store(InvStore *store)
{
	if (has_place(store))
		return store->hot_store;
	if (!inv_hot_table_usable())
		return NULL;
	return use_place(store, inv_hot_directory_make_store(store->items));
}

/*
 * This transaction is about to change rows of "hot": mark the entries as out of date at
 * its end, and read the rows rather than the entries until then.
 */
void
inv_hot_mark_changed(InvStore *store)
{
	InvHotStore *hot_store = inv_hot_store(store);
	MemoryContext old;

	Assert(IsTransactionState());
	if (hot_store == NULL || list_member_ptr(changed_stores, hot_store))
		return;
	old = MemoryContextSwitchTo(TopMemoryContext);
	changed_stores = lappend(changed_stores, hot_store);
	MemoryContextSwitchTo(old);
}

/* Once the transaction is committed or aborted nothing here can fail. */
static void
hot_item_at_xact_end(XactEvent event, void *arg pg_attribute_unused())
{
	ListCell *cell;

	if (changed_stores == NIL)
		return;
	if (event == XACT_EVENT_PRE_PREPARE)
		inv_error_prepare();
	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT)
		return;
	foreach (cell, changed_stores)
		inv_hot_directory_invalidate(lfirst(cell));
	list_free(changed_stores);
	changed_stores = NIL;
}

/* Syscache callback. */
static void
count_type_change(Datum arg pg_attribute_unused(), int cache pg_attribute_unused(),
				  uint32 hash pg_attribute_unused())
{
	type_changes++;
}

void
inv_hot_item_init(void)
{
	RegisterXactCallback(hot_item_at_xact_end, NULL);
	CacheRegisterSyscacheCallback(TYPEOID, count_type_change, (Datum) 0);
}

/* ---- entries ---- */

/* The key of an item's entry, once there is the shared memory. */
static InvHotKey
hot_key_of(InvStore *store, Datum item)
{
	InvHotKey key = { MyDatabaseId, store->items, { 0, 0 } };

	Assert(inv_hot_table_usable());
	switch (store->item_id.base)
	{
		case INT2OID:
			key.key[0] = (uint64) DatumGetInt16(item);
			break;
		case INT4OID:
			key.key[0] = (uint64) DatumGetInt32(item);
			break;
		case INT8OID:
			key.key[0] = (uint64) DatumGetInt64(item);
			break;
		case UUIDOID:
			memcpy(key.key, DatumGetUUIDP(item)->data, UUID_LEN);
			break;
		default:
			/*
			 * Two hashes of 64 bits stand for a text.  Two texts whose hashes are the same with
			 * seeds that are known can be computed, and one would be sold by the other's counter.
			 */
			key.key[0] = inv_item_hash(store, item, inv_hot_table->seeds[0]);
			key.key[1] = inv_item_hash(store, item, inv_hot_table->seeds[1]);
	}
	return key;
}

/*
 * Reserve an entry for an item that is about to be marked as hot; INV_NO_ROOM if there is no
 * room, or else what inv_hot_room_set_number() asks for.
 */
int
inv_hot_reserve_room(InvStore *store, Datum item)
{
	InvHotStore *hot_store = inv_hot_store(store);
	InvHotKey key;

	if (hot_store == NULL)
		return INV_NO_ROOM;
	key = hot_key_of(store, item);
	return inv_hot_room_reserve(hot_store, &key);
}

/*
 * Give each hot item an entry: read the rows of "hot", until none has changed between the
 * read and the filling of the table.
 */
static void
load_hot_entries(InvStore *store, InvHotStore *hot_store)
{
	bool loaded;

	Assert(GetUserId() == store->owner);
	Assert(hot_store->items == store->items && hot_store->database == MyDatabaseId);
	do
	{
		uint32 changes = hot_store->changes;
		uint64 rows;
		InvHotKey *keys;
		int64 *numbers;

		CHECK_FOR_INTERRUPTS();
		/* the rows have to be at least as new as the count of changes */
		pg_read_barrier();
		rows = inv_execute(store, INV_STMT_HOT_ROWS, NULL, NULL, INV_SNAPSHOT_COMMITTED);
		keys = palloc(sizeof(InvHotKey) * Max(rows, 1));
		numbers = palloc(sizeof(int64) * Max(rows, 1));
		for (uint64 row = 0; row < rows; row++)
		{
			bool isnull;

			keys[row] = hot_key_of(store, inv_result(row, 1, &isnull));
			numbers[row] = inv_result_int64(row, 2);
		}
		/* makes room, if it can, by freeing the entries of dropped tables */
		(void) inv_hot_directory_has_room(rows);
		INV_POINT("inventory-after-hot-rows");
		loaded = inv_hot_directory_fill(hot_store, keys, numbers, rows, changes);
	} while (!loaded);
}

/*
 * Is there a row of "hot"?  *known: the answer also holds if this transaction aborts.  It is
 * asked for each line of a statement that can change all lines of a shop.
 */
static bool
has_hot_row(InvStore *store, bool *known)
{
	bool found;

	*known = !inv_ledger_table_is_locked(store, INV_LEDGER_HOT);
	found = inv_execute(store, INV_STMT_HOT_ROWS, NULL, NULL,
						*known ? INV_SNAPSHOT_COMMITTED : INV_SNAPSHOT_LATEST) > 0;
	inv_result_free();
	return found;
}

/*
 * Without shared memory, is an item hot that was when the server had it?  Once there is
 * none, there will be none: nothing becomes hot any more.
 */
static bool
was_left_hot(InvStore *store)
{
	bool known;

	if (!store->may_be_hot)
		return false;
	if (has_hot_row(store, &known))
		return true;
	store->may_be_hot = !known;
	return false;
}

/*
 * Has a store without a place hot items, from before the server started, say?  If it has
 * none, that is known until another store of the server gets a place: what is heated gets
 * its place before the heating commits.  "places" was read before the place was looked for:
 * one that was made in between may be of a heating that is not committed.
 */
static bool
has_hot_rows(InvStore *store, uint64 places)
{
	bool known;

	if (store->none_hot_at == places)
		return false;
	if (has_hot_row(store, &known))
		return true;
	if (known)
		store->none_hot_at = places;
	return false;
}

/*
 * May this transaction give the hot items of a store their entries?  They are for all sessions:
 * they must not have what this transaction has changed.
 */
static bool
can_load_entries(InvStore *store, InvHotStore *hot_store)
{
	return !list_member_ptr(changed_stores, hot_store) &&
		   !inv_ledger_table_is_locked(store, INV_LEDGER_HOT);
}

/* Is it known, without a statement, that no item of the store is hot? */
bool
inv_hot_known_none(InvStore *store)
{
	InvHotStore *hot_store = hot_store_if_any(store);

	if (hot_store)
		return pg_atomic_read_u32(&hot_store->cold) != 0;
	return inv_hot_table_usable() ? is_known_to_have_none(store) : !store->may_be_hot;
}

/* Was nothing in the store ever hot, as far as a snapshot can see? */
bool
inv_hot_never_was(InvStore *store)
{
	InvHotStore *hot_store;

	if (RecoveryInProgress())
		return !store->may_be_hot;
	hot_store = hot_store_if_any(store);
	return inv_hot_known_none(store) && !(hot_store && hot_store->was_hot);
}

/* Can items of the store be hot?  Reads the rows of "hot" if that is not known. */
bool
inv_hot_may_exist(InvStore *store)
{
	uint64 places = inv_hot_table_usable() ? inv_hot_directory_places_made() : 0;
	InvHotStore *hot_store;

	/* the lock with which the place is looked for orders both reads */
	hot_store = hot_store_if_any(store);
	if (hot_store == NULL)
	{
		if (!inv_hot_table_usable())
			return was_left_hot(store);
		INV_POINT("inventory-without-place");
		if (!has_hot_rows(store, places))
			return false;
		hot_store = inv_hot_store(store);
		if (hot_store == NULL)
			return true;
	}
	if (pg_atomic_read_u32(&hot_store->cold) != 0)
		return false;
	if (!hot_store->loaded && can_load_entries(store, hot_store))
		load_hot_entries(store, hot_store);
	return pg_atomic_read_u32(&hot_store->cold) == 0;
}

/*
 * The version of the items table, as this session knows it: another number after each
 * change that other code could have used to write rows unseen by the guard.  A session
 * that has the lock of a writer on the table knows the latest one: a change of the table waits for
 * that lock, and its invalidation makes the store be loaded again.  A change of a domain
 * does not invalidate tables.
 */
static uint64
table_version_of(InvStore *store)
{
	if (store->table_version == 0 ||
		(store->types_seen != type_changes && store->stock.type != store->stock.base))
	{
		store->types_seen = type_changes;
		inv_execute(store, INV_STMT_TABLE_VERSION, NULL, NULL, INV_SNAPSHOT_LATEST);
		/* never 0 */
		store->table_version = (uint64) inv_result_int64(0, 1) | 1;
	}
	return store->table_version;
}

/*
 * The entry of an item, for a store that is entered; false if it has none, because it is
 * cold or there is no room.
 */
bool
inv_hot_find_entry(InvStore *store, Datum item, InvCounterRef *counter)
{
	InvHotKey key;

	if (hot_store_if_any(store) == NULL)
		return false;
	key = hot_key_of(store, item);
	if (!inv_hot_directory_find(&key, counter))
		return false;
	counter->table_version = table_version_of(store);
	return true;
}

/*
 * Note with the entry of a hot item why its stock column could not be written, or that it
 * could, if problem is null.
 */
void
inv_hot_note_problem(InvStore *store, Datum item, const char *problem)
{
	InvCounterRef counter;

	if (inv_hot_find_entry(store, item, &counter) && (problem || inv_counter_has_problem(&counter)))
		inv_counter_note_problem(&counter, problem, problem ? inv_clock_after(RETRY_MS) : 0);
}

/* Was such a problem noted, and not solved since? */
bool
inv_hot_has_problem(InvStore *store, Datum item)
{
	InvCounterRef counter;

	return inv_hot_find_entry(store, item, &counter) && inv_counter_has_problem(&counter);
}

/* Are the entries up to date, and is there one for every hot item? */
bool
inv_hot_all_have_entries(InvStore *store)
{
	InvHotStore *hot_store = hot_store_if_any(store);

	return hot_store && hot_store->loaded && hot_store->left_out == 0;
}

/* Can there be hot items without an entry? */
bool
inv_hot_lacks_entries(InvStore *store)
{
	return inv_hot_may_exist(store) && !inv_hot_all_have_entries(store);
}

/* Is it known, without a statement and without entering the store, that this item is cold? */
bool
inv_hot_known_cold(InvStore *store, Datum item)
{
	InvHotKey key;
	InvCounterRef counter;

	if (inv_hot_known_none(store))
		return true;
	if (!inv_hot_all_have_entries(store))
		return false;
	key = hot_key_of(store, item);
	return !inv_hot_directory_find(&key, &counter);
}
