/*
 * counter_state.c
 *		How an entry becomes hot, has its epochs closed, and cools.
 *
 * The transitions of the counter itself; what the tables need for them is in hot_item.c
 * and heat.c, which have the item's row locked.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "pgstat.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "shmem/counter.h"
#include "shmem/counter_state.h"
#include "shmem/counter_xact.h"
#include "shmem/hot_table.h"

/*
 * From now on the counter sells.  The caller has the item's row locked and has
 * counted under that lock, all of it committed by others; unsettled: there are
 * movements that are not in the stock column.
 */
bool
inv_counter_publish(const InvCounterRef *counter, const InvCounterValues *counted, bool unsettled)
{
	InvHotEntry *entry = counter->entry;
	bool published;

	if (!inv_entry_lock(counter))
		return false;
	if (entry->state == INV_HOT_STATE_UNPUBLISHED)
	{
		entry->now = *counted;
		entry->touched = unsettled;
		entry->last_used = GetCurrentTimestamp();
		entry->state = INV_HOT_STATE_HOT;
	}
	published = entry->state == INV_HOT_STATE_HOT;
	inv_entry_unlock_changed(entry);
	inv_entry_wake(entry);
	return published;
}

/*
 * Which epochs can be settled now: up to which nobody has a record.  A new epoch
 * begins, so that the movements so far can be settled too, unless there are none,
 * or records of the epoch before the current one.  False: there is nothing to do.
 */
bool
inv_counter_close_epoch(const InvCounterRef *counter, int64 *upto_epoch)
{
	InvHotEntry *entry = counter->entry;
	bool older_idle;

	if (!inv_entry_lock(counter))
		return false;
	*upto_epoch = 0;
	if (entry->state == INV_HOT_STATE_HOT)
	{
		older_idle = entry->references[(entry->now.epoch - 1) & 1] == 0;
		if (older_idle && entry->touched)
		{
			entry->now.epoch++;
			entry->touched = false;
			older_idle = entry->references[(entry->now.epoch - 1) & 1] == 0;
		}
		*upto_epoch = older_idle ? entry->now.epoch - 1 : entry->now.epoch - 2;
	}
	if (*upto_epoch <= entry->now.settled)
		*upto_epoch = 0;
	inv_entry_unlock(counter);
	return *upto_epoch > 0;
}

/* This transaction has put the movements of epochs up to this one into the stock column. */
void
inv_counter_settled(const InvCounterRef *counter, int64 upto_epoch)
{
	inv_reserve_pending();
	if (!inv_entry_lock(counter))
		return;
	inv_pending_change(counter, 0)->settled = upto_epoch;
	inv_entry_unlock(counter);
}

/* This transaction is cooling the item, and nobody else is at it. */
bool
inv_counter_is_cooling(const InvCounterRef *counter)
{
	bool cooling;

	if (!inv_entry_lock(counter))
		return false;
	cooling = counter->entry->state == INV_HOT_STATE_COOLING &&
			  counter->entry->cooler == inv_process_number();
	inv_entry_unlock(counter);
	return cooling;
}

/* One look: may it be cooled?  Until then, nothing new begins. */
static InvCounterResult
begin_cooling(const InvCounterRef *counter, int64 *settled)
{
	InvHotEntry *entry = counter->entry;
	InvCounterResult result = INV_COUNTER_GONE;

	if (!inv_entry_lock(counter))
		return INV_COUNTER_GONE;
	if (entry->state == INV_HOT_STATE_HOT)
	{
		result = INV_COUNTER_WAIT;
		inv_pending_change(counter, 0)->cooling = true;
		entry->cooler = inv_process_number();
		if (entry->references[0] == 0 && entry->references[1] == 0)
		{
			entry->state = INV_HOT_STATE_COOLING;
			*settled = entry->now.epoch;
			result = INV_COUNTER_DONE;
		}
	}
	inv_entry_unlock_changed(entry);
	return result;
}

/* It was not cooled after all. */
static void
give_up_cooling(const InvCounterRef *counter)
{
	if (inv_entry_lock(counter))
	{
		inv_pending_change(counter, 0)->cooling = false;
		counter->entry->cooler = -1;
		inv_entry_unlock_changed(counter->entry);
	}
	inv_entry_wake(counter->entry);
}

/*
 * Cool: let what is in flight end, and nothing begin.  The caller has the item's
 * row locked.  On DONE the item is this transaction's until its end, and all epochs
 * up to "settled" are closed; WAIT: the others did not end in time.
 */
InvCounterResult
inv_counter_cool(const InvCounterRef *counter, TimestampTz deadline, int64 *settled)
{
	ConditionVariable *changed = &counter->entry->changed;
	InvCounterResult result;

	if (inv_xact_usage(counter).any)
		return INV_COUNTER_OWN;
	inv_reserve_pending();
	ConditionVariablePrepareToSleep(changed);
	while ((result = begin_cooling(counter, settled)) == INV_COUNTER_WAIT)
	{
		long left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), deadline);

		if (left <= 0)
			break;
		(void) ConditionVariableTimedSleep(changed, left, PG_WAIT_EXTENSION);
	}
	ConditionVariableCancelSleep();
	if (result == INV_COUNTER_WAIT)
		give_up_cooling(counter);
	return result;
}
