/*
 * hot_directory.c
 *		Which items are hot, for all sessions: the directory of the entries.
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/proc.h"
#include "utils/syscache.h"

#include "shmem/hot_directory.h"
#include "shmem/hot_table.h"

/* ---- the directory; its lock is held ---- */

static int *
bucket_of(const InvHotKey *key)
{
	return &inv_hot_table_buckets()[hash_bytes((const unsigned char *) key, sizeof(InvHotKey)) %
									(uint32) inv_hot_table->capacity];
}

static InvHotEntry *
lookup_entry(const InvHotKey *key)
{
	for (int slot = *bucket_of(key); slot != INV_NO_ENTRY; slot = inv_hot_table_entry(slot)->next)
		if (memcmp(&inv_hot_table_entry(slot)->key, key, sizeof(InvHotKey)) == 0)
			return inv_hot_table_entry(slot);
	return NULL;
}

static void
unlink_entry(InvHotEntry *entry)
{
	int *link = bucket_of(&entry->key);

	while (*link != inv_hot_table_slot(entry))
		link = &inv_hot_table_entry(*link)->next;
	*link = entry->next;
	entry->next = inv_hot_table->first_free;
	inv_hot_table->first_free = inv_hot_table_slot(entry);
}

static void
update_cold_flag(InvHotStore *hot_store)
{
	pg_atomic_write_u32(&hot_store->cold,
						hot_store->loaded && hot_store->entries == 0 && hot_store->left_out == 0);
}

static InvHotStore *
hot_store_of(Oid database, Oid items)
{
	for (int i = 0; i < INV_HOT_STORES; i++)
		if (inv_hot_table->stores[i].database == database &&
			inv_hot_table->stores[i].items == items)
			return &inv_hot_table->stores[i];
	return NULL;
}

/*
 * Free an entry that nobody has a record of; false if somebody has.  Unpublished
 * ones only, unless it is the cooler who says so.
 */
static bool
free_entry(InvHotEntry *entry, bool cooled)
{
	InvHotStore *hot_store = hot_store_of(entry->key.database, entry->key.items);
	bool idle;

	SpinLockAcquire(&entry->mutex);
	idle = entry->references[0] == 0 && entry->references[1] == 0 &&
		   (cooled || entry->state == INV_HOT_STATE_UNPUBLISHED);
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
		update_cold_flag(hot_store);
	}
	return true;
}

/* A new entry, not published; null if there is no room. */
static InvHotEntry *
new_entry(const InvHotKey *key, int64 number)
{
	InvHotEntry *entry;

	if (inv_hot_table->first_free == INV_NO_ENTRY)
		return NULL;
	entry = inv_hot_table_entry(inv_hot_table->first_free);
	inv_hot_table->first_free = entry->next;
	memset(inv_hot_table_holders(entry), 0, inv_hot_table->words * sizeof(uint64));
	SpinLockAcquire(&entry->mutex);
	entry->state = INV_HOT_STATE_UNPUBLISHED;
	entry->key = *key;
	entry->number = number;
	entry->held = entry->giving = 0;
	entry->references[0] = entry->references[1] = 0;
	entry->touched = false;
	entry->cooler = INV_NO_ENTRY;
	SpinLockRelease(&entry->mutex);
	entry->next = *bucket_of(key);
	*bucket_of(key) = inv_hot_table_slot(entry);
	return entry;
}

/* ---- for others ---- */

/*
 * Is the table of a store gone, for all?  Of other databases only these are asked for.
 * A transaction that has dropped or made a table has it locked, and does not ask
 * about its own.
 */
static bool
table_is_dropped(Oid database, Oid items)
{
	bool gone;

	if (database != MyDatabaseId)
		return !SearchSysCacheExists1(DATABASEOID, ObjectIdGetDatum(database));
	if (!ConditionalLockRelationOid(items, AccessShareLock))
		return false;
	gone = !SearchSysCacheExists1(RELOID, ObjectIdGetDatum(items));
	UnlockRelationOid(items, AccessShareLock);
	return gone;
}

/* What belongs to tables and databases that are gone makes room for others. */
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

		if (!OidIsValid(database) || !table_is_dropped(database, items))
			continue;
		LWLockAcquire(&inv_hot_table->lock, LW_EXCLUSIVE);
		for (int slot = 0; slot < inv_hot_table->capacity; slot++)
		{
			InvHotEntry *entry = inv_hot_table_entry(slot);

			if (entry->state != INV_HOT_STATE_COLD && entry->key.database == database &&
				entry->key.items == items)
				(void) free_entry(entry, true);
		}
		if (hot_store->entries == 0 && hot_store->database == database && hot_store->items == items)
			hot_store->database = hot_store->items = InvalidOid;
		LWLockRelease(&inv_hot_table->lock);
	}
}

/* What is shared of a store of this database; null if there is no room for it. */
static InvHotStore *
find_hot_store(Oid items)
{
	InvHotStore *hot_store;

	LWLockAcquire(&inv_hot_table->lock, LW_EXCLUSIVE);
	hot_store = hot_store_of(MyDatabaseId, items);
	if (hot_store == NULL && (hot_store = hot_store_of(InvalidOid, InvalidOid)) != NULL)
	{
		hot_store->database = MyDatabaseId;
		hot_store->items = items;
		hot_store->loaded = hot_store->was_hot = false;
		hot_store->left_out = 0;
		hot_store->changes++;
		update_cold_flag(hot_store);
	}
	LWLockRelease(&inv_hot_table->lock);
	return hot_store;
}

InvHotStore *
inv_hot_table_store(Oid items)
{
	InvHotStore *hot_store = find_hot_store(items);

	if (hot_store)
		return hot_store;
	free_dropped_stores();
	return find_hot_store(items);
}

/* Is there room for so many items more? */
bool
inv_hot_table_has_room(int count)
{
	for (int tries = 0; tries < 2; tries++)
	{
		int found = 0;

		LWLockAcquire(&inv_hot_table->lock, LW_SHARED);
		for (int slot = inv_hot_table->first_free; slot != INV_NO_ENTRY && found < count; found++)
			slot = inv_hot_table_entry(slot)->next;
		LWLockRelease(&inv_hot_table->lock);
		if (found >= count)
			return true;
		if (tries == 0)
			free_dropped_stores();
	}
	return false;
}

bool
inv_hot_table_find(const InvHotKey *key, InvCounterRef *counter)
{
	LWLockAcquire(&inv_hot_table->lock, LW_SHARED);
	counter->entry = lookup_entry(key);
	if (counter->entry)
		counter->generation = counter->entry->generation;
	LWLockRelease(&inv_hot_table->lock);
	return counter->entry != NULL;
}

/*
 * Give each hot item of a store an entry, if nothing has changed since "changes"
 * was read; the caller has read its rows after that.
 */
bool
inv_hot_table_fill(InvHotStore *hot_store, const InvHotKey *keys, const int64 *numbers, int count,
				   uint32 changes)
{
	bool current;

	LWLockAcquire(&inv_hot_table->lock, LW_EXCLUSIVE);
	current = hot_store->changes == changes;
	if (current && !hot_store->loaded)
	{
		for (int i = 0; i < inv_hot_table->capacity; i++)
		{
			InvHotEntry *entry = inv_hot_table_entry(i);

			/* what others are counting meanwhile finds its entry gone, and looks again */
			if (entry->state == INV_HOT_STATE_UNPUBLISHED &&
				entry->key.database == hot_store->database && entry->key.items == hot_store->items)
				(void) free_entry(entry, false);
		}
		hot_store->left_out = 0;
		for (int i = 0; i < count; i++)
		{
			if (lookup_entry(&keys[i]))
				continue;
			if (new_entry(&keys[i], numbers[i]))
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

/* What is hot in a store has changed; whoever comes next reads it.  Cannot fail. */
void
inv_hot_table_changed(InvHotStore *hot_store)
{
	LWLockAcquire(&inv_hot_table->lock, LW_EXCLUSIVE);
	hot_store->loaded = false;
	hot_store->changes++;
	update_cold_flag(hot_store);
	LWLockRelease(&inv_hot_table->lock);
}

/* An item is cold again: its cooler has committed.  Cannot fail. */
void
inv_hot_table_free(const InvCounterRef *counter)
{
	InvHotStore *hot_store;

	LWLockAcquire(&inv_hot_table->lock, LW_EXCLUSIVE);
	if (counter->entry->generation == counter->generation)
	{
		hot_store = hot_store_of(counter->entry->key.database, counter->entry->key.items);
		if (free_entry(counter->entry, true) && hot_store)
		{
			/* it may be hot again already: who heated it found this entry there */
			hot_store->changes++;
			hot_store->loaded = false;
			update_cold_flag(hot_store);
		}
	}
	LWLockRelease(&inv_hot_table->lock);
	ConditionVariableBroadcast(&counter->entry->changed);
}

/* The numbers of a store's entries that somebody wants. */
int64 *
inv_hot_table_numbers(Oid items, InvHotEntryTest wanted, TimestampTz now, int *count)
{
	int64 *numbers = palloc(sizeof(int64) * Max(inv_hot_table_capacity(), 1));

	*count = 0;
	if (inv_hot_table == NULL)
		return numbers;
	LWLockAcquire(&inv_hot_table->lock, LW_SHARED);
	for (int i = 0; i < inv_hot_table->capacity; i++)
	{
		InvHotEntry *entry = inv_hot_table_entry(i);

		if (entry->state == INV_HOT_STATE_COLD || entry->key.database != MyDatabaseId ||
			entry->key.items != items)
			continue;
		SpinLockAcquire(&entry->mutex);
		if (entry->state != INV_HOT_STATE_COLD && wanted(entry, now))
			numbers[(*count)++] = entry->number;
		SpinLockRelease(&entry->mutex);
	}
	LWLockRelease(&inv_hot_table->lock);
	return numbers;
}
