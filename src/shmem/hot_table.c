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
#define MOST_STORES 1024

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
	InvHeated stores[MOST_STORES];
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
inv_hotset_size(void)
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
inv_hotset_entry(int slot)
{
	return &((PaddedEntry *) ((char *) table + entries_offset(table->capacity)))[slot].entry;
}

static int
slot_of(const InvHotEntry *entry)
{
	return (const PaddedEntry *) entry - (const PaddedEntry *) inv_hotset_entry(0);
}

uint64 *
inv_hotset_holders(const InvHotEntry *entry)
{
	return (uint64 *) ((char *) table + bitmaps_offset(table->capacity)) +
		   (Size) slot_of(entry) * table->words;
}

int
inv_hotset_words(void)
{
	return table->words;
}

int
inv_hotset_capacity(void)
{
	return table ? table->capacity : 0;
}

bool
inv_hotset_usable(void)
{
	return table != NULL;
}

void
inv_hotset_attach(void *memory)
{
	table = memory;
}

void
inv_hotset_init(void *memory, int tranche)
{
	inv_hotset_attach(memory);
	memset(memory, 0, inv_hotset_size());
	LWLockInitialize(&table->lock, tranche);
	table->capacity = inv_max_hot_items;
	table->words = bitmap_words();
	table->first_free = NO_ENTRY;
	for (int i = 0; i < MOST_STORES; i++)
		pg_atomic_init_u32(&table->stores[i].cold, 0);
	for (int i = table->capacity - 1; i >= 0; i--)
	{
		InvHotEntry *entry = inv_hotset_entry(i);

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
look_up(const InvHotKey *key)
{
	for (int slot = *bucket_of(key); slot != NO_ENTRY; slot = inv_hotset_entry(slot)->next)
		if (memcmp(&inv_hotset_entry(slot)->key, key, sizeof(InvHotKey)) == 0)
			return inv_hotset_entry(slot);
	return NULL;
}

static void
unlink_entry(InvHotEntry *entry)
{
	int *link = bucket_of(&entry->key);

	while (*link != slot_of(entry))
		link = &inv_hotset_entry(*link)->next;
	*link = entry->next;
	entry->next = table->first_free;
	table->first_free = slot_of(entry);
}

static void
show_temperature(InvHeated *heated)
{
	pg_atomic_write_u32(&heated->cold,
						heated->loaded && heated->entries == 0 && heated->left_out == 0);
}

static InvHeated *
heated_of(Oid database, Oid items)
{
	for (int i = 0; i < MOST_STORES; i++)
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
	InvHeated *heated = heated_of(entry->key.database, entry->key.items);
	bool idle;

	SpinLockAcquire(&entry->mutex);
	idle = entry->references[0] == 0 && entry->references[1] == 0 &&
		   (cooled || entry->state == INV_UNPUBLISHED);
	if (idle)
	{
		entry->state = INV_COLD;
		entry->generation++;
	}
	SpinLockRelease(&entry->mutex);
	if (!idle)
		return false;
	unlink_entry(entry);
	if (heated)
	{
		heated->entries--;
		show_temperature(heated);
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
	entry = inv_hotset_entry(table->first_free);
	table->first_free = entry->next;
	memset(inv_hotset_holders(entry), 0, table->words * sizeof(uint64));
	SpinLockAcquire(&entry->mutex);
	entry->state = INV_UNPUBLISHED;
	entry->key = *key;
	entry->number = number;
	entry->held = entry->giving = 0;
	entry->references[0] = entry->references[1] = 0;
	entry->touched = false;
	entry->cooler = NO_ENTRY;
	SpinLockRelease(&entry->mutex);
	entry->next = *bucket_of(key);
	*bucket_of(key) = slot_of(entry);
	return entry;
}

/* ---- for others ---- */

/*
 * Is the table of a store gone, for all?  Of other databases only these are asked for.
 * A transaction that has dropped or made a table has it locked, and does not ask
 * about its own.
 */
static bool
is_gone(Oid database, Oid items)
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
sweep(void)
{
	if (TransactionIdIsValid(GetTopTransactionIdIfAny()))
		return;
	for (int i = 0; i < MOST_STORES; i++)
	{
		InvHeated *heated = &table->stores[i];
		Oid database = heated->database;
		Oid items = heated->items;

		if (!OidIsValid(database) || !is_gone(database, items))
			continue;
		LWLockAcquire(&table->lock, LW_EXCLUSIVE);
		for (int slot = 0; slot < table->capacity; slot++)
		{
			InvHotEntry *entry = inv_hotset_entry(slot);

			if (entry->state != INV_COLD && entry->key.database == database &&
				entry->key.items == items)
				(void) free_entry(entry, true);
		}
		if (heated->entries == 0 && heated->database == database && heated->items == items)
			heated->database = heated->items = InvalidOid;
		LWLockRelease(&table->lock);
	}
}

/* What is shared of a store of this database; null if there is no room for it. */
static InvHeated *
find_store(Oid items)
{
	InvHeated *heated;

	LWLockAcquire(&table->lock, LW_EXCLUSIVE);
	heated = heated_of(MyDatabaseId, items);
	if (heated == NULL && (heated = heated_of(InvalidOid, InvalidOid)) != NULL)
	{
		heated->database = MyDatabaseId;
		heated->items = items;
		heated->loaded = heated->ever = false;
		heated->left_out = 0;
		heated->changes++;
		show_temperature(heated);
	}
	LWLockRelease(&table->lock);
	return heated;
}

InvHeated *
inv_hotset_store(Oid items)
{
	InvHeated *heated = find_store(items);

	if (heated)
		return heated;
	sweep();
	return find_store(items);
}

/* Is there room for so many items more? */
bool
inv_hotset_has_room(int count)
{
	for (int tries = 0; tries < 2; tries++)
	{
		int found = 0;

		LWLockAcquire(&table->lock, LW_SHARED);
		for (int slot = table->first_free; slot != NO_ENTRY && found < count; found++)
			slot = inv_hotset_entry(slot)->next;
		LWLockRelease(&table->lock);
		if (found >= count)
			return true;
		if (tries == 0)
			sweep();
	}
	return false;
}

bool
inv_hotset_find(const InvHotKey *key, InvEscrow *escrow)
{
	LWLockAcquire(&table->lock, LW_SHARED);
	escrow->entry = look_up(key);
	if (escrow->entry)
		escrow->generation = escrow->entry->generation;
	LWLockRelease(&table->lock);
	return escrow->entry != NULL;
}

/*
 * Give each hot item of a store an entry, if nothing has changed since "changes"
 * was read; the caller has read its rows after that.
 */
bool
inv_hotset_fill(InvHeated *heated, const InvHotKey *keys, const int64 *numbers, int count,
				uint32 changes)
{
	bool current;

	LWLockAcquire(&table->lock, LW_EXCLUSIVE);
	current = heated->changes == changes;
	if (current && !heated->loaded)
	{
		for (int i = 0; i < table->capacity; i++)
		{
			InvHotEntry *entry = inv_hotset_entry(i);

			/* what others are counting meanwhile finds its entry gone, and looks again */
			if (entry->state == INV_UNPUBLISHED && entry->key.database == heated->database &&
				entry->key.items == heated->items)
				(void) free_entry(entry, false);
		}
		heated->left_out = 0;
		for (int i = 0; i < count; i++)
		{
			if (look_up(&keys[i]))
				continue;
			if (new_entry(&keys[i], numbers[i]))
				heated->entries++;
			else
				heated->left_out++;
		}
		heated->ever = heated->ever || count > 0;
		heated->loaded = true;
		show_temperature(heated);
	}
	LWLockRelease(&table->lock);
	return current;
}

/* What is hot in a store has changed; whoever comes next reads it.  Cannot fail. */
void
inv_hotset_changed(InvHeated *heated)
{
	LWLockAcquire(&table->lock, LW_EXCLUSIVE);
	heated->loaded = false;
	heated->changes++;
	show_temperature(heated);
	LWLockRelease(&table->lock);
}

/* An item is cold again: its cooler has committed.  Cannot fail. */
void
inv_hotset_free(const InvEscrow *escrow)
{
	InvHeated *heated;

	LWLockAcquire(&table->lock, LW_EXCLUSIVE);
	if (escrow->entry->generation == escrow->generation)
	{
		heated = heated_of(escrow->entry->key.database, escrow->entry->key.items);
		if (free_entry(escrow->entry, true) && heated)
		{
			/* it may be hot again already: who heated it found this entry there */
			heated->changes++;
			heated->loaded = false;
			show_temperature(heated);
		}
	}
	LWLockRelease(&table->lock);
	ConditionVariableBroadcast(&escrow->entry->changed);
}

/* The numbers of a store's entries that somebody wants. */
int64 *
inv_hotset_numbers(Oid items, bool (*wanted)(const InvHotEntry *), int *count)
{
	int64 *numbers = palloc(sizeof(int64) * Max(inv_hotset_capacity(), 1));

	*count = 0;
	if (table == NULL)
		return numbers;
	LWLockAcquire(&table->lock, LW_SHARED);
	for (int i = 0; i < table->capacity; i++)
	{
		InvHotEntry *entry = inv_hotset_entry(i);

		if (entry->state == INV_COLD || entry->key.database != MyDatabaseId ||
			entry->key.items != items)
			continue;
		SpinLockAcquire(&entry->mutex);
		if (entry->state != INV_COLD && wanted(entry))
			numbers[(*count)++] = entry->number;
		SpinLockRelease(&entry->mutex);
	}
	LWLockRelease(&table->lock);
	return numbers;
}
