/*
 * counter_state.c
 *		How the counter of a hot item is published, settled and cooled.
 *
 * These are the transitions of the entry.  hot_publish.c, settle.c and cool.c do what
 * the tables need for them, under the lock of the item's row.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "utils/timestamp.h"

#include "base/clock.h"
#include "base/compat.h"
#include "shmem/counter.h"
#include "shmem/counter_state.h"
#include "shmem/counter_xact.h"
#include "shmem/entry_lock.h"
#include "shmem/hot_table.h"

/*
 * From now on the counter sells; false if it was freed or is being cooled.  The caller
 * has the item's row locked and has counted under that lock what others have committed,
 * and nothing of its own (I4).  "unsettled": there are movements that are not in the
 * stock column.
 */
bool
inv_counter_publish(const InvCounterRef *counter, const InvCounterValues *counted, bool unsettled)
{
	InvHotEntry *entry = counter->entry;
	int64 now = inv_clock_now();
	bool published;

	Assert(counted->epoch > counted->settled); /* I6 */
	if (!inv_entry_lock(counter))
		return false;
	if (entry->state == INV_HOT_STATE_UNPUBLISHED)
	{
		Assert(entry->held == 0 && entry->incoming == 0 && entry->raised == 0 &&
			   !inv_entry_has_references(entry)); /* I9 */
		entry->values = *counted;
		entry->values.table_version = counter->table_version;
		entry->has_movements = unsettled;
		entry->last_used = now;
		entry->retry_at = 0;
		entry->state = INV_HOT_STATE_HOT;
	}
	published = entry->state == INV_HOT_STATE_HOT;
	inv_entry_unlock_changed(counter);
	inv_entry_wake(counter);
	return published;
}

/*
 * The counter has to be counted again, because it was counted with another version of the
 * table.  False: something is in flight, or the item is being cooled.  All handles of the
 * entry become invalid.
 */
bool
inv_counter_unpublish(const InvCounterRef *counter)
{
	InvHotEntry *entry = counter->entry;
	bool unpublished;

	if (!inv_entry_lock(counter))
		return true;
	unpublished = entry->state == INV_HOT_STATE_HOT && !inv_entry_has_references(entry);
	if (unpublished)
	{
		Assert(entry->held == 0 && entry->incoming == 0 && entry->raised == 0); /* I5 */
		entry->state = INV_HOT_STATE_UNPUBLISHED;
		entry->generation++;
		entry->cooler = INV_NO_PROCESS;
	}
	inv_entry_unlock_changed(counter);
	inv_entry_wake(counter);
	return unpublished;
}

/* ---- settling ---- */

/*
 * Up to which epoch can movements be settled now, because no pending change refers to
 * it (I6)?  A new epoch begins, so that the movements so far can be settled too, unless
 * there are none, or the epoch before the current one has references.  False: there is
 * nothing to settle.
 */
bool
inv_counter_close_epoch(const InvCounterRef *counter, int64 *upto_epoch)
{
	InvHotEntry *entry = counter->entry;

	if (!inv_entry_lock(counter))
		return false;
	*upto_epoch = 0;
	if (entry->state == INV_HOT_STATE_HOT)
	{
		bool older_idle = entry->references[(entry->values.epoch - 1) & 1] == 0;

		if (older_idle && entry->has_movements)
		{
			entry->values.epoch++;
			entry->has_movements = false;
			older_idle = entry->references[(entry->values.epoch - 1) & 1] == 0;
		}
		*upto_epoch = older_idle ? entry->values.epoch - 1 : entry->values.epoch - 2;
	}
	if (*upto_epoch <= entry->values.settled)
		*upto_epoch = 0;
	inv_entry_unlock(counter);
	return *upto_epoch > 0;
}

/*
 * This transaction puts the movements of the epochs up to this one into the stock column.
 * The caller has the item's row locked.
 */
void
inv_counter_settled(const InvCounterRef *counter, int64 upto_epoch)
{
	Assert(upto_epoch > 0);
	inv_reserve_pending();
	if (!inv_entry_lock(counter))
		return;
	inv_get_pending(counter, 0)->settled = upto_epoch;
	inv_entry_unlock(counter);
}

/* ---- cooling ---- */

/* Is it this transaction that cools the item, and has nothing begun since? */
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

/*
 * Become the cooler, so that no other transaction begins anything; and cool, if nothing
 * is in flight.
 */
static InvCounterResult
begin_cooling(const InvCounterRef *counter, int64 *settled)
{
	InvHotEntry *entry = counter->entry;
	InvCounterResult result = INV_COUNTER_WAIT;

	if (!inv_entry_lock(counter))
		return INV_COUNTER_NOT_HOT;
	if (entry->state != INV_HOT_STATE_HOT)
	{
		inv_entry_unlock(counter);
		return INV_COUNTER_NOT_HOT;
	}
	inv_get_pending(counter, 0)->cooling = true;
	entry->cooler = inv_process_number();
	if (!inv_entry_has_references(entry))
	{
		Assert(entry->held == 0 && entry->incoming == 0 && entry->raised == 0); /* I5 */
		entry->state = INV_HOT_STATE_COOLING;
		*settled = entry->values.epoch;
		result = INV_COUNTER_DONE;
	}
	inv_entry_unlock_changed(counter);
	return result;
}

/* The item stays hot: what is in flight did not end in time. */
static void
give_up_cooling(const InvCounterRef *counter)
{
	if (inv_entry_lock(counter))
	{
		inv_get_pending(counter, 0)->cooling = false;
		if (counter->entry->cooler == inv_process_number())
			counter->entry->cooler = INV_NO_PROCESS;
		inv_entry_unlock_changed(counter);
	}
	inv_entry_wake(counter);
}

/*
 * Cool: let what is in flight end, and nothing new begin.  The caller has the item's row
 * locked.  DONE: the item is this transaction's until its end, and all epochs up to
 * "settled" are closed.  WAIT: the others did not end in time.
 */
InvCounterResult
inv_counter_cool(const InvCounterRef *counter, int64 deadline, int64 *settled)
{
	static uint32 wait_event = 0;
	ConditionVariable *cv = &counter->entry->cv;
	InvCounterResult result;

	if (inv_xact_usage(counter).has_reference)
		return INV_COUNTER_OWN;
	inv_reserve_pending();
	ConditionVariablePrepareToSleep(cv);
	while ((result = begin_cooling(counter, settled)) == INV_COUNTER_WAIT)
	{
		long left = inv_clock_until(deadline);

		if (left <= 0)
			break;
		(void) ConditionVariableTimedSleep(cv, left,
										   inv_wait_event(&wait_event, "InventoryCooling"));
	}
	ConditionVariableCancelSleep();
	if (result == INV_COUNTER_WAIT)
		give_up_cooling(counter);
	return result;
}

/* ---- problems ---- */

/*
 * Note why the stock column of the item could not be written, for a while; null: it could.
 * The text may be cut off.
 */
void
inv_counter_note_problem(const InvCounterRef *counter, const char *problem, int64 retry_at)
{
	char text[INV_HOT_PROBLEM_SIZE] = { 0 };

	Assert(problem == NULL || retry_at > 0);
	if (problem)
		memcpy(text, problem, pg_mbcliplen(problem, strlen(problem), INV_HOT_PROBLEM_SIZE - 1));
	if (!inv_entry_lock(counter))
		return;
	counter->entry->retry_at = problem ? retry_at : 0;
	memcpy(inv_hot_table_problem(counter->entry), text, INV_HOT_PROBLEM_SIZE);
	inv_entry_unlock(counter);
}

/* Is there a problem that was noted? */
bool
inv_counter_has_problem(const InvCounterRef *counter)
{
	bool problem;

	if (!inv_entry_lock(counter))
		return false;
	problem = counter->entry->retry_at != 0;
	inv_entry_unlock(counter);
	return problem;
}
