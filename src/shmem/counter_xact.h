/*
 * counter_xact.h
 *		What this transaction has in flight of hot items.
 */
#ifndef INV_COUNTER_XACT_H
#define INV_COUNTER_XACT_H

#include "shmem/hot_table.h"

/* What this transaction did to an entry, at one level of savepoints, in one epoch. */
typedef struct InvPendingChange
{
	InvCounterRef counter; /* entry null: the change has ended */
	int nesting;
	int64 epoch; /* of its movements, which it keeps open; 0: it has none */
	int64 taken; /* from what others see */
	int64 used;	 /* taken from what this transaction gave */
	int64 given;
	uint64 raised;	/* the floor, at once */
	uint64 lowered; /* the floor, with the commit; modulo 2^64, less than 0 if it is raised again */
	int64 settled;	/* epochs up to this one, if not 0 */
	bool limits_stale; /* limit and for_sale have to be read again */
	bool count_again;  /* the counter has to be counted again, once nothing is in flight */
	bool cooling;
} InvPendingChange;

/* What this transaction has in flight of an entry, at all levels. */
typedef struct InvXactUsage
{
	bool has_reference;
	bool limits_changed;
	int64 taken;
	int64 used;
	int64 given_unused; /* given, and not taken again */
	uint64 raised;		/* the floor */
	uint64 lowered;		/* the floor; never less than 0 */
} InvXactUsage;

extern void inv_counter_xact_init(void);
extern void inv_reserve_pending(void);
extern InvPendingChange *inv_get_pending(const InvCounterRef *counter, int64 epoch);
extern InvXactUsage inv_xact_usage(const InvCounterRef *counter);
extern void inv_counter_untake(const InvCounterRef *counter, int64 quantity);
extern void inv_mark_holder(InvHotEntry *entry, bool holds);

#endif /* INV_COUNTER_XACT_H */
