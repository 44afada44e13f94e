/*
 * hot_table.h
 *		Which items are hot, for all sessions: the entries and their directory.
 *
 * Only counter.c, counter_xact.c and counter_state.c look into an entry, under its spinlock.
 */
#ifndef INV_HOT_TABLE_H
#define INV_HOT_TABLE_H

#include "port/atomics.h"
#include "storage/condition_variable.h"
#include "storage/lwlock.h"
#include "storage/spin.h"
#include "utils/timestamp.h"

/* An item among all of the server: its key itself, or two hashes of a text. */
typedef struct InvHotKey
{
	Oid database;
	Oid items;
	uint64 key[2];
} InvHotKey;

typedef enum InvHotState
{
	INV_HOT_STATE_COLD,		   /* the entry is free */
	INV_HOT_STATE_UNPUBLISHED, /* marked hot, but nobody has counted it yet */
	INV_HOT_STATE_HOT,
	INV_HOT_STATE_COOLING /* nothing is in flight, and nothing may begin */
} InvHotState;

/* What is counted of a hot item when it is published. */
typedef struct InvCounterValues
{
	int64 available; /* above the floor */
	int64 floor;
	int64 max_stock; /* that the stock column can have */
	int64 limit;
	bool limited;
	bool for_sale;
	bool stale;		 /* limit and for_sale are to be read again */
	uint32 readings; /* how often they became stale */
	int64 settled;	 /* epochs up to this one are in the stock column */
	int64 epoch;	 /* that movements from now on belong to */
	TimestampTz next_expiry;
} InvCounterValues;

typedef struct InvHotEntry
{
	slock_t mutex;
	InvHotState state;
	uint32 generation; /* another one whenever the entry is freed */
	InvHotKey key;
	int64 number; /* of its row in "hot" */
	int next;	  /* in its bucket, or of the free ones; under the directory's lock */

	InvCounterValues now;
	int64 held;		   /* units taken by transactions in flight */
	int64 giving;	   /* units given by transactions in flight */
	int references[2]; /* records of the two open epochs, by their lowest bit */
	bool touched;	   /* the current epoch has movements */
	int cooler;		   /* the process that is cooling it, or -1 */
	uint64 changes;	   /* of anything */
	TimestampTz last_used;
	ConditionVariable changed;
} InvHotEntry;

/* What sessions share of a store. */
typedef struct InvHotStore
{
	Oid database; /* InvalidOid: free */
	Oid items;
	pg_atomic_uint32 cold; /* 1: its rows were read, and none is hot */
	bool loaded;		   /* the rows of "hot" have entries */
	bool was_hot;		   /* since the server started, something was hot */
	uint32 changes;		   /* of what is hot, as committed */
	int entries;
	int left_out; /* hot items for which there was no room */
} InvHotStore;

/* A session's handle of an entry, good as long as the generation is. */
typedef struct InvCounterRef
{
	InvHotEntry *entry;
	uint32 generation;
} InvCounterRef;

/* A condition on an entry.  It is called under the spinlock, so it only reads the entry. */
typedef bool (*InvHotEntryTest)(const InvHotEntry *entry, TimestampTz now);

extern Size inv_hot_table_size(void);
extern void inv_hot_table_init(void *memory, int tranche);
extern void inv_hot_table_attach(void *memory);
extern bool inv_hot_table_usable(void);

extern InvHotStore *inv_hot_table_store(Oid items);
extern bool inv_hot_table_has_room(int count);
extern bool inv_hot_table_find(const InvHotKey *key, InvCounterRef *counter);
extern bool inv_hot_table_fill(InvHotStore *hot_store, const InvHotKey *keys, const int64 *numbers,
							   int count, uint32 changes);
extern void inv_hot_table_changed(InvHotStore *hot_store);
extern void inv_hot_table_free(const InvCounterRef *counter);
extern int64 *inv_hot_table_numbers(Oid items, InvHotEntryTest wanted, TimestampTz now, int *count);
extern int inv_hot_table_capacity(void);
extern InvHotEntry *inv_hot_table_entry(int slot);

/* the processes that have units of an entry in flight, a bit each */
extern int inv_hot_table_words(void);
extern uint64 *inv_hot_table_holders(const InvHotEntry *entry);

#endif /* INV_HOT_TABLE_H */
