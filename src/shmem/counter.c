/*
 * counter.c
 *		The counter of a hot item: take, give, wait.
 *
 * A hot item's row is not written by its buyers.  What can be sold of it is one
 * number in shared memory; a movement that carries an epoch, appended by the same
 * transaction, is the durable truth, and what a crash leaves is counted again
 * from those.
 *
 * What is taken leaves the number at once, and comes back if the transaction or
 * savepoint is rolled back.  What is given comes only when its transaction is
 * committed and visible.  So, for every snapshot and every prefix of the WAL:
 *
 * Invariant: available <= stock + unsettled movements - floor
 *			  - what is taken by transactions that may still commit.
 *
 * counter_xact.c remembers what is in flight, and ends it.  Under a spinlock there is
 * nothing that waits or fails.
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/int.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "storage/proc.h"

#include "base/compat.h"
#include "shmem/counter.h"
#include "shmem/counter_xact.h"
#include "shmem/hot_table.h"

/* ---- reading ---- */

/* The state of an entry, and its numbers; INV_HOT_STATE_COLD if it is gone. */
InvHotState
inv_counter_look(const InvCounterRef *counter, InvCounterValues *now)
{
	InvHotState state;

	if (!inv_entry_lock(counter))
		return INV_HOT_STATE_COLD;
	state = counter->entry->state;
	*now = counter->entry->now;
	inv_entry_unlock(counter);
	return state;
}

/* Limit and for_sale were read, after they became stale so often. */
void
inv_counter_refresh(const InvCounterRef *counter, const InvCounterValues *read)
{
	InvHotEntry *entry = counter->entry;

	if (!inv_entry_lock(counter))
		return;
	if (entry->now.readings == read->readings)
	{
		entry->now.limited = read->limited;
		entry->now.limit = read->limit;
		entry->now.for_sale = read->for_sale;
		entry->now.stale = false;
	}
	inv_entry_unlock(counter);
}

/* Is it published with nothing in flight?  If so also later, changes tells whether ever since. */
bool
inv_counter_at_rest(const InvCounterRef *counter, uint64 *changes)
{
	InvHotEntry *entry = counter->entry;
	bool rest;

	if (!inv_entry_lock(counter))
		return false;
	rest =
		entry->state == INV_HOT_STATE_HOT && entry->references[0] == 0 && entry->references[1] == 0;
	*changes = entry->changes;
	inv_entry_unlock(counter);
	return rest;
}

/* Has this transaction something in flight here? */
bool
inv_counter_is_own(const InvCounterRef *counter)
{
	return inv_xact_usage(counter).any;
}

/* ---- taking and giving ---- */

/*
 * May this transaction begin something here?  While the item is being cooled only
 * who is in the middle of something goes on.  Under the spinlock.
 */
static InvCounterResult
admit(const InvHotEntry *entry, const InvXactUsage *usage)
{
	bool by_others = entry->cooler >= 0 && entry->cooler != inv_process_number();

	if (entry->state == INV_HOT_STATE_COOLING)
		return by_others ? INV_COUNTER_WAIT : INV_COUNTER_GONE;
	if (entry->state != INV_HOT_STATE_HOT)
		return INV_COUNTER_GONE;
	return by_others && !usage->any ? INV_COUNTER_WAIT : INV_COUNTER_DONE;
}

static bool
leaves_enough(int64 there, const InvCounterTake *take)
{
	int64 left;

	return !pg_sub_s64_overflow(there, take->quantity, &left) && left >= take->lowest;
}

/* What would become of a take.  Under the spinlock. */
static InvCounterResult
judge_counter_take(const InvHotEntry *entry, const InvXactUsage *usage, InvCounterTake *take)
{
	InvCounterResult result = admit(entry, usage);

	take->left = entry->now.available + usage->given;
	if (result != INV_COUNTER_DONE || leaves_enough(take->left, take))
		return result;
	return leaves_enough(take->left + entry->held - usage->taken, take) ? INV_COUNTER_WAIT
																		: INV_COUNTER_SHORT;
}

/* Would a take succeed, now or when others end?  It costs no transaction id to ask. */
InvCounterResult
inv_counter_peek(const InvCounterRef *counter, InvCounterTake *take)
{
	InvXactUsage usage = inv_xact_usage(counter);
	InvCounterResult result;

	if (!inv_entry_lock(counter))
		return INV_COUNTER_GONE;
	result = judge_counter_take(counter->entry, &usage, take);
	inv_entry_unlock(counter);
	return result;
}

/*
 * Take units, those that this transaction gave first.  On anything but DONE nothing
 * has changed.  The transaction has an id already, that others can wait for.
 */
InvCounterResult
inv_counter_take(const InvCounterRef *counter, InvCounterTake *take, TimestampTz now)
{
	InvHotEntry *entry = counter->entry;
	InvXactUsage usage = inv_xact_usage(counter);
	InvCounterResult result;

	Assert(TransactionIdIsValid(GetTopTransactionIdIfAny()));
	inv_reserve_pending();
	if (!inv_entry_lock(counter))
		return INV_COUNTER_GONE;
	result = judge_counter_take(entry, &usage, take);
	if (result == INV_COUNTER_DONE)
	{
		InvPendingChange *pending = inv_pending_change(counter, entry->now.epoch);
		int64 used = Max(0, Min(usage.given, take->quantity));

		pending->used += used;
		pending->taken += take->quantity - used;
		entry->now.available -= take->quantity - used;
		entry->held += take->quantity - used;
		if (take->quantity > used)
			inv_mark_holder(entry, true);
		take->epoch = pending->epoch;
		take->left -= take->quantity;
		entry->touched = true;
		entry->last_used = now;
		inv_entry_unlock_changed(entry);
		return result;
	}
	inv_entry_unlock(counter);
	return result;
}

/* Would the stock column overflow, whatever of what is in flight commits? */
static bool
would_overflow(const InvHotEntry *entry, int64 quantity)
{
	int64 total;

	return pg_add_s64_overflow(entry->now.available + entry->held + entry->giving, quantity,
							   &total) ||
		   pg_add_s64_overflow(total, entry->now.floor, &total) || total > entry->now.max_stock;
}

/* Give units, which others see when this transaction is committed. */
InvCounterResult
inv_counter_give(const InvCounterRef *counter, int64 quantity, int64 *epoch, TimestampTz now)
{
	InvHotEntry *entry = counter->entry;
	InvXactUsage usage = inv_xact_usage(counter);
	InvCounterResult result;

	Assert(TransactionIdIsValid(GetTopTransactionIdIfAny()));
	inv_reserve_pending();
	if (!inv_entry_lock(counter))
		return INV_COUNTER_GONE;
	result = admit(entry, &usage);
	if (result == INV_COUNTER_DONE && would_overflow(entry, quantity))
		result = INV_COUNTER_OVERFLOW;
	if (result == INV_COUNTER_DONE)
	{
		InvPendingChange *pending = inv_pending_change(counter, entry->now.epoch);

		pending->given += quantity;
		entry->giving += quantity;
		*epoch = pending->epoch;
		entry->touched = true;
		entry->last_used = now;
		inv_entry_unlock_changed(entry);
		return result;
	}
	inv_entry_unlock(counter);
	return result;
}

/*
 * What is above the floor changes, and nobody is asked: the floor does, or a
 * subscriber applies what was decided elsewhere.
 */
InvCounterResult
inv_counter_force(const InvCounterRef *counter, int64 change, int64 floor_change)
{
	InvHotEntry *entry = counter->entry;
	InvPendingChange *pending;

	inv_reserve_pending();
	if (!inv_entry_lock(counter))
		return INV_COUNTER_GONE;
	if (entry->state != INV_HOT_STATE_HOT)
	{
		inv_entry_unlock(counter);
		return INV_COUNTER_GONE;
	}
	pending = inv_pending_change(counter, entry->now.epoch);
	pending->floor += floor_change;
	if (change < 0)
	{
		pending->taken -= change;
		entry->now.available += change;
		entry->held -= change;
		inv_mark_holder(entry, true);
	}
	else
	{
		pending->given += change;
		entry->giving += change;
	}
	inv_entry_unlock_changed(entry);
	return INV_COUNTER_DONE;
}

/* This transaction changes what limits a sale. */
void
inv_counter_will_be_stale(const InvCounterRef *counter)
{
	inv_reserve_pending();
	if (!inv_entry_lock(counter))
		return;
	inv_pending_change(counter, 0)->stale = true;
	inv_entry_unlock(counter);
}

/* ---- holds that expire ---- */

/* Units are held, until then. */
void
inv_counter_expires(const InvCounterRef *counter, TimestampTz when)
{
	if (!inv_entry_lock(counter))
		return;
	counter->entry->now.next_expiry = Min(counter->entry->now.next_expiry, when);
	inv_entry_unlock_changed(counter->entry);
}

/* No hold expires before "next", unless something has changed. */
void
inv_counter_expired(const InvCounterRef *counter, TimestampTz next, uint64 changes)
{
	if (!inv_entry_lock(counter))
		return;
	if (counter->entry->changes == changes)
		counter->entry->now.next_expiry = next;
	inv_entry_unlock(counter);
}

/* ---- waiting ---- */

/*
 * The transaction of somebody whom a take has to wait for, the next process after
 * "last"; invalid if there is none.
 */
static TransactionId
next_holder(const InvCounterRef *counter, int *last)
{
	const uint64 *holders = inv_hot_table_holders(counter->entry);
	int processes = inv_hot_table_words() * 64;
	int found = -1;

	if (!inv_entry_lock(counter))
		return InvalidTransactionId;
	for (int i = 1; i <= processes && found < 0; i++)
	{
		int process = (*last + i) % processes;

		if ((holders[process / 64] & (UINT64CONST(1) << (process % 64))) != 0 &&
			process != inv_process_number())
			found = process;
	}
	if (counter->entry->cooler >= 0 && counter->entry->cooler != inv_process_number())
		found = counter->entry->cooler;
	inv_entry_unlock(counter);
	if (found < 0)
		return InvalidTransactionId;
	*last = found;
	return ProcGlobal->allProcs[found].xid;
}

/*
 * Wait for the end of a transaction as for a row it has locked, so that the deadlock
 * detector knows of it; but not for long, because another may give back what is
 * wanted.
 */
static void
wait_for_transaction(TransactionId xid, long max_wait)
{
	MemoryContext context = CurrentMemoryContext;
	int configured = LockTimeout;
	int shortest = (int) Min(max_wait, 2 * (long) DeadlockTimeout);
	bool shortened = configured == 0 || configured > shortest;

	if (shortened)
		LockTimeout = Max(shortest, 1);
	PG_TRY();
	{
		XactLockTableWait(xid, NULL, NULL, XLTW_None);
	}
	PG_CATCH();
	{
		LockTimeout = configured;
		if (!shortened || geterrcode() != ERRCODE_LOCK_NOT_AVAILABLE)
			PG_RE_THROW();
		MemoryContextSwitchTo(context);
		LockErrorCleanup();
		FlushErrorState();
	}
	PG_END_TRY();
	LockTimeout = configured;
}

/*
 * Wait until a take may be tried again; false if it is too late for that.  First
 * for whatever happens to the entry; then, because the others could be waiting for
 * this transaction, for the end of one of them; and so on.
 */
bool
inv_counter_wait(const InvCounterRef *counter, InvCounterTake *take, TimestampTz deadline)
{
	ConditionVariable *changed = &counter->entry->changed;
	int last = inv_process_number();

	ConditionVariablePrepareToSleep(changed);
	while (inv_counter_peek(counter, take) == INV_COUNTER_WAIT)
	{
		long left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), deadline);
		TransactionId xid;

		if (left <= 0)
		{
			ConditionVariableCancelSleep();
			return false;
		}
		if (!ConditionVariableTimedSleep(changed, Min(left, DeadlockTimeout), PG_WAIT_EXTENSION))
			continue;
		ConditionVariableCancelSleep();
		left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), deadline);
		xid = next_holder(counter, &last);
		if (TransactionIdIsValid(xid) && left > 0)
			wait_for_transaction(xid, left);
		ConditionVariablePrepareToSleep(changed);
	}
	ConditionVariableCancelSleep();
	return true;
}
