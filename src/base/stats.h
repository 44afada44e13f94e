/*
 * stats.h
 *		Counters per store and operation.
 */
#ifndef INV_STATS_H
#define INV_STATS_H

#include "storage/lwlock.h"

typedef enum InvCounter
{
	INV_CALLS,
	INV_UNITS,	 /* sold, held, given back, put in: what the operation moves */
	INV_REPLAYS, /* answered from an idempotency key */
	INV_RETRIES, /* of the optimistic strategy, or after a lost race */
	INV_WAITS,	 /* for a key or a limit that another call held */
	INV_REFUSED_STOCK,
	INV_REFUSED_ITEM,
	INV_REFUSED_LIMIT,
	INV_REFUSED_STATE, /* of a reservation, an order or a key */
	INV_REFUSED_BUSY,
	INV_COUNTERS
} InvCounter;

extern Size inv_stats_size(void);
extern void inv_stats_attach(LWLock *lock);

extern void inv_stats_begin(Oid items, const char *operation);
extern void inv_stats_end(void *outer);
extern void inv_stats_end_of_transaction(void);
extern void *inv_stats_current(void);
extern void inv_stats_count(InvCounter counter, int64 by);
extern void inv_stats_add(Oid items, const char *operation, InvCounter counter, int64 by);

#endif /* INV_STATS_H */
