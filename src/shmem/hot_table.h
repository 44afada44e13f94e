/*
 * hot_table.h
 *		The shared memory of hot items: what lies where in it.
 *
 * The lock of the table guards the directory (hot_directory.c).  The spinlock of an entry
 * guards what is in the entry: counter.c, counter_xact.c and counter_state.c change that,
 * settle.c, cool.c, hot_list.c and hot_view.c only read it.
 */
#ifndef INV_HOT_TABLE_H
#define INV_HOT_TABLE_H

#include "port/atomics.h"
#include "storage/condition_variable.h"
#include "storage/lwlock.h"
#include "storage/spin.h"
#include "utils/timestamp.h"

/* An item among all items of the server.  It is hashed and compared as bytes. */
typedef struct InvHotKey
{
	Oid database;
	Oid items;
	uint64 key[2]; /* the item's key itself, or two hashes of a text, with the table's seeds */
} InvHotKey;

typedef enum InvHotState
{
	INV_HOT_STATE_COLD,		   /* the entry is free */
	INV_HOT_STATE_UNPUBLISHED, /* marked hot, but not counted yet */
	INV_HOT_STATE_HOT,
	INV_HOT_STATE_COOLING /* nothing is in flight, and nothing may begin */
} InvHotState;

/* What is counted of a hot item when it is published, and changes from then on. */
typedef struct InvCounterValues
{
	int64 stock;	 /* on hand, without what is taken by transactions in flight */
	int64 floor;	 /* of sales, with what transactions in flight have raised it by */
	int64 max_stock; /* that the stock column can have */
	int64 limit;
	bool limited;
	bool for_sale;
	bool limits_stale;	   /* limit and for_sale are to be read again */
	uint32 limits_version; /* how often they became stale */
	int64 settled;		   /* epochs up to this one are in the stock column */
	int64 epoch;		   /* of movements from now on */
	TimestampTz next_expiry;
	uint64 table_version; /* of the items table that it was counted with */
} InvCounterValues;

/* the number of no process */
#define INV_NO_PROCESS (-1)

typedef struct InvHotEntry
{
	slock_t mutex;
	InvHotState state; /* from and to COLD under the table's lock too */
	uint32 generation; /* goes up when the entry is freed, or has to be counted again */
	InvHotKey key;
	int64 number; /* of the item's row in "hot" */
	int next;	  /* in its bucket, or of the free ones; under the table's lock */

	InvCounterValues values;
	int64 held;			/* units taken by transactions in flight */
	int64 incoming;		/* units given by transactions in flight */
	uint64 raised;		/* what transactions in flight have raised the floor by */
	int references[2];	/* pending changes in each of the two open epochs, by their lowest bit */
	bool has_movements; /* the current epoch */
	int cooler;			/* the process that is cooling it, or INV_NO_PROCESS */
	uint64 changes;		/* of anything */
	/* by base/clock.h */
	int64 last_used;
	int64 retry_at; /* its stock column could not be written: the worker tries again then; or 0 */
	ConditionVariable cv; /* of sessions that wait for a change */
} InvHotEntry;

/* What sessions share of a store.  Written under the table's lock, read without it too. */
typedef struct InvHotStore
{
	Oid database; /* InvalidOid: free */
	Oid items;
	pg_atomic_uint32 cold; /* 1: its rows were read, and none is hot */
	bool loaded;		   /* the rows of "hot" have entries, as far as there is room */
	bool was_hot;		   /* since the server started, something was hot */
	uint32 changes;		   /* of what is hot, as committed */
	int entries;
	int left_out; /* hot items for which there was no room */
} InvHotStore;

/* how many stores of the server may have hot items */
#define INV_HOT_STORES 1024

/* the end of a list of slots */
#define INV_NO_SLOT (-1)

typedef struct InvHotTable
{
	LWLock lock;
	int capacity;				  /* how many entries there are */
	int holder_words;			  /* of a bitmap of processes */
	int first_free;				  /* slot of an entry */
	int free_count;				  /* entries that are free, */
	int reserved;				  /* and how many of them are for items that are being heated */
	pg_atomic_uint64 places_made; /* how often a store got a place, from 1 on */
	uint64 seeds[2];			  /* of the hashes of texts */
	InvHotStore stores[INV_HOT_STORES];
} InvHotTable;

extern InvHotTable *inv_hot_table; /* null: there is no shared memory */

/* A session's handle of an entry, good as long as the generation is the same. */
typedef struct InvCounterRef
{
	InvHotEntry *entry;
	uint32 generation;
	uint64 table_version; /* of the items table, as the session knows it */
} InvCounterRef;

/* Does any transaction have a pending change with an epoch?  Under the spinlock. */
static inline bool
inv_entry_has_references(const InvHotEntry *entry)
{
	return entry->references[0] != 0 || entry->references[1] != 0;
}

extern Size inv_hot_table_size(void);
extern void inv_hot_table_init(void *memory, int tranche);
extern void inv_hot_table_attach(void *memory);
extern bool inv_hot_table_usable(void);

extern int inv_hot_table_capacity(void);
extern int *inv_hot_table_buckets(void);
extern InvHotEntry *inv_hot_table_entry(int slot);
extern int inv_hot_table_slot(const InvHotEntry *entry);

/* the processes that have units of an entry in flight, a bit each; under its spinlock */
extern int inv_hot_table_words(void);
extern uint64 *inv_hot_table_holders(const InvHotEntry *entry);

/* Is it the entry of an item of this store? */
static inline bool
inv_hot_entry_is_of(const InvHotEntry *entry, Oid database, Oid items)
{
	return entry->state != INV_HOT_STATE_COLD && entry->key.database == database &&
		   entry->key.items == items;
}

/* why the stock column of an entry's item could not be written, if it has a retry_at */
#define INV_HOT_PROBLEM_SIZE 192
extern char *inv_hot_table_problem(const InvHotEntry *entry);

#endif /* INV_HOT_TABLE_H */
