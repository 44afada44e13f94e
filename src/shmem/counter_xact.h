/*
 * counter_xact.h
 *		What this transaction has in flight of hot items, and their locks.
 */
#ifndef INV_COUNTER_XACT_H
#define INV_COUNTER_XACT_H

#include "storage/proclist.h"

#include "shmem/hot_table.h"

/* What this transaction did to an entry, at one level, in one epoch. */
typedef struct InvPendingChange
{
	InvHotEntry *entry;
	uint32 generation;
	int nesting;
	int64 epoch; /* 0: it has no movements */
	int64 taken; /* from what others see */
	int64 used;	 /* taken from what this transaction gave */
	int64 given;
	int64 floor;   /* by how much it changes */
	int64 settled; /* epochs up to this one, if not 0 */
	bool stale;	   /* limit or sellable change */
	bool cooling;
} InvPendingChange;

/* What this transaction has in flight of an entry. */
typedef struct InvXactUsage
{
	bool any; /* a reference */
	int64 taken;
	int64 given; /* and not used */
} InvXactUsage;

extern void inv_counter_xact_init(void);
extern void inv_reserve_pending(void);
extern InvPendingChange *inv_pending_change(const InvCounterRef *counter, int64 epoch);
extern InvXactUsage inv_xact_usage(const InvCounterRef *counter);
extern void inv_counter_untake(const InvCounterRef *counter, int64 quantity);
extern void inv_mark_holder(InvHotEntry *entry, bool holds);

/* Lock the entry of a handle; false, and nothing is locked, if it is not that any more. */
static inline bool
inv_entry_lock(const InvCounterRef *counter)
{
	SpinLockAcquire(&counter->entry->mutex);
	if (counter->entry->generation == counter->generation &&
		counter->entry->state != INV_HOT_STATE_COLD)
		return true;
	SpinLockRelease(&counter->entry->mutex);
	return false;
}

static inline void
inv_entry_unlock(const InvCounterRef *counter)
{
	SpinLockRelease(&counter->entry->mutex);
}

/* Unlock after a change. */
static inline void
inv_entry_unlock_changed(InvHotEntry *entry)
{
	entry->changes++;
	SpinLockRelease(&entry->mutex);
}

/*
 * Who waits has joined the queue before looking at the entry: whoever is not in
 * it after the entry was unlocked has seen the change.
 */
static inline void
inv_entry_wake(InvHotEntry *entry)
{
	if (!proclist_is_empty(&entry->changed.wakeup))
		ConditionVariableBroadcast(&entry->changed);
}

#endif /* INV_COUNTER_XACT_H */
