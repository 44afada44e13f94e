/*
 * stats.c
 *		Counters per store and operation.
 *
 * Where there is shared memory, the counters are those of the whole server.  stats_lock
 * guards which entries the table has; the counters are atomic.  Otherwise each session
 * has counters of its own.  Like the server's statistics, they count what was tried,
 * whether its transaction commits or not.
 *
 * The table has a fixed size.  The entries of a store are free again when the store is
 * detached or dropped (store/catalog_write.c), and if there is no room, those of tables
 * and databases that do not exist any more.  A call that runs keeps a pointer to its
 * entry; in general its locks keep the store from being detached, or its counts are lost.
 *
 * The entry with an empty operation has what the worker saw of the store.
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "base/clock.h"
#include "base/guc.h"
#include "base/layout.h"
#include "base/stats.h"
#include "base/table_gone.h"

#define LOCAL_STATS_ENTRIES 4096 /* of a session, without shared memory */
#define NO_ENTRY (-1)
#define RECLAIM_PAUSE (10 * INT64CONST(1000000)) /* after a search for entries to be freed */

typedef struct StatsKey
{
	Oid database; /* InvalidOid: the entry is free */
	Oid items;
	char operation[INV_STATS_OPERATION_LENGTH]; /* padded with zeros */
} StatsKey;

struct InvStatsEntry
{
	StatsKey key;
	int next; /* in its bucket, or of the free ones */
	pg_atomic_uint64 counters[INV_STATS_COUNT];
};

/* The table; its buckets and its entries follow. */
typedef struct StatsTable
{
	int capacity;
	int used;			/* how many entries have ever been in use */
	int first_free;		/* of those */
	int64 reclaimed_at; /* when entries to be freed were last looked for; 0: never */
} StatsTable;

INV_PIN_FIELD(StatsKey, database, 0);
INV_PIN_FIELD(StatsKey, items, 4);
INV_PIN_FIELD(StatsKey, operation, 8);
INV_PIN_SIZE(StatsKey, 40); /* it is hashed and compared as bytes */

INV_PIN_FIELD(InvStatsEntry, next, 40);
INV_PIN_FIELD(InvStatsEntry, counters, 48);
INV_PIN_SIZE(InvStatsEntry, 128);

INV_PIN_FIELD(StatsTable, capacity, 0);
INV_PIN_FIELD(StatsTable, used, 4);
INV_PIN_FIELD(StatsTable, first_free, 8);
INV_PIN_FIELD(StatsTable, reclaimed_at, 16);
INV_PIN_SIZE(StatsTable, 24);

static StatsTable *stats_table = NULL;
static LWLock *stats_lock = NULL;			/* null: the table is the session's own */
static InvStatsEntry *current_entry = NULL; /* of the innermost call that runs */

/* ---- the table ---- */

static Size
stats_table_size(int capacity)
{
	return add_size(
		TYPEALIGN(PG_CACHE_LINE_SIZE, sizeof(StatsTable) + mul_size(capacity, sizeof(int))),
		mul_size(capacity, sizeof(InvStatsEntry)));
}

/* How much shared memory the table takes. */
Size
inv_stats_size(void)
{
	return stats_table_size(inv_max_stats_entries);
}

static int *
stats_buckets(void)
{
	return (int *) (stats_table + 1);
}

static InvStatsEntry *
stats_entry(int number)
{
	Size offset = TYPEALIGN(PG_CACHE_LINE_SIZE,
							sizeof(StatsTable) + (Size) stats_table->capacity * sizeof(int));

	Assert(number >= 0 && number < stats_table->capacity);
	return (InvStatsEntry *) ((char *) stats_table + offset) + number;
}

/* Entries are filled when they are first used, so that the memory of the others is not touched. */
static void
init_stats_table(void *memory, int capacity)
{
	stats_table = memory;
	stats_table->capacity = capacity;
	stats_table->used = 0;
	stats_table->first_free = NO_ENTRY;
	stats_table->reclaimed_at = 0;
	for (int i = 0; i < capacity; i++)
		stats_buckets()[i] = NO_ENTRY;
}

/* Fill new shared memory, before any other process sees it. */
void
inv_stats_init(void *memory)
{
	init_stats_table(memory, inv_max_stats_entries);
}

/* Use the table in shared memory. */
void
inv_stats_attach(void *memory, LWLock *lock)
{
	stats_table = memory;
	stats_lock = lock;
}

static void
make_local_stats(void)
{
	init_stats_table(MemoryContextAlloc(TopMemoryContext, stats_table_size(LOCAL_STATS_ENTRIES)),
					 LOCAL_STATS_ENTRIES);
}

static void
lock_stats(LWLockMode mode)
{
	if (stats_lock)
		LWLockAcquire(stats_lock, mode);
}

static void
unlock_stats(void)
{
	if (stats_lock)
		LWLockRelease(stats_lock);
}

/* ---- entries; the caller has the lock ---- */

static int *
stats_bucket_of(const StatsKey *key)
{
	uint32 hash = hash_bytes((const unsigned char *) key, sizeof(StatsKey));

	return &stats_buckets()[hash % (uint32) stats_table->capacity];
}

static InvStatsEntry *
lookup_stats_entry(const StatsKey *key)
{
	for (int i = *stats_bucket_of(key); i != NO_ENTRY; i = stats_entry(i)->next)
		if (memcmp(&stats_entry(i)->key, key, sizeof(StatsKey)) == 0)
			return stats_entry(i);
	return NULL;
}

/* A free entry; NO_ENTRY if there is none. */
static int
take_free_entry(void)
{
	int number = stats_table->first_free;

	if (number != NO_ENTRY)
		stats_table->first_free = stats_entry(number)->next;
	else if (stats_table->used < stats_table->capacity)
		number = stats_table->used++;
	return number;
}

static InvStatsEntry *
insert_stats_entry(const StatsKey *key)
{
	int number = take_free_entry();
	int *bucket = stats_bucket_of(key);
	InvStatsEntry *entry;

	if (number == NO_ENTRY)
		return NULL;
	entry = stats_entry(number);
	entry->key = *key;
	for (int i = 0; i < INV_STATS_COUNT; i++)
		pg_atomic_init_u64(&entry->counters[i], 0);
	entry->next = *bucket;
	*bucket = number;
	return entry;
}

static void
free_stats_entry(int number)
{
	InvStatsEntry *entry = stats_entry(number);
	int *link = stats_bucket_of(&entry->key);

	Assert(OidIsValid(entry->key.database));
	while (*link != number)
		link = &stats_entry(*link)->next;
	*link = entry->next;
	entry->key.database = InvalidOid;
	entry->next = stats_table->first_free;
	stats_table->first_free = number;
}

/* ---- giving entries back ---- */

/* Free the entries of a store of a database, or of all its stores if items is InvalidOid.  Cannot fail. */
void
inv_stats_free(Oid database, Oid items)
{
	if (stats_table == NULL)
		return;
	lock_stats(LW_EXCLUSIVE);
	for (int i = 0; i < stats_table->used; i++)
	{
		const StatsKey *key = &stats_entry(i)->key;

		if (key->database == database && (!OidIsValid(items) || key->items == items))
			free_stats_entry(i);
	}
	unlock_stats();
}

/* May this session look for entries to be freed?  Not often, because that takes a while. */
static bool
may_reclaim(void)
{
	int64 now = inv_clock_now();
	bool due;

	if (!IsTransactionState())
		return false;
	lock_stats(LW_EXCLUSIVE);
	due = stats_table->reclaimed_at == 0 || now - stats_table->reclaimed_at >= RECLAIM_PAUSE;
	if (due)
		stats_table->reclaimed_at = now;
	unlock_stats();
	return due;
}

/* Free an entry, unless it has another key by now. */
static void
free_entry_of_key(int number, const StatsKey *key)
{
	lock_stats(LW_EXCLUSIVE);
	if (memcmp(&stats_entry(number)->key, key, sizeof(StatsKey)) == 0)
		free_stats_entry(number);
	unlock_stats();
}

/*
 * Free the entries of tables and databases that do not exist any more; false if there
 * are none.  Looks the tables up without the lock: what is freed is only statistics.
 */
static bool
reclaim_stats(void)
{
	StatsKey last = { 0 };
	bool last_is_gone = false;
	bool freed = false;

	for (int i = 0; i < stats_table->used; i++)
	{
		StatsKey key;

		CHECK_FOR_INTERRUPTS();
		lock_stats(LW_SHARED);
		key = stats_entry(i)->key;
		unlock_stats();
		if (!OidIsValid(key.database))
			continue;
		/* the entries of a store are often neighbours */
		if (key.database != last.database || key.items != last.items)
			last_is_gone = inv_table_is_gone(key.database, key.items);
		last = key;
		if (!last_is_gone)
			continue;
		free_entry_of_key(i, &key);
		freed = true;
	}
	return freed;
}

/* ---- finding entries ---- */

/* A new entry; null if there is no room.  Another session may have made it just before. */
static InvStatsEntry *
add_stats_entry(const StatsKey *key)
{
	InvStatsEntry *entry;

	lock_stats(LW_EXCLUSIVE);
	entry = lookup_stats_entry(key);
	if (entry == NULL)
		entry = insert_stats_entry(key);
	unlock_stats();
	return entry;
}

/* The same; if there is no room, make some, or say in the log that there is none. */
static InvStatsEntry *
add_stats_entry_somehow(const StatsKey *key)
{
	InvStatsEntry *entry = add_stats_entry(key);

	if (entry || !may_reclaim())
		return entry;
	if (reclaim_stats())
		entry = add_stats_entry(key);
	if (entry == NULL)
		ereport(LOG, (errmsg("no room for the statistics of another operation of a store"),
					  errdetail("There are %d entries, of all databases. Calls without an entry "
								"are not counted.",
								stats_table->capacity),
					  errhint("Increase inventory.max_stats_entries.")));
	return entry;
}

/* The counters of an operation; null if there is no room for more. */
static InvStatsEntry *
find_stats_entry(Oid items, const char *operation)
{
	StatsKey key = { MyDatabaseId, items, "" };
	InvStatsEntry *entry;

	Assert(OidIsValid(MyDatabaseId) && strlen(operation) < INV_STATS_OPERATION_LENGTH);
	if (stats_table == NULL)
		make_local_stats();
	strlcpy(key.operation, operation, INV_STATS_OPERATION_LENGTH);
	lock_stats(LW_SHARED);
	entry = lookup_stats_entry(&key);
	unlock_stats();
	return entry ? entry : add_stats_entry_somehow(&key);
}

/* A call of an operation begins; the caller keeps inv_stats_current() for its end. */
void
inv_stats_begin(Oid items, const char *operation)
{
	Assert(operation[0] != '\0');
	current_entry = find_stats_entry(items, operation);
	inv_stats_count(INV_STATS_CALLS, 1);
}

/* The counters of the innermost call that runs, or null. */
InvStatsEntry *
inv_stats_current(void)
{
	return current_entry;
}

/* A call has ended, and the one around it goes on; null: none runs any more. */
void
inv_stats_end(InvStatsEntry *outer)
{
	current_entry = outer;
}

/* A counter that would be larger than a bigint stays at the largest. */
static void
add_to_counter(pg_atomic_uint64 *counter, int64 by)
{
	if (pg_atomic_fetch_add_u64(counter, by) + by > PG_INT64_MAX)
		pg_atomic_write_u64(counter, PG_INT64_MAX);
}

/* Count for the innermost call that runs. */
void
inv_stats_count(InvStatsCounter counter, int64 by)
{
	Assert(counter < INV_STATS_COUNT);
	if (current_entry)
		add_to_counter(&current_entry->counters[counter], by);
}

/* Count for an operation that no call runs. */
void
inv_stats_add(Oid items, const char *operation, InvStatsCounter counter, int64 by)
{
	InvStatsEntry *entry = find_stats_entry(items, operation);

	Assert(counter < INV_STATS_COUNT && operation[0] != '\0');
	if (entry)
		add_to_counter(&entry->counters[counter], by);
}

/* Read a counter of an operation; false, with nothing read, if it was never counted. */
bool
inv_stats_get(Oid items, const char *operation, InvStatsCounter counter, int64 *value)
{
	StatsKey key = { MyDatabaseId, items, "" };
	InvStatsEntry *entry;

	strlcpy(key.operation, operation, INV_STATS_OPERATION_LENGTH);
	lock_stats(LW_SHARED);
	entry = stats_table ? lookup_stats_entry(&key) : NULL;
	if (entry)
		*value = pg_atomic_read_u64(&entry->counters[counter]);
	unlock_stats();
	return entry != NULL;
}

/* ---- what the worker saw ---- */

/* The worker has seen this many overdue lines in holds of a store, and those that it could not give back. */
void
inv_stats_set_overdue(Oid items, int64 lines)
{
	InvStatsEntry *entry = find_stats_entry(items, "");

	Assert(lines >= 0);
	if (entry)
		pg_atomic_write_u64(&entry->counters[INV_STATS_UNITS], lines);
}

/* What the worker saw last; false if it has not seen the store since the server started. */
bool
inv_stats_get_overdue(Oid items, int64 *lines)
{
	return stats_lock && inv_stats_get(items, "", INV_STATS_UNITS, lines);
}

/* ---- reading the table ---- */

/* Is it an operation of this database? */
static bool
is_own_operation(const StatsKey *key)
{
	return key->database == MyDatabaseId && key->operation[0] != '\0';
}

/*
 * Copy the next entry of this database, from *number on, and advance *number; false if
 * there are no more.  The caller begins with 0.
 */
bool
inv_stats_next(int *number, InvStatsRow *row)
{
	bool found = false;

	if (stats_table == NULL)
		return false;
	lock_stats(LW_SHARED);
	while (!found && *number < stats_table->used)
	{
		InvStatsEntry *entry = stats_entry((*number)++);

		found = is_own_operation(&entry->key);
		if (!found)
			continue;
		row->items = entry->key.items;
		strlcpy(row->operation, entry->key.operation, sizeof(row->operation));
		for (int i = 0; i < INV_STATS_COUNT; i++)
			row->counters[i] = pg_atomic_read_u64(&entry->counters[i]);
	}
	unlock_stats();
	return found;
}

/* Set the counters of this database to 0. */
void
inv_stats_reset(void)
{
	if (stats_table == NULL)
		return;
	lock_stats(LW_SHARED);
	for (int number = 0; number < stats_table->used; number++)
	{
		InvStatsEntry *entry = stats_entry(number);

		if (is_own_operation(&entry->key))
			for (int i = 0; i < INV_STATS_COUNT; i++)
				pg_atomic_write_u64(&entry->counters[i], 0);
	}
	unlock_stats();
}
