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
inv_escrow_publish(const InvEscrow *escrow, const InvCounted *counted, bool unsettled)
{
	InvHotEntry *entry = escrow->entry;
	bool published;

	if (!inv_entry_lock(escrow))
		return false;
	if (entry->state == INV_UNPUBLISHED)
	{
		entry->now = *counted;
		entry->touched = unsettled;
		entry->last_used = GetCurrentTimestamp();
		entry->state = INV_HOT;
	}
	published = entry->state == INV_HOT;
	inv_entry_changed(entry);
	inv_entry_wake(entry);
	return published;
}

/*
 * Which epochs can be settled now: up to which nobody has a record.  A new epoch
 * begins, so that the movements so far can be settled too, unless there are none,
 * or records of the epoch before the current one.  False: there is nothing to do.
 */
bool
inv_escrow_close_epoch(const InvEscrow *escrow, int64 *through)
{
	InvHotEntry *entry = escrow->entry;
	bool older_idle;

	if (!inv_entry_lock(escrow))
		return false;
	*through = 0;
	if (entry->state == INV_HOT)
	{
		older_idle = entry->references[(entry->now.epoch - 1) & 1] == 0;
		if (older_idle && entry->touched)
		{
			entry->now.epoch++;
			entry->touched = false;
			older_idle = entry->references[(entry->now.epoch - 1) & 1] == 0;
		}
		*through = older_idle ? entry->now.epoch - 1 : entry->now.epoch - 2;
	}
	if (*through <= entry->now.settled)
		*through = 0;
	inv_entry_unlock(escrow);
	return *through > 0;
}

/* This transaction has put the movements of epochs up to this one into the stock column. */
void
inv_escrow_settled(const InvEscrow *escrow, int64 through)
{
	inv_record_room();
	if (!inv_entry_lock(escrow))
		return;
	inv_record(escrow, 0)->settled = through;
	inv_entry_unlock(escrow);
}

/* This transaction is cooling the item, and nobody else is at it. */
bool
inv_escrow_is_cooling(const InvEscrow *escrow)
{
	bool cooling;

	if (!inv_entry_lock(escrow))
		return false;
	cooling = escrow->entry->state == INV_COOLING && escrow->entry->cooler == inv_process_number();
	inv_entry_unlock(escrow);
	return cooling;
}

/* One look: may it be cooled?  Until then, nothing new begins. */
static InvEscrowResult
begin_cooling(const InvEscrow *escrow, int64 *settled)
{
	InvHotEntry *entry = escrow->entry;
	InvEscrowResult result = INV_ESCROW_GONE;

	if (!inv_entry_lock(escrow))
		return INV_ESCROW_GONE;
	if (entry->state == INV_HOT)
	{
		result = INV_ESCROW_WAIT;
		inv_record(escrow, 0)->cooling = true;
		entry->cooler = inv_process_number();
		if (entry->references[0] == 0 && entry->references[1] == 0)
		{
			entry->state = INV_COOLING;
			*settled = entry->now.epoch;
			result = INV_ESCROW_DONE;
		}
	}
	inv_entry_changed(entry);
	return result;
}

/* It was not cooled after all. */
static void
give_up_cooling(const InvEscrow *escrow)
{
	if (inv_entry_lock(escrow))
	{
		inv_record(escrow, 0)->cooling = false;
		escrow->entry->cooler = -1;
		inv_entry_changed(escrow->entry);
	}
	inv_entry_wake(escrow->entry);
}

/*
 * Cool: let what is in flight end, and nothing begin.  The caller has the item's
 * row locked.  On DONE the item is this transaction's until its end, and all epochs
 * up to "settled" are closed; WAIT: the others did not end in time.
 */
InvEscrowResult
inv_escrow_cool(const InvEscrow *escrow, TimestampTz deadline, int64 *settled)
{
	ConditionVariable *changed = &escrow->entry->changed;
	InvEscrowResult result;

	if (inv_own(escrow).any)
		return INV_ESCROW_OWN;
	inv_record_room();
	ConditionVariablePrepareToSleep(changed);
	while ((result = begin_cooling(escrow, settled)) == INV_ESCROW_WAIT)
	{
		long left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), deadline);

		if (left <= 0)
			break;
		(void) ConditionVariableTimedSleep(changed, left, PG_WAIT_EXTENSION);
	}
	ConditionVariableCancelSleep();
	if (result == INV_ESCROW_WAIT)
		give_up_cooling(escrow);
	return result;
}
