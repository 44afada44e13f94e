/*
 * hot_directory.c
 *		Which items are hot, for all sessions: the directory of the entries.
 *
 * A lightweight lock guards what is known of each store, which entries there are, and to
 * which item each belongs.  What is in an entry is guarded by its spinlock, which is taken
 * after that lock.
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "common/hashfn.h"
#include "miscadmin.h"

#include "base/clock.h"
#include "base/table_gone.h"
#include "shmem/hot_directory.h"
#include "shmem/hot_table.h"

#define LOOK_PAUSE 1000000 /* microseconds from one look for dropped tables to the next */

/* ---- the hash table; the caller has the lock ---- */

static int *
bucket_of(const InvHotKey *key)
{
	uint32 hash = hash_bytes((const unsigned char *) key, sizeof(InvHotKey));

	return &inv_hot_table_buckets()[hash % (uint32) inv_hot_table->capacity];
}

/* The entry of an item; null if it has none. */
static InvHotEntry *
lookup_entry(const InvHotKey *key)
{
	Assert(LWLockHeldByMe(&inv_hot_table->lock));
	for (int slot = *bucket_of(key); slot != INV_NO_SLOT; slot = inv_hot_table_entry(slot)->next)
		if (memcmp(&inv_hot_table_entry(slot)->key, key, sizeof(InvHotKey)) == 0)
			return inv_hot_table_entry(slot);
	return NULL;
}

/* Put an entry, which is not free any more, into its bucket. */
static void
link_entry(InvHotEntry *entry)
{
	int *bucket = bucket_of(&entry->key);

	Assert(entry->state != INV_HOT_STATE_COLD);
	entry->next = *bucket;
	*bucket = inv_hot_table_slot(entry);
}

/* Take an entry, which is free from now on, out of its bucket. */
static void
unlink_entry(InvHotEntry *entry)
{
	int *link = bucket_of(&entry->key);

	Assert(entry->state == INV_HOT_STATE_COLD);
	while (*link != inv_hot_table_slot(entry))
		link = &inv_hot_table_entry(*link)->next;
	*link = entry->next;
	entry->next = inv_hot_table->first_free;
	inv_hot_table->first_free = inv_hot_table_slot(entry);
	inv_hot_table->free_count++;
}

/* The flag says that it is known that nothing in the store is hot. */
static void
update_cold_flag(InvHotStore *hot_store)
{
	Assert(LWLockHeldByMeInMode(&inv_hot_table->lock, LW_EXCLUSIVE));
	pg_atomic_write_u32(&hot_store->cold,
						hot_store->loaded && hot_store->entries == 0 && hot_store->left_out == 0);
}

/* What is hot in a store has to be read again.  The caller has the lock. */
static void
invalidate_store(InvHotStore *hot_store)
{
	hot_store->loaded = false;
	hot_store->changes++;
	update_cold_flag(hot_store);
}

/* What is shared of a store; null if there is nothing. */
static InvHotStore *
hot_store_of(Oid database, Oid items)
{
	Assert(LWLockHeldByMe(&inv_hot_table->lock));
	for (int i = 0; i < INV_HOT_STORES; i++)
		if (inv_hot_table->stores[i].database == database &&
			inv_hot_table->stores[i].items == items)
			return &inv_hot_table->stores[i];
	return NULL;
}

/*
 * Free an entry that no pending change refers to; if it is published, only with
 * published_too.  False: it is not freed.
 */
static bool
free_entry(InvHotEntry *entry, bool published_too)
{
	InvHotStore *hot_store = hot_store_of(entry->key.database, entry->key.items);
	bool idle;

	Assert(LWLockHeldByMeInMode(&inv_hot_table->lock, LW_EXCLUSIVE));
	SpinLockAcquire(&entry->mutex);
	idle = !inv_entry_has_references(entry) &&
		   (published_too || entry->state == INV_HOT_STATE_UNPUBLISHED);
	if (idle)
	{
		entry->state = INV_HOT_STATE_COLD;
		entry->generation++;
	}
	SpinLockRelease(&entry->mutex);
	if (!idle)
		return false;
	unlink_entry(entry);
	if (hot_store)
	{
		hot_store->entries--;
		Assert(hot_store->entries >= 0);
		update_cold_flag(hot_store);
	}
	return true;
}

/* How many entries can be made.  The caller has the lock. */
static int
count_room(void)
{
	Assert(inv_hot_table->reserved >= 0 && inv_hot_table->reserved <= inv_hot_table->free_count);
	return inv_hot_table->free_count - inv_hot_table->reserved;
}

/* Make an entry, which is not published; false if there is no room. */
static bool
add_entry(const InvHotKey *key, int64 number)
{
	InvHotEntry *entry;

	Assert(LWLockHeldByMeInMode(&inv_hot_table->lock, LW_EXCLUSIVE));
	if (count_room() == 0)
		return false;
	entry = inv_hot_table_entry(inv_hot_table->first_free);
	inv_hot_table->first_free = entry->next;
	inv_hot_table->free_count--;
	Assert(entry->state == INV_HOT_STATE_COLD);
	memset(inv_hot_table_holders(entry), 0, inv_hot_table->holder_words * sizeof(uint64));
	SpinLockAcquire(&entry->mutex);
	entry->state = INV_HOT_STATE_UNPUBLISHED;
	entry->key = *key;
	entry->number = number;
	entry->held = entry->incoming = 0;
	entry->raised = 0;
	entry->retry_at = 0;
	entry->references[0] = entry->references[1] = 0;
	entry->has_movements = false;
	entry->cooler = INV_NO_PROCESS;
	SpinLockRelease(&entry->mutex);
	link_entry(entry);
	return true;
}

/* ---- stores ---- */

/* Free the entries of a store that is gone, and its place unless one is in use.  Cannot fail. */
static void
free_store(InvHotStore *hot_store, Oid database, Oid items)
{
	LWLockAcquire(&inv_hot_table->lock, LW_EXCLUSIVE);
	for (int slot = 0; slot < inv_hot_table->capacity; slot++)
	{
		InvHotEntry *entry = inv_hot_table_entry(slot);

		if (inv_hot_entry_is_of(entry, database, items))
			(void) free_entry(entry, true);
	}
	if (hot_store->entries == 0 && hot_store->database == database && hot_store->items == items)
		hot_store->database = hot_store->items = InvalidOid;
	LWLockRelease(&inv_hot_table->lock);
}

/*
 * Make room: free what belongs to dropped tables and databases.  A transaction with an id
 * does not, because it may have made or dropped a table itself.
 */
static void
free_dropped_stores(void)
{
	if (TransactionIdIsValid(GetTopTransactionIdIfAny()))
		return;
	for (int i = 0; i < INV_HOT_STORES; i++)
	{
		InvHotStore *hot_store = &inv_hot_table->stores[i];
		Oid database = hot_store->database;
		Oid items = hot_store->items;

		if (OidIsValid(database) && inv_table_is_gone(database, items))
			free_store(hot_store, database, items);
	}
}

/*
 * The places of a store of a database, or of all its stores if items is InvalidOid, are
 * free from now on: it was dropped or detached.  Cannot fail.
 */
void
inv_hot_directory_free_stores(Oid database, Oid items)
{
	for (int i = 0; i < INV_HOT_STORES; i++)
	{
		InvHotStore *hot_store = &inv_hot_table->stores[i];
		Oid place_of = hot_store->items;

		if (hot_store->database == database && (!OidIsValid(items) || place_of == items))
			free_store(hot_store, database, place_of);
	}
}

/* How often a store of the server got a place. */
uint64
inv_hot_directory_places_made(void)
{
	return pg_atomic_read_u64(&inv_hot_table->places_made);
}

/* The place of a store of this database; null if it has none. */
InvHotStore *
inv_hot_directory_find_store(Oid items)
{
	InvHotStore *hot_store;

	Assert(OidIsValid(MyDatabaseId) && OidIsValid(items));
	LWLockAcquire(&inv_hot_table->lock, LW_SHARED);
	hot_store = hot_store_of(MyDatabaseId, items);
	LWLockRelease(&inv_hot_table->lock);
	return hot_store;
}

/* The same, made if needed; null if there is no room. */
static InvHotStore *
make_hot_store(Oid items)
{
	InvHotStore *hot_store;

	LWLockAcquire(&inv_hot_table->lock, LW_EXCLUSIVE);
	hot_store = hot_store_of(MyDatabaseId, items);
	if (hot_store == NULL && (hot_store = hot_store_of(InvalidOid, InvalidOid)) != NULL)
	{
		hot_store->database = MyDatabaseId;
		hot_store->items = items;
		hot_store->was_hot = false;
		hot_store->left_out = 0;
		invalidate_store(hot_store);
		pg_atomic_fetch_add_u64(&inv_hot_table->places_made, 1);
	}
	LWLockRelease(&inv_hot_table->lock);
	return hot_store;
}

/* Has this session not looked for dropped tables for a while?  To look takes longer than a call. */
static bool
may_look_for_dropped(void)
{
	static int64 looked_at = 0;
	int64 now = inv_clock_now();

	if (looked_at != 0 && now - looked_at < LOOK_PAUSE)
		return false;
	looked_at = now;
	return true;
}

/*
 * The place of a store in which something is hot or becomes hot.  If there is no room,
 * what belongs to dropped tables is freed first.
 */
InvHotStore *
inv_hot_directory_make_store(Oid items)
{
	InvHotStore *hot_store = inv_hot_directory_find_store(items);

	if (hot_store == NULL)
		hot_store = make_hot_store(items);
	if (hot_store || !may_look_for_dropped())
		return hot_store;
	free_dropped_stores();
	return make_hot_store(items);
}

/* What is hot in a store has changed: the next session reads it again.  Cannot fail. */
void
inv_hot_directory_invalidate(InvHotStore *hot_store)
{
	LWLockAcquire(&inv_hot_table->lock, LW_EXCLUSIVE);
	invalidate_store(hot_store);
	LWLockRelease(&inv_hot_table->lock);
}

/* ---- entries ---- */

/* Is there room for "count" more items? */
bool
inv_hot_directory_has_room(int count)
{
	for (int tries = 0; tries < 2; tries++)
	{
		int room;

		LWLockAcquire(&inv_hot_table->lock, LW_SHARED);
		room = count_room();
		LWLockRelease(&inv_hot_table->lock);
		if (room >= count)
			return true;
		if (tries == 0)
			free_dropped_stores();
	}
	return false;
}

/* Reserve an entry for an item that is being heated; false if there is no room. */
bool
inv_hot_directory_reserve(void)
{
	bool reserved;

	LWLockAcquire(&inv_hot_table->lock, LW_EXCLUSIVE);
	reserved = count_room() > 0;
	if (reserved)
		inv_hot_table->reserved++;
	LWLockRelease(&inv_hot_table->lock);
	return reserved;
}

/* Give a reserved entry back.  Cannot fail. */
void
inv_hot_directory_unreserve(void)
{
	LWLockAcquire(&inv_hot_table->lock, LW_EXCLUSIVE);
	inv_hot_table->reserved--;
	Assert(inv_hot_table->reserved >= 0);
	LWLockRelease(&inv_hot_table->lock);
}

/*
 * Make all handles of an entry without a counter invalid.  A transaction that demoted its
 * item, and is over, must not free the entry any more.
 */
static void
renew_unpublished(InvHotEntry *entry)
{
	SpinLockAcquire(&entry->mutex);
	if (entry->state == INV_HOT_STATE_UNPUBLISHED)
		entry->generation++;
	SpinLockRelease(&entry->mutex);
}

/*
 * An item is hot from now on: it gets the entry that was reserved for it, unless its table
 * was dropped in the same transaction.  Cannot fail.
 */
void
inv_hot_directory_place(InvHotStore *hot_store, const InvHotKey *key, int64 number)
{
	LWLockAcquire(&inv_hot_table->lock, LW_EXCLUSIVE);
	inv_hot_table->reserved--;
	if (hot_store->database == key->database && hot_store->items == key->items)
	{
		InvHotEntry *entry = lookup_entry(key);

		if (entry)
			renew_unpublished(entry);
		else if (add_entry(key, number))
			hot_store->entries++;
		hot_store->was_hot = true;
		invalidate_store(hot_store);
	}
	LWLockRelease(&inv_hot_table->lock);
}

/* Find the entry of an item; false if it has none. */
bool
inv_hot_directory_find(const InvHotKey *key, InvCounterRef *counter)
{
	LWLockAcquire(&inv_hot_table->lock, LW_SHARED);
	counter->entry = lookup_entry(key);
	if (counter->entry)
		counter->generation = counter->entry->generation;
	LWLockRelease(&inv_hot_table->lock);
	return counter->entry != NULL;
}

/* Does an entry say why the row of one of these items could not be written? */
static bool
has_problem_of(const InvHotEntry *entry, const InvHotKey *keys, int count)
{
	for (int i = 0; entry->retry_at != 0 && i < count; i++)
		if (memcmp(&entry->key, &keys[i], sizeof(InvHotKey)) == 0)
			return true;
	return false;
}

/*
 * Free the entries of a store that have no counter yet.  A session that is counting one
 * finds it freed, and looks again.  One that has a problem stays, if its item is still
 * hot: each failure to make the item cold leads here, and the problem must outlive it.
 */
static void
free_unpublished_entries(const InvHotStore *hot_store, const InvHotKey *keys, int count)
{
	for (int slot = 0; slot < inv_hot_table->capacity; slot++)
	{
		InvHotEntry *entry = inv_hot_table_entry(slot);

		if (entry->state != INV_HOT_STATE_UNPUBLISHED ||
			!inv_hot_entry_is_of(entry, hot_store->database, hot_store->items))
			continue;
		if (has_problem_of(entry, keys, count))
			renew_unpublished(entry);
		else
			(void) free_entry(entry, false);
	}
}

/*
 * Give each hot item of a store an entry, as far as there is room.  The caller has read
 * the items after it read "changes" of the store; false if these are not current.  Those that
 * have an entry come first: others can be seen before the entries reserved for them are placed.
 */
bool
inv_hot_directory_fill(InvHotStore *hot_store, const InvHotKey *keys, const int64 *numbers,
					   int count, uint32 changes)
{
	bool *placed = palloc(Max(count, 1));
	bool current;

	LWLockAcquire(&inv_hot_table->lock, LW_EXCLUSIVE);
	current = hot_store->changes == changes;
	if (current && !hot_store->loaded)
	{
		for (int i = 0; i < count; i++)
			placed[i] = lookup_entry(&keys[i]) != NULL;
		free_unpublished_entries(hot_store, keys, count);
		hot_store->left_out = 0;
		for (int i = 0; i < 2 * count; i++)
		{
			int n = i % count;

			if (placed[n] != (i < count) || lookup_entry(&keys[n]))
				continue;
			if (add_entry(&keys[n], numbers[n]))
				hot_store->entries++;
			else
				hot_store->left_out++;
		}
		hot_store->was_hot = hot_store->was_hot || count > 0;
		hot_store->loaded = true;
		update_cold_flag(hot_store);
	}
	LWLockRelease(&inv_hot_table->lock);
	return current;
}

/*
 * Free the entry of an item whose cooler has committed.  The caller wakes the sessions that
 * wait.  Cannot fail.
 */
void
inv_hot_directory_free(const InvCounterRef *counter)
{
	InvHotEntry *entry = counter->entry;

	LWLockAcquire(&inv_hot_table->lock, LW_EXCLUSIVE);
	if (entry->generation == counter->generation)
	{
		InvHotStore *hot_store = hot_store_of(entry->key.database, entry->key.items);

		/* the item may be hot again: the session that loaded it found this entry in place */
		if (free_entry(entry, true) && hot_store)
			invalidate_store(hot_store);
	}
	LWLockRelease(&inv_hot_table->lock);
}

/* Free the entry of an item that was demoted, if it still has no counter.  Cannot fail. */
void
inv_hot_directory_free_unpublished(const InvCounterRef *counter)
{
	LWLockAcquire(&inv_hot_table->lock, LW_EXCLUSIVE);
	if (counter->entry->generation == counter->generation)
		(void) free_entry(counter->entry, false);
	LWLockRelease(&inv_hot_table->lock);
}
