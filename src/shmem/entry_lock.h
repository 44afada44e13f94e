/*
 * entry_lock.h
 *		The spinlock of a hot item's entry, for the files of the counter.
 *
 * Nothing waits, allocates or raises an error while it is held.
 */
#ifndef INV_ENTRY_LOCK_H
#define INV_ENTRY_LOCK_H

#include "storage/proclist.h"
#include "storage/spin.h"

#include "base/compat.h"
#include "shmem/hot_table.h"

/*
 * Lock the entry of a handle.  False, and nothing is locked: the entry was freed since
 * the handle was made, and may be another item's by now.
 */
static inline bool
inv_entry_lock(const InvCounterRef *counter)
{
	SpinLockAcquire(&counter->entry->mutex);
	if (counter->entry->generation == counter->generation)
	{
		Assert(counter->entry->state != INV_HOT_STATE_COLD);
		return true;
	}
	SpinLockRelease(&counter->entry->mutex);
	return false;
}

/* Lock an entry that this transaction has a reference to, which keeps it from being freed. */
static inline void
inv_entry_lock_referenced(const InvCounterRef *counter)
{
	SpinLockAcquire(&counter->entry->mutex);
	Assert(counter->entry->generation == counter->generation); /* I6 */
}

static inline void
inv_entry_unlock(const InvCounterRef *counter)
{
	SpinLockRelease(&counter->entry->mutex);
}

/* Unlock after a change, which a session notices that compares "changes" with an earlier look. */
static inline void
inv_entry_unlock_changed(const InvCounterRef *counter)
{
	counter->entry->changes++;
	SpinLockRelease(&counter->entry->mutex);
}

/* Is the lock held by any process?  For assertions. */
static inline bool
inv_entry_is_locked(const InvHotEntry *entry)
{
	return inv_spinlock_is_held(&((InvHotEntry *) entry)->mutex);
}

/*
 * Wake the sessions that wait for a change of the entry, after it was unlocked.  A
 * session joins the queue before it looks at the entry, so one that is not in the
 * queue now has seen the change.
 */
static inline void
inv_entry_wake(const InvCounterRef *counter)
{
	if (!proclist_is_empty(&counter->entry->cv.wakeup))
		ConditionVariableBroadcast(&counter->entry->cv);
}

#endif /* INV_ENTRY_LOCK_H */
