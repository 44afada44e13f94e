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

#include "miscadmin.h"

#include "base/guc.h"
#include "shmem/hot_table.h"

typedef union PaddedEntry
{
	InvHotEntry entry;
	char padding[TYPEALIGN(PG_CACHE_LINE_SIZE, sizeof(InvHotEntry))];
} PaddedEntry;

InvHotTable *inv_hot_table = NULL;

/* ---- layout ---- */

static int
bitmap_words(void)
{
	return (MaxBackends + 63) / 64;
}

static Size
entries_offset(int capacity)
{
	return TYPEALIGN(PG_CACHE_LINE_SIZE,
					 add_size(sizeof(InvHotTable), mul_size(capacity, sizeof(int))));
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
int *
inv_hot_table_buckets(void)
{
	return (int *) (inv_hot_table + 1);
}

InvHotEntry *
inv_hot_table_entry(int slot)
{
	return &((PaddedEntry *) ((char *) inv_hot_table +
							  entries_offset(inv_hot_table->capacity)))[slot]
				.entry;
}

int
inv_hot_table_slot(const InvHotEntry *entry)
{
	return (const PaddedEntry *) entry - (const PaddedEntry *) inv_hot_table_entry(0);
}

uint64 *
inv_hot_table_holders(const InvHotEntry *entry)
{
	return (uint64 *) ((char *) inv_hot_table + bitmaps_offset(inv_hot_table->capacity)) +
		   (Size) inv_hot_table_slot(entry) * inv_hot_table->words;
}

int
inv_hot_table_words(void)
{
	return inv_hot_table->words;
}

int
inv_hot_table_capacity(void)
{
	return inv_hot_table ? inv_hot_table->capacity : 0;
}

bool
inv_hot_table_usable(void)
{
	return inv_hot_table != NULL;
}

void
inv_hot_table_attach(void *memory)
{
	inv_hot_table = memory;
}

void
inv_hot_table_init(void *memory, int tranche)
{
	inv_hot_table_attach(memory);
	memset(memory, 0, inv_hot_table_size());
	LWLockInitialize(&inv_hot_table->lock, tranche);
	inv_hot_table->capacity = inv_max_hot_items;
	inv_hot_table->words = bitmap_words();
	inv_hot_table->first_free = INV_NO_ENTRY;
	for (int i = 0; i < INV_HOT_STORES; i++)
		pg_atomic_init_u32(&inv_hot_table->stores[i].cold, 0);
	for (int i = inv_hot_table->capacity - 1; i >= 0; i--)
	{
		InvHotEntry *entry = inv_hot_table_entry(i);

		SpinLockInit(&entry->mutex);
		ConditionVariableInit(&entry->changed);
		inv_hot_table_buckets()[i] = INV_NO_ENTRY;
		entry->next = inv_hot_table->first_free;
		inv_hot_table->first_free = i;
	}
}
