/*
 * stats.c
 *		Counters per store and operation.
 *
 * Where the library is preloaded, the counters are those of the whole server, in a
 * hash table in shared memory.  stats_lock guards which entries it has; the counters
 * are atomic.  When the table is full, entries of tables and databases that were
 * dropped make room.  Otherwise each session has counters of its own.  Like the server's statistics, they count what was tried, whether its
 * transaction commits or not.
 */
#include "postgres.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "storage/shmem.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "base/stats.h"

#define MAX_STATS_ENTRIES 4096
#define OPERATION_LENGTH 32
#define SWEEP_INTERVAL_MS 10000 /* how often a session looks for entries to remove */

typedef struct StatsKey
{
	Oid database;
	Oid items;
	char operation[OPERATION_LENGTH]; /* padded with zeros */
} StatsKey;

struct InvStatsEntry
{
	StatsKey key;
	pg_atomic_uint64 counters[INV_STATS_COUNT];
};

/* the key is hashed and compared as bytes */
StaticAssertDecl(sizeof(StatsKey) == 2 * sizeof(Oid) + OPERATION_LENGTH, "StatsKey has padding");

static HTAB *stats_entries = NULL;
static LWLock *stats_lock = NULL;			/* null: the table is the session's own */
static InvStatsEntry *current_entry = NULL; /* of the innermost call that runs */

static HASHCTL
stats_layout(void)
{
	HASHCTL layout = { 0 };

	layout.keysize = sizeof(StatsKey);
	layout.entrysize = sizeof(InvStatsEntry);
	return layout;
}

/* How much shared memory the table may take. */
Size
inv_stats_size(void)
{
	return hash_estimate_size(MAX_STATS_ENTRIES, sizeof(InvStatsEntry));
}

/* Make the table in shared memory, or find it.  The caller holds AddinShmemInitLock. */
void
inv_stats_attach(LWLock *lock)
{
	HASHCTL layout = stats_layout();

	Assert(LWLockHeldByMe(AddinShmemInitLock));
	stats_entries = ShmemInitHash("inventory stats", MAX_STATS_ENTRIES, MAX_STATS_ENTRIES, &layout,
								  HASH_ELEM | HASH_BLOBS | HASH_FIXED_SIZE);
	stats_lock = lock;
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

static void
make_local_stats(void)
{
	HASHCTL layout = stats_layout();

	stats_entries = hash_create("inventory stats", 64, &layout, HASH_ELEM | HASH_BLOBS);
}

/* A new entry; null if there is no room.  Another session may have made it just before. */
static InvStatsEntry *
add_stats_entry(const StatsKey *key)
{
	InvStatsEntry *entry;
	bool found;

	lock_stats(LW_EXCLUSIVE);
	entry = hash_search(stats_entries, key, stats_lock ? HASH_ENTER_NULL : HASH_ENTER, &found);
	if (entry && !found)
		for (int i = 0; i < INV_STATS_COUNT; i++)
			pg_atomic_init_u64(&entry->counters[i], 0);
	unlock_stats();
	return entry;
}

/* Copy the keys of all entries. */
static StatsKey *
copy_stats_keys(int *count)
{
	StatsKey *keys;
	HASH_SEQ_STATUS scan;
	InvStatsEntry *entry;

	keys = palloc(sizeof(StatsKey) * MAX_STATS_ENTRIES);
	*count = 0;
	lock_stats(LW_SHARED);
	hash_seq_init(&scan, stats_entries);
	while ((entry = hash_seq_search(&scan)) != NULL)
		if (*count < MAX_STATS_ENTRIES)
			keys[(*count)++] = entry->key;
	unlock_stats();
	return keys;
}

/* Was the table of these counters dropped?  Of other databases only they themselves are looked up. */
static bool
stats_table_is_dropped(const StatsKey *key)
{
	if (key->database != MyDatabaseId)
		return !SearchSysCacheExists1(DATABASEOID, ObjectIdGetDatum(key->database));
	return !SearchSysCacheExists1(RELOID, ObjectIdGetDatum(key->items));
}

/*
 * Remove the entries of tables and databases that were dropped; false if it was tried a
 * moment ago.  A session that still counts for one, in a transaction that began before,
 * then counts in an entry that is free or another's: only numbers can be wrong by that.
 */
static bool
free_dropped_stats(void)
{
	static TimestampTz last_sweep = 0;
	TimestampTz now = GetCurrentTimestamp();
	StatsKey *keys;
	int count;

	if (last_sweep != 0 && last_sweep <= now &&
		!TimestampDifferenceExceeds(last_sweep, now, SWEEP_INTERVAL_MS))
		return false;
	last_sweep = now;
	keys = copy_stats_keys(&count);
	for (int i = 0; i < count; i++)
	{
		if (!stats_table_is_dropped(&keys[i]))
			continue;
		lock_stats(LW_EXCLUSIVE);
		(void) hash_search(stats_entries, &keys[i], HASH_REMOVE, NULL);
		unlock_stats();
	}
	pfree(keys);
	return true;
}

/* The counters of an operation; null if there is no room for more. */
static InvStatsEntry *
find_stats_entry(Oid items, const char *operation)
{
	StatsKey key;
	InvStatsEntry *entry;

	Assert(OidIsValid(MyDatabaseId) && strlen(operation) < OPERATION_LENGTH);
	if (stats_entries == NULL)
		make_local_stats();
	memset(&key, 0, sizeof(key));
	key.database = MyDatabaseId;
	key.items = items;
	strlcpy(key.operation, operation, OPERATION_LENGTH);
	lock_stats(LW_SHARED);
	entry = hash_search(stats_entries, &key, HASH_FIND, NULL);
	unlock_stats();
	if (entry == NULL)
		entry = add_stats_entry(&key);
	if (entry == NULL && free_dropped_stats())
		entry = add_stats_entry(&key);
	return entry;
}

/* A call of an operation begins; the caller keeps inv_stats_current() for its end. */
void
inv_stats_begin(Oid items, const char *operation)
{
	current_entry = find_stats_entry(items, operation);
	inv_stats_count(INV_STATS_CALLS, 1);
}

/* The counters of the innermost call that runs; null if none does. */
InvStatsEntry *
inv_stats_current(void)
{
	return current_entry;
}

/* A call has ended, and the one around it goes on. */
void
inv_stats_end(InvStatsEntry *outer)
{
	current_entry = outer;
}

/* No call runs any more, even if an error skipped its end. */
void
inv_stats_end_of_transaction(void)
{
	current_entry = NULL;
}

/* Count for the innermost call that runs. */
void
inv_stats_count(InvStatsCounter counter, int64 by)
{
	Assert(counter < INV_STATS_COUNT);
	if (current_entry)
		pg_atomic_fetch_add_u64(&current_entry->counters[counter], by);
}

/* Count for an operation that no call runs. */
void
inv_stats_add(Oid items, const char *operation, InvStatsCounter counter, int64 by)
{
	InvStatsEntry *entry = find_stats_entry(items, operation);

	Assert(counter < INV_STATS_COUNT);
	if (entry)
		pg_atomic_fetch_add_u64(&entry->counters[counter], by);
}

PG_FUNCTION_INFO_V1(inventory_stats_entries);
PG_FUNCTION_INFO_V1(inventory_reset_stats);

/* stats_entries(): the counters of this database. */
Datum
inventory_stats_entries(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	HASH_SEQ_STATUS scan;
	InvStatsEntry *entry;

	InitMaterializedSRF(fcinfo, 0);
	if (stats_entries == NULL)
		return (Datum) 0;
	lock_stats(LW_SHARED);
	hash_seq_init(&scan, stats_entries);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		Datum values[2 + INV_STATS_COUNT];
		bool nulls[2 + INV_STATS_COUNT] = { false };

		if (entry->key.database != MyDatabaseId)
			continue;
		values[0] = ObjectIdGetDatum(entry->key.items);
		values[1] = CStringGetTextDatum(entry->key.operation);
		for (int i = 0; i < INV_STATS_COUNT; i++)
			values[2 + i] = Int64GetDatum(pg_atomic_read_u64(&entry->counters[i]));
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	unlock_stats();
	return (Datum) 0;
}

/* reset_stats(): set the counters of this database to 0. */
Datum
inventory_reset_stats(PG_FUNCTION_ARGS pg_attribute_unused())
{
	HASH_SEQ_STATUS scan;
	InvStatsEntry *entry;

	if (stats_entries == NULL)
		PG_RETURN_VOID();
	lock_stats(LW_SHARED);
	hash_seq_init(&scan, stats_entries);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		if (entry->key.database != MyDatabaseId)
			continue;
		for (int i = 0; i < INV_STATS_COUNT; i++)
			pg_atomic_write_u64(&entry->counters[i], 0);
	}
	unlock_stats();
	PG_RETURN_VOID();
}
