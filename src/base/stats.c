/*
 * stats.c
 *		Counters per store and operation.
 *
 * Where the library is preloaded they are the whole server's, in a hash table
 * whose lock guards its entries' coming and going; a counter itself is atomic.
 * Otherwise they are the session's own.  They count what was tried, also in
 * transactions that are rolled back afterwards, as those of the server do.
 */
#include "postgres.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "storage/shmem.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"

#include "base/stats.h"

#define MAX_ENTRIES 4096
#define OPERATION_LENGTH 32

typedef struct Key
{
	Oid database;
	Oid items;
	char operation[OPERATION_LENGTH];
} Key;

typedef struct Entry
{
	Key key;
	pg_atomic_uint64 counters[INV_STATS_COUNT];
} Entry;

static HTAB *stats_entries = NULL;
static LWLock *stats_lock = NULL;	/* null: the table is the session's own */
static Entry *current_entry = NULL; /* of the call at work */

static HASHCTL
stats_layout(void)
{
	HASHCTL layout = { 0 };

	layout.keysize = sizeof(Key);
	layout.entrysize = sizeof(Entry);
	return layout;
}

Size
inv_stats_size(void)
{
	return hash_estimate_size(MAX_ENTRIES, sizeof(Entry));
}

void
inv_stats_attach(LWLock *lock)
{
	HASHCTL layout = stats_layout();

	stats_entries = ShmemInitHash("inventory stats", MAX_ENTRIES, MAX_ENTRIES, &layout,
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

/* The counters of an operation, or null if there is no room for more. */
static Entry *
stats_entry_of(Oid items, const char *operation)
{
	Key key;
	Entry *entry;
	bool found;

	if (stats_entries == NULL)
	{
		HASHCTL layout = stats_layout();

		stats_entries = hash_create("inventory stats", 64, &layout, HASH_ELEM | HASH_BLOBS);
	}
	memset(&key, 0, sizeof(key));
	key.database = MyDatabaseId;
	key.items = items;
	strlcpy(key.operation, operation, OPERATION_LENGTH);
	lock_stats(LW_SHARED);
	entry = hash_search(stats_entries, &key, HASH_FIND, NULL);
	unlock_stats();
	if (entry)
		return entry;
	lock_stats(LW_EXCLUSIVE);
	entry = hash_search(stats_entries, &key, stats_lock ? HASH_ENTER_NULL : HASH_ENTER, &found);
	if (entry && !found)
		for (int i = 0; i < INV_STATS_COUNT; i++)
			pg_atomic_init_u64(&entry->counters[i], 0);
	unlock_stats();
	return entry;
}

/* A call of an operation begins, perhaps within another. */
void
inv_stats_begin(Oid items, const char *operation)
{
	current_entry = stats_entry_of(items, operation);
	inv_stats_count(INV_STATS_CALLS, 1);
}

void *
inv_stats_current(void)
{
	return current_entry;
}

void
inv_stats_end(void *outer)
{
	current_entry = outer;
}

/* At the end of a transaction no call is at work, also if an error ended it. */
void
inv_stats_end_of_transaction(void)
{
	current_entry = NULL;
}

/* Count for the call at work. */
void
inv_stats_count(InvStatsCounter counter, int64 by)
{
	if (current_entry)
		pg_atomic_fetch_add_u64(&current_entry->counters[counter], by);
}

/* Count for an operation that is not the call at work. */
void
inv_stats_add(Oid items, const char *operation, InvStatsCounter counter, int64 by)
{
	Entry *entry = stats_entry_of(items, operation);

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
	Entry *entry;

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
inventory_reset_stats(PG_FUNCTION_ARGS)
{
	HASH_SEQ_STATUS scan;
	Entry *entry;

	if (stats_entries == NULL)
		PG_RETURN_VOID();
	lock_stats(LW_SHARED);
	hash_seq_init(&scan, stats_entries);
	while ((entry = hash_seq_search(&scan)) != NULL)
		for (int i = 0; entry->key.database == MyDatabaseId && i < INV_STATS_COUNT; i++)
			pg_atomic_write_u64(&entry->counters[i], 0);
	unlock_stats();
	PG_RETURN_VOID();
}
