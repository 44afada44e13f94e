/*
 * stats.h
 *		Counters per store and operation.
 */
#ifndef INV_STATS_H
#define INV_STATS_H

#include "storage/lwlock.h"

typedef enum InvStatsCounter
{
	INV_STATS_CALLS,
	INV_STATS_UNITS,   /* sold, held, given back, put in: what the operation moves */
	INV_STATS_REPLAYS, /* answered from an idempotency key */
	INV_STATS_RETRIES, /* of the optimistic strategy, or after a lost race */
	INV_STATS_WAITS,   /* for a named lock, or for others that use a hot item */
	INV_STATS_REFUSED_STOCK,
	INV_STATS_REFUSED_ITEM,
	INV_STATS_REFUSED_LIMIT,
	INV_STATS_REFUSED_STATE, /* of a reservation, an order or a key */
	INV_STATS_REFUSED_BUSY,
	INV_STATS_COUNT
} InvStatsCounter;

/* The counters of one operation of one store. */
typedef struct InvStatsEntry InvStatsEntry;

#define INV_STATS_OPERATION_LENGTH 32

/* the operation that counts changes of stock that were left out (stock/keep.c) */
#define INV_STATS_DIRECT_IGNORED "direct_ignored"

/* the operation that counts what order lines moved because they are followed */
#define INV_STATS_FOLLOW "follow"

/* A copy of them. */
typedef struct InvStatsRow
{
	Oid items;
	char operation[INV_STATS_OPERATION_LENGTH];
	int64 counters[INV_STATS_COUNT];
} InvStatsRow;

/* shared memory */
extern Size inv_stats_size(void);
extern void inv_stats_init(void *memory);
extern void inv_stats_attach(void *memory, LWLock *lock);

/* the call that runs */
extern void inv_stats_begin(Oid items, const char *operation);
extern void inv_stats_end(InvStatsEntry *outer);
extern InvStatsEntry *inv_stats_current(void);
extern void inv_stats_count(InvStatsCounter counter, int64 by);

/* any operation */
extern void inv_stats_add(Oid items, const char *operation, InvStatsCounter counter, int64 by);

extern bool inv_stats_get(Oid items, const char *operation, InvStatsCounter counter, int64 *value);

/* what the worker saw of a store */
extern void inv_stats_set_overdue(Oid items, int64 lines);
extern bool inv_stats_get_overdue(Oid items, int64 *lines);

extern bool inv_stats_next(int *number, InvStatsRow *row);
extern void inv_stats_reset(void);
extern void inv_stats_free(Oid database, Oid items);

#endif /* INV_STATS_H */
