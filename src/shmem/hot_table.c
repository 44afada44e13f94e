/*
 * hot_table.c
 *		Which items are hot, for all sessions: the entries and their directory.
 *
 * One block of shared memory: what is known of each store, a hash table from keys
 * to entries, the entries, and a bitmap of processes for each.  One lock guards
 * all but the insides of entries in use, which have a spinlock of their own.
 * Nothing in it is a pointer, because sessions may see it at different addresses.
 *
 * A crash wipes all of it.  The truth is in the tables "hot" of the stores.
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

#include "base/guc.h"
#include "shmem/hot_table.h"

/* how many stores of the server may have hot items */
#define MAX_HOT_STORES 1024

#define NO_ENTRY (-1)

typedef union PaddedEntry
{
	InvHotEntry entry;
	char padding[TYPEALIGN(PG_CACHE_LINE_SIZE, sizeof(InvHotEntry))];
} PaddedEntry;

typedef struct Table
{
	LWLock lock;
	int capacity;
	int words;		/* of a bitmap of processes */
	int first_free; /* entry */
	InvHotStore stores[MAX_HOT_STORES];
} Table;

static Table *table = NULL;

/* ---- layout ---- */

static int
bitmap_words(void)
{
	return (MaxBackends + 63) / 64;
}

static Size
entries_offset(int capacity)
{
	return TYPEALIGN(PG_CACHE_LINE_SIZE, add_size(sizeof(Table), mul_size(capacity, sizeof(int))));
}

static Size
bitmaps_offset(int capacity)
{
	return add_size(entries_offset(capacity), mul_size(capacity, sizeof(PaddedEntry)));
}

Size
inv_hot_table_size(void)
{
	return add_size(bitmaps_offset(inv_max_hot_items),
					mul_size(inv_max_hot_items, bitmap_words() * sizeof(uint64)));
}

/* The first entry of each bucket. */
static int *
buckets(void)
{
	return (int *) (table + 1);
}

InvHotEntry *
inv_hot_table_entry(int slot)
{
	return &((PaddedEntry *) ((char *) table + entries_offset(table->capacity)))[slot].entry;
}

static int
entry_slot(const InvHotEntry *entry)
{
	return (const PaddedEntry *) entry - (const PaddedEntry *) inv_hot_table_entry(0);
}

uint64 *
inv_hot_table_holders(const InvHotEntry *entry)
{
	return (uint64 *) ((char *) table + bitmaps_offset(table->capacity)) +
		   (Size) entry_slot(entry) * table->words;
}

int
inv_hot_table_words(void)
{
	return table->words;
}

int
inv_hot_table_capacity(void)
{
	return table ? table->capacity : 0;
}

bool
inv_hot_table_usable(void)
{
	return table != NULL;
}

void
inv_hot_table_attach(void *memory)
{
	table = memory;
}

void
inv_hot_table_init(void *memory, int tranche)
{
	inv_hot_table_attach(memory);
	memset(memory, 0, inv_hot_table_size());
	LWLockInitialize(&table->lock, tranche);
	table->capacity = inv_max_hot_items;
	table->words = bitmap_words();
	table->first_free = NO_ENTRY;
	for (int i = 0; i < MAX_HOT_STORES; i++)
		pg_atomic_init_u32(&table->stores[i].cold, 0);
	for (int i = table->capacity - 1; i >= 0; i--)
	{
		InvHotEntry *entry = inv_hot_table_entry(i);

		SpinLockInit(&entry->mutex);
		ConditionVariableInit(&entry->changed);
		buckets()[i] = NO_ENTRY;
		entry->next = table->first_free;
		table->first_free = i;
	}
}

/* ---- the directory; its lock is held ---- */

static int *
bucket_of(const InvHotKey *key)
{
	return &buckets()[hash_bytes((const unsigned char *) key, sizeof(InvHotKey)) %
					  (uint32) table->capacity];
}

static InvHotEntry *
lookup_entry(const InvHotKey *key)
{
	for (int slot = *bucket_of(key); slot != NO_ENTRY; slot = inv_hot_table_entry(slot)->next)
		if (memcmp(&inv_hot_table_entry(slot)->key, key, sizeof(InvHotKey)) == 0)
			return inv_hot_table_entry(slot);
	return NULL;
}

static void
unlink_entry(InvHotEntry *entry)
{
	int *link = bucket_of(&entry->key);

	while (*link != entry_slot(entry))
		link = &inv_hot_table_entry(*link)->next;
	*link = entry->next;
	entry->next = table->first_free;
	table->first_free = entry_slot(entry);
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
	for (int i = 0; i < MAX_HOT_STORES; i++)
		if (table->stores[i].database == database && table->stores[i].items == items)
			return &table->stores[i];
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

	if (table->first_free == NO_ENTRY)
		return NULL;
	entry = inv_hot_table_entry(table->first_free);
	table->first_free = entry->next;
	memset(inv_hot_table_holders(entry), 0, table->words * sizeof(uint64));
	SpinLockAcquire(&entry->mutex);
	entry->state = INV_HOT_STATE_UNPUBLISHED;
	entry->key = *key;
	entry->number = number;
	entry->held = entry->giving = 0;
	entry->references[0] = entry->references[1] = 0;
	entry->touched = false;
	entry->cooler = NO_ENTRY;
	SpinLockRelease(&entry->mutex);
	entry->next = *bucket_of(key);
	*bucket_of(key) = entry_slot(entry);
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
	for (int i = 0; i < MAX_HOT_STORES; i++)
	{
		InvHotStore *hot_store = &table->stores[i];
		Oid database = hot_store->database;
		Oid items = hot_store->items;

		if (!OidIsValid(database) || !table_is_dropped(database, items))
			continue;
		LWLockAcquire(&table->lock, LW_EXCLUSIVE);
		for (int slot = 0; slot < table->capacity; slot++)
		{
			InvHotEntry *entry = inv_hot_table_entry(slot);

			if (entry->state != INV_HOT_STATE_COLD && entry->key.database == database &&
				entry->key.items == items)
				(void) free_entry(entry, true);
		}
		if (hot_store->entries == 0 && hot_store->database == database && hot_store->items == items)
			hot_store->database = hot_store->items = InvalidOid;
		LWLockRelease(&table->lock);
	}
}

/* What is shared of a store of this database; null if there is no room for it. */
static InvHotStore *
find_hot_store(Oid items)
{
	InvHotStore *hot_store;

	LWLockAcquire(&table->lock, LW_EXCLUSIVE);
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
	LWLockRelease(&table->lock);
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

		LWLockAcquire(&table->lock, LW_SHARED);
		for (int slot = table->first_free; slot != NO_ENTRY && found < count; found++)
			slot = inv_hot_table_entry(slot)->next;
		LWLockRelease(&table->lock);
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
	LWLockAcquire(&table->lock, LW_SHARED);
	counter->entry = lookup_entry(key);
	if (counter->entry)
		counter->generation = counter->entry->generation;
	LWLockRelease(&table->lock);
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

	LWLockAcquire(&table->lock, LW_EXCLUSIVE);
	current = hot_store->changes == changes;
	if (current && !hot_store->loaded)
	{
		for (int i = 0; i < table->capacity; i++)
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
	LWLockRelease(&table->lock);
	return current;
}

/* What is hot in a store has changed; whoever comes next reads it.  Cannot fail. */
void
inv_hot_table_changed(InvHotStore *hot_store)
{
	LWLockAcquire(&table->lock, LW_EXCLUSIVE);
	hot_store->loaded = false;
	hot_store->changes++;
	update_cold_flag(hot_store);
	LWLockRelease(&table->lock);
}

/* An item is cold again: its cooler has committed.  Cannot fail. */
void
inv_hot_table_free(const InvCounterRef *counter)
{
	InvHotStore *hot_store;

	LWLockAcquire(&table->lock, LW_EXCLUSIVE);
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
	LWLockRelease(&table->lock);
	ConditionVariableBroadcast(&counter->entry->changed);
}

/* The numbers of a store's entries for which a condition holds. */
int64 *
inv_hot_table_numbers(Oid items, InvHotEntryTest wanted, TimestampTz now, int *count)
{
	int64 *numbers = palloc(sizeof(int64) * Max(inv_hot_table_capacity(), 1));

	*count = 0;
	if (table == NULL)
		return numbers;
	LWLockAcquire(&table->lock, LW_SHARED);
	for (int i = 0; i < table->capacity; i++)
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
	LWLockRelease(&table->lock);
	return numbers;
}
