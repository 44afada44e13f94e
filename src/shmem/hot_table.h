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

typedef enum InvHeat
{
	INV_COLD,		 /* the entry is free */
	INV_UNPUBLISHED, /* marked hot, but nobody has counted it yet */
	INV_HOT,
	INV_COOLING /* nothing is in flight, and nothing may begin */
} InvHeat;

/* What is counted of a hot item when it is published. */
typedef struct InvCounted
{
	int64 available; /* above the floor */
	int64 floor;
	int64 most; /* that the stock column can have */
	int64 limit;
	bool limited;
	bool for_sale;
	bool stale;		 /* limit and for_sale are to be read again */
	uint32 readings; /* how often they became stale */
	int64 settled;	 /* epochs up to this one are in the stock column */
	int64 epoch;	 /* that movements from now on belong to */
	TimestampTz next_expiry;
} InvCounted;

typedef struct InvHotEntry
{
	slock_t mutex;
	InvHeat state;
	uint32 generation; /* another one whenever the entry is freed */
	InvHotKey key;
	int64 number; /* of its row in "hot" */
	int next;	  /* in its bucket, or of the free ones; under the directory's lock */

	InvCounted now;
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
typedef struct InvHeated
{
	Oid database; /* InvalidOid: free */
	Oid items;
	pg_atomic_uint32 cold; /* 1: its rows were read, and none is hot */
	bool loaded;		   /* the rows of "hot" have entries */
	bool ever;			   /* since the server started, something was hot */
	uint32 changes;		   /* of what is hot, as committed */
	int entries;
	int left_out; /* hot items for which there was no room */
} InvHeated;

/* A session's handle of an entry, good as long as the generation is. */
typedef struct InvEscrow
{
	InvHotEntry *entry;
	uint32 generation;
} InvEscrow;

extern Size inv_hotset_size(void);
extern void inv_hotset_init(void *memory, int tranche);
extern void inv_hotset_attach(void *memory);
extern bool inv_hotset_usable(void);

extern InvHeated *inv_hotset_store(Oid items);
extern bool inv_hotset_has_room(int count);
extern bool inv_hotset_find(const InvHotKey *key, InvEscrow *escrow);
extern bool inv_hotset_fill(InvHeated *heated, const InvHotKey *keys, const int64 *numbers,
							int count, uint32 changes);
extern void inv_hotset_changed(InvHeated *heated);
extern void inv_hotset_free(const InvEscrow *escrow);
extern int64 *inv_hotset_numbers(Oid items, bool (*wanted)(const InvHotEntry *), int *count);
extern int inv_hotset_capacity(void);
extern InvHotEntry *inv_hotset_entry(int slot);

/* the processes that have units of an entry in flight, a bit each */
extern int inv_hotset_words(void);
extern uint64 *inv_hotset_holders(const InvHotEntry *entry);

#endif /* INV_HOT_TABLE_H */
