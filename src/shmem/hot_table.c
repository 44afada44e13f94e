/*
 * hot_table.c
 *		The shared memory of hot items: what lies where in it.
 *
 * One block: the table itself, with what is known of each store; the buckets of the
 * directory; the entries; and for each entry a bitmap of processes and a text.  It has no pointers,
 * because sessions may see it at different addresses.  hot_directory.c says which
 * entries there are.
 *
 * A crash loses all of it.  The tables "hot" of the stores have what is needed to make
 * it again.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "base/guc.h"
#include "base/layout.h"
#include "shmem/hot_table.h"

typedef union PaddedEntry
{
	InvHotEntry entry;
	char padding[TYPEALIGN(PG_CACHE_LINE_SIZE, sizeof(InvHotEntry))];
} PaddedEntry;

InvHotTable *inv_hot_table = NULL;

/* ---- layout ---- */

INV_PIN_FIELD(InvHotKey, database, 0);
INV_PIN_FIELD(InvHotKey, items, 4);
INV_PIN_FIELD(InvHotKey, key, 8);
INV_PIN_SIZE(InvHotKey, 24);

INV_PIN_FIELD(InvCounterValues, stock, 0);
INV_PIN_FIELD(InvCounterValues, floor, 8);
INV_PIN_FIELD(InvCounterValues, max_stock, 16);
INV_PIN_FIELD(InvCounterValues, limit, 24);
INV_PIN_FIELD(InvCounterValues, limited, 32);
INV_PIN_FIELD(InvCounterValues, for_sale, 33);
INV_PIN_FIELD(InvCounterValues, limits_stale, 34);
INV_PIN_FIELD(InvCounterValues, limits_version, 36);
INV_PIN_FIELD(InvCounterValues, settled, 40);
INV_PIN_FIELD(InvCounterValues, epoch, 48);
INV_PIN_FIELD(InvCounterValues, next_expiry, 56);
INV_PIN_FIELD(InvCounterValues, table_version, 64);
INV_PIN_SIZE(InvCounterValues, 72);

INV_PIN_FIELD(InvHotEntry, mutex, 0);
INV_PIN_FIELD(InvHotEntry, state, 4);
INV_PIN_FIELD(InvHotEntry, generation, 8);
INV_PIN_FIELD(InvHotEntry, key, 16);
INV_PIN_FIELD(InvHotEntry, number, 40);
INV_PIN_FIELD(InvHotEntry, next, 48);
INV_PIN_FIELD(InvHotEntry, values, 56);
INV_PIN_FIELD(InvHotEntry, held, 128);
INV_PIN_FIELD(InvHotEntry, incoming, 136);
INV_PIN_FIELD(InvHotEntry, raised, 144);
INV_PIN_FIELD(InvHotEntry, references, 152);
INV_PIN_FIELD(InvHotEntry, has_movements, 160);
INV_PIN_FIELD(InvHotEntry, cooler, 164);
INV_PIN_FIELD(InvHotEntry, changes, 168);
INV_PIN_FIELD(InvHotEntry, last_used, 176);
INV_PIN_FIELD(InvHotEntry, retry_at, 184);
INV_PIN_FIELD(InvHotEntry, cv, 192);
INV_PIN_SIZE(PaddedEntry, 2 * PG_CACHE_LINE_SIZE);

INV_PIN_FIELD(InvHotStore, database, 0);
INV_PIN_FIELD(InvHotStore, items, 4);
INV_PIN_FIELD(InvHotStore, cold, 8);
INV_PIN_FIELD(InvHotStore, loaded, 12);
INV_PIN_FIELD(InvHotStore, was_hot, 13);
INV_PIN_FIELD(InvHotStore, changes, 16);
INV_PIN_FIELD(InvHotStore, entries, 20);
INV_PIN_FIELD(InvHotStore, left_out, 24);
INV_PIN_SIZE(InvHotStore, 28);

/* the size of the lock is the server's affair */
INV_PIN_FIELD(InvHotTable, capacity, sizeof(LWLock));
INV_PIN_FIELD(InvHotTable, holder_words, sizeof(LWLock) + 4);
INV_PIN_FIELD(InvHotTable, first_free, sizeof(LWLock) + 8);
INV_PIN_FIELD(InvHotTable, free_count, sizeof(LWLock) + 12);
INV_PIN_FIELD(InvHotTable, reserved, sizeof(LWLock) + 16);
INV_PIN_FIELD(InvHotTable, places_made, sizeof(LWLock) + 24);
INV_PIN_FIELD(InvHotTable, seeds, sizeof(LWLock) + 32);
INV_PIN_FIELD(InvHotTable, stores, sizeof(LWLock) + 48);
INV_PIN_SIZE(InvHotTable, offsetof(InvHotTable, stores) + 1024 * sizeof(InvHotStore));

/* lookups hash and compare keys as bytes */
StaticAssertDecl(sizeof(InvHotKey) == 2 * sizeof(Oid) + 2 * sizeof(uint64), "padding in InvHotKey");

/* How many words a bitmap of processes has. */
static int
count_holder_words(void)
{
	return (MaxBackends + 63) / 64;
}

/* The buckets of the directory follow the table. */
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

static Size
problems_offset(int capacity, int holder_words)
{
	return add_size(bitmaps_offset(capacity), mul_size(capacity, holder_words * sizeof(uint64)));
}

Size
inv_hot_table_size(void)
{
	return add_size(problems_offset(inv_max_hot_items, count_holder_words()),
					mul_size(inv_max_hot_items, INV_HOT_PROBLEM_SIZE));
}

/* The slot of the first entry of each bucket. */
int *
inv_hot_table_buckets(void)
{
	return (int *) (inv_hot_table + 1);
}

InvHotEntry *
inv_hot_table_entry(int slot)
{
	PaddedEntry *entries =
		(PaddedEntry *) ((char *) inv_hot_table + entries_offset(inv_hot_table->capacity));

	Assert(slot >= 0 && slot < inv_hot_table->capacity);
	return &entries[slot].entry;
}

/* The slot of an entry: the opposite of inv_hot_table_entry. */
int
inv_hot_table_slot(const InvHotEntry *entry)
{
	return (const PaddedEntry *) entry - (const PaddedEntry *) inv_hot_table_entry(0);
}

uint64 *
inv_hot_table_holders(const InvHotEntry *entry)
{
	uint64 *bitmaps = (uint64 *) ((char *) inv_hot_table + bitmaps_offset(inv_hot_table->capacity));

	return bitmaps + (Size) inv_hot_table_slot(entry) * inv_hot_table->holder_words;
}

char *
inv_hot_table_problem(const InvHotEntry *entry)
{
	char *problems = (char *) inv_hot_table +
					 problems_offset(inv_hot_table->capacity, inv_hot_table->holder_words);

	return problems + (Size) inv_hot_table_slot(entry) * INV_HOT_PROBLEM_SIZE;
}

int
inv_hot_table_words(void)
{
	Assert(inv_hot_table_usable());
	return inv_hot_table->holder_words;
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

/* Use the block that is there. */
void
inv_hot_table_attach(void *memory)
{
	inv_hot_table = memory;
}

/* Fill a new block, before any other process sees it. */
void
inv_hot_table_init(void *memory, int tranche)
{
	Assert(memory == (void *) TYPEALIGN(PG_CACHE_LINE_SIZE, memory));
	inv_hot_table_attach(memory);
	memset(memory, 0, inv_hot_table_size());
	LWLockInitialize(&inv_hot_table->lock, tranche);
	inv_hot_table->capacity = inv_max_hot_items;
	inv_hot_table->holder_words = count_holder_words();
	inv_hot_table->first_free = INV_NO_SLOT;
	inv_hot_table->free_count = inv_hot_table->capacity;
	pg_atomic_init_u64(&inv_hot_table->places_made, 1);
	/* With known seeds, texts that have the same hashes can be computed.  Nothing may fail here. */
	if (!pg_strong_random(inv_hot_table->seeds, sizeof(inv_hot_table->seeds)))
	{
		inv_hot_table->seeds[0] = (uint64) GetCurrentTimestamp();
		inv_hot_table->seeds[1] = ~inv_hot_table->seeds[0];
	}
	for (int i = 0; i < INV_HOT_STORES; i++)
		pg_atomic_init_u32(&inv_hot_table->stores[i].cold, 0);
	for (int slot = inv_hot_table->capacity - 1; slot >= 0; slot--)
	{
		InvHotEntry *entry = inv_hot_table_entry(slot);

		SpinLockInit(&entry->mutex);
		ConditionVariableInit(&entry->cv);
		inv_hot_table_buckets()[slot] = INV_NO_SLOT;
		entry->next = inv_hot_table->first_free;
		inv_hot_table->first_free = slot;
	}
}
