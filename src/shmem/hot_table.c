/*
 * hot_table.c
 *		The shared memory of hot items: what lies where in it.
 *
 * One block: the table itself, with what is known of each store; the buckets of the
 * directory; the entries; and for each entry a bitmap of processes.  It has no pointers,
 * because sessions may see it at different addresses.  hot_directory.c says which
 * entries there are.
 *
 * A crash loses all of it.  The tables "hot" of the stores have what is needed to make
 * it again.
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

/* The key is hashed and compared as bytes. */
StaticAssertDecl(sizeof(InvHotKey) == 2 * sizeof(Oid) + 2 * sizeof(uint64), "padding in InvHotKey");

/*
 * Sessions share these structures, and not all need to have loaded the same build of the
 * library.  So a change of the layout has to be a decision, and to be made here too.
 */
#if SIZEOF_VOID_P == 8

#define PIN(type, field, offset)                                                                   \
	StaticAssertDecl(offsetof(type, field) == (offset), #type "." #field " has moved")

PIN(InvHotKey, database, 0);
PIN(InvHotKey, items, 4);
PIN(InvHotKey, key, 8);

PIN(InvCounterValues, available, 0);
PIN(InvCounterValues, floor, 8);
PIN(InvCounterValues, max_stock, 16);
PIN(InvCounterValues, limit, 24);
PIN(InvCounterValues, limited, 32);
PIN(InvCounterValues, for_sale, 33);
PIN(InvCounterValues, stale, 34);
PIN(InvCounterValues, readings, 36);
PIN(InvCounterValues, settled, 40);
PIN(InvCounterValues, epoch, 48);
PIN(InvCounterValues, next_expiry, 56);

PIN(InvHotEntry, mutex, 0);
PIN(InvHotEntry, state, 4);
PIN(InvHotEntry, generation, 8);
PIN(InvHotEntry, key, 16);
PIN(InvHotEntry, number, 40);
PIN(InvHotEntry, next, 48);
PIN(InvHotEntry, values, 56);
PIN(InvHotEntry, held, 120);
PIN(InvHotEntry, incoming, 128);
PIN(InvHotEntry, references, 136);
PIN(InvHotEntry, has_movements, 144);
PIN(InvHotEntry, cooler, 148);
PIN(InvHotEntry, changes, 152);
PIN(InvHotEntry, last_used, 160);
PIN(InvHotEntry, cv, 168);
StaticAssertDecl(sizeof(PaddedEntry) == 2 * PG_CACHE_LINE_SIZE, "an entry is two cache lines");

PIN(InvHotStore, database, 0);
PIN(InvHotStore, items, 4);
PIN(InvHotStore, cold, 8);
PIN(InvHotStore, loaded, 12);
PIN(InvHotStore, was_hot, 13);
PIN(InvHotStore, changes, 16);
PIN(InvHotStore, entries, 20);
PIN(InvHotStore, left_out, 24);
StaticAssertDecl(sizeof(InvHotStore) == 28, "InvHotStore has another size");

/* the size of the lock is the server's affair */
PIN(InvHotTable, capacity, sizeof(LWLock));
PIN(InvHotTable, holder_words, sizeof(LWLock) + 4);
PIN(InvHotTable, first_free, sizeof(LWLock) + 8);
PIN(InvHotTable, stores, sizeof(LWLock) + 12);

#endif

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

Size
inv_hot_table_size(void)
{
	return add_size(bitmaps_offset(inv_max_hot_items),
					mul_size(inv_max_hot_items, count_holder_words() * sizeof(uint64)));
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

int
inv_hot_table_words(void)
{
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
	inv_hot_table_attach(memory);
	memset(memory, 0, inv_hot_table_size());
	LWLockInitialize(&inv_hot_table->lock, tranche);
	inv_hot_table->capacity = inv_max_hot_items;
	inv_hot_table->holder_words = count_holder_words();
	inv_hot_table->first_free = INV_NO_SLOT;
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
