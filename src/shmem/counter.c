/*
 * counter.c
 *		The counter of a hot item: take, give, wait.
 *
 * The buyers of a hot item do not write its row.  What can be sold of it is a number in
 * shared memory.  The durable truth is the movements, which the same transactions append
 * with an epoch; after a crash the number is counted again from them.
 *
 * What is taken leaves the number at once, and comes back if the transaction or the
 * savepoint is rolled back.  What is given is added only when its transaction is
 * committed and visible.  So, for every snapshot and every prefix of the WAL (I4):
 *
 *		available <= stock + unsettled movements - floor
 *					 - what is taken by transactions that may still commit
 *
 * Entries are read and changed under their spinlocks (entry_lock.h).  counter_xact.c
 * remembers what a transaction did to them, and ends it.
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/int.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "storage/proc.h"

#include "base/clock.h"
#include "base/compat.h"
#include "shmem/counter.h"
#include "shmem/counter_xact.h"
#include "shmem/entry_lock.h"
#include "shmem/hot_table.h"

/* ---- reading ---- */

/* The state of an entry, and its values; INV_HOT_STATE_COLD, without values, if it was freed. */
InvHotState
inv_counter_read(const InvCounterRef *counter, InvCounterValues *values)
{
	InvHotState state;

	if (!inv_entry_lock(counter))
		return INV_HOT_STATE_COLD;
	state = counter->entry->state;
	*values = counter->entry->values;
	inv_entry_unlock(counter);
	return state;
}

/*
 * Replace limit and for_sale, which were read from the row because "read" said that they
 * are stale.  If they have become stale again since, they stay so.
 */
void
inv_counter_refresh_limits(const InvCounterRef *counter, const InvCounterValues *read)
{
	InvCounterValues *values = &counter->entry->values;

	if (!inv_entry_lock(counter))
		return;
	if (values->limits_version == read->limits_version)
	{
		values->limited = read->limited;
		values->limit = read->limit;
		values->for_sale = read->for_sale;
		values->limits_stale = false;
	}
	inv_entry_unlock(counter);
}

/*
 * Is it published, with nothing in flight?  If a later call gives the same "changes", it
 * was so all the time between.
 */
bool
inv_counter_at_rest(const InvCounterRef *counter, uint64 *changes)
{
	const InvHotEntry *entry = counter->entry;
	bool at_rest;

	if (!inv_entry_lock(counter))
		return false;
	at_rest = entry->state == INV_HOT_STATE_HOT && !inv_entry_has_references(entry);
	Assert(!at_rest || (entry->held == 0 && entry->incoming == 0)); /* I9 */
	*changes = entry->changes;
	inv_entry_unlock(counter);
	return at_rest;
}

/* Does this transaction have units in flight here? */
bool
inv_counter_has_own_units(const InvCounterRef *counter)
{
	return inv_xact_usage(counter).has_reference;
}

/* ---- taking and giving ---- */

/*
 * May this transaction begin something here?  While another process cools the item, only
 * a transaction that has units in flight already goes on.  Under the spinlock.
 */
static InvCounterResult
admit(const InvHotEntry *entry, const InvXactUsage *usage)
{
	bool by_others = entry->cooler != INV_NO_PROCESS && entry->cooler != inv_process_number();

	Assert(inv_entry_is_locked(entry));
	if (entry->state == INV_HOT_STATE_COOLING)
		return by_others ? INV_COUNTER_WAIT : INV_COUNTER_NOT_HOT;
	if (entry->state != INV_HOT_STATE_HOT)
		return INV_COUNTER_NOT_HOT;
	return by_others && !usage->has_reference ? INV_COUNTER_WAIT : INV_COUNTER_DONE;
}

static bool
leaves_enough(int64 available, const InvCounterTake *take)
{
	int64 left;

	return !pg_sub_s64_overflow(available, take->quantity, &left) && left >= take->lowest;
}

/*
 * What would become of a take.  Too few units are final only if no other transaction in
 * flight could give back enough (I7).  Under the spinlock.
 */
static InvCounterResult
judge_counter_take(const InvHotEntry *entry, const InvXactUsage *usage, InvCounterTake *take)
{
	InvCounterResult result = admit(entry, usage);

	Assert(usage->taken >= 0 && usage->taken <= entry->held); /* I5 */
	take->left = entry->values.available + usage->given_unused;
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
		return INV_COUNTER_NOT_HOT;
	result = judge_counter_take(counter->entry, &usage, take);
	inv_entry_unlock(counter);
	return result;
}

/* The current epoch has a movement now.  Under the spinlock. */
static void
note_movement(InvHotEntry *entry, int64 now)
{
	Assert(inv_entry_has_references(entry)); /* I6 */
	entry->has_movements = true;
	entry->last_used = now;
}

/*
 * Take units, those that this transaction gave first.  On anything but DONE nothing
 * has changed.  The transaction already has an id, which others can wait for.
 */
InvCounterResult
inv_counter_take(const InvCounterRef *counter, InvCounterTake *take, int64 now)
{
	InvHotEntry *entry = counter->entry;
	InvXactUsage usage = inv_xact_usage(counter);
	InvPendingChange *pending;
	InvCounterResult result;
	int64 used, taken;

	Assert(TransactionIdIsValid(GetTopTransactionIdIfAny()) && take->quantity > 0);
	inv_reserve_pending();
	if (!inv_entry_lock(counter))
		return INV_COUNTER_NOT_HOT;
	result = judge_counter_take(entry, &usage, take);
	if (result != INV_COUNTER_DONE)
	{
		inv_entry_unlock(counter);
		return result;
	}
	pending = inv_get_pending(counter, entry->values.epoch);
	used = Max(0, Min(usage.given_unused, take->quantity));
	taken = take->quantity - used;
	pending->used += used;
	pending->taken += taken;
	entry->values.available -= taken;
	entry->held += taken;
	if (taken > 0)
		inv_mark_holder(entry, true);
	take->epoch = pending->epoch;
	take->left -= take->quantity;
	note_movement(entry, now);
	inv_entry_unlock_changed(counter);
	return INV_COUNTER_DONE;
}

/* Could the stock column overflow, depending on which transactions in flight commit? */
static bool
would_overflow(const InvHotEntry *entry, int64 quantity)
{
	int64 total;

	return pg_add_s64_overflow(entry->values.available + entry->held + entry->incoming, quantity,
							   &total) ||
		   pg_add_s64_overflow(total, entry->values.floor, &total) ||
		   total > entry->values.max_stock;
}

/*
 * Give units, which others see when this transaction is committed; "epoch" is that of
 * their movement.  On anything but DONE nothing has changed.
 */
InvCounterResult
inv_counter_give(const InvCounterRef *counter, int64 quantity, int64 *epoch, int64 now)
{
	InvHotEntry *entry = counter->entry;
	InvXactUsage usage = inv_xact_usage(counter);
	InvPendingChange *pending;
	InvCounterResult result;

	Assert(TransactionIdIsValid(GetTopTransactionIdIfAny()) && quantity > 0);
	inv_reserve_pending();
	if (!inv_entry_lock(counter))
		return INV_COUNTER_NOT_HOT;
	result = admit(entry, &usage);
	if (result == INV_COUNTER_DONE && would_overflow(entry, quantity))
		result = INV_COUNTER_OVERFLOW;
	if (result != INV_COUNTER_DONE)
	{
		inv_entry_unlock(counter);
		return result;
	}
	pending = inv_get_pending(counter, entry->values.epoch);
	pending->given += quantity;
	entry->incoming += quantity;
	*epoch = pending->epoch;
	note_movement(entry, now);
	inv_entry_unlock_changed(counter);
	return INV_COUNTER_DONE;
}

/*
 * Change what is above the floor without a check: the floor changes, or a subscriber
 * applies what was decided elsewhere.  The caller has the item's row locked.
 */
InvCounterResult
inv_counter_change_unchecked(const InvCounterRef *counter, int64 change, int64 floor_change)
{
	InvHotEntry *entry = counter->entry;
	InvPendingChange *pending;

	inv_reserve_pending();
	if (!inv_entry_lock(counter))
		return INV_COUNTER_NOT_HOT;
	if (entry->state != INV_HOT_STATE_HOT)
	{
		inv_entry_unlock(counter);
		return INV_COUNTER_NOT_HOT;
	}
	pending = inv_get_pending(counter, entry->values.epoch);
	pending->floor_change += floor_change;
	if (change < 0)
	{
		pending->taken -= change;
		entry->values.available += change;
		entry->held -= change;
		inv_mark_holder(entry, true);
	}
	else
	{
		pending->given += change;
		entry->incoming += change;
	}
	inv_entry_unlock_changed(counter);
	return INV_COUNTER_DONE;
}

/* This transaction changes limit or for_sale: they are stale when it is committed. */
void
inv_counter_invalidate_limits(const InvCounterRef *counter)
{
	inv_reserve_pending();
	if (!inv_entry_lock(counter))
		return;
	inv_get_pending(counter, 0)->limits_stale = true;
	inv_entry_unlock(counter);
}

/* ---- holds that expire ---- */

/* Units of the item are held until then. */
void
inv_counter_note_expiry(const InvCounterRef *counter, TimestampTz when)
{
	InvCounterValues *values = &counter->entry->values;

	if (!inv_entry_lock(counter))
		return;
	values->next_expiry = Min(values->next_expiry, when);
	inv_entry_unlock_changed(counter);
}

/* No hold of the item expires before "next", unless the entry has changed since "changes". */
void
inv_counter_set_next_expiry(const InvCounterRef *counter, TimestampTz next, uint64 changes)
{
	InvHotEntry *entry = counter->entry;

	if (!inv_entry_lock(counter))
		return;
	if (entry->changes == changes)
		entry->values.next_expiry = next;
	inv_entry_unlock(counter);
}

/* ---- waiting ---- */

/*
 * A process whose end a take has to wait for: the cooler, or the next holder after "last";
 * INV_NO_PROCESS if there is none.
 */
static int
next_holder(const InvCounterRef *counter, int last)
{
	const uint64 *holders = inv_hot_table_holders(counter->entry);
	int processes = inv_hot_table_words() * 64;
	int found = INV_NO_PROCESS;

	if (!inv_entry_lock(counter))
		return INV_NO_PROCESS;
	for (int i = 1; i <= processes && found == INV_NO_PROCESS; i++)
	{
		int process = (last + i) % processes;

		if ((holders[process / 64] & (UINT64CONST(1) << (process % 64))) != 0 &&
			process != inv_process_number())
			found = process;
	}
	if (counter->entry->cooler != INV_NO_PROCESS && counter->entry->cooler != inv_process_number())
		found = counter->entry->cooler;
	inv_entry_unlock(counter);
	return found;
}

/*
 * Wait for the end of a transaction as for a row it has locked, so that the deadlock
 * detector knows of it; but not for long, because another transaction may give back
 * what is wanted.
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
 * Wait for the end of the transaction of a process that next_holder() finds after "last",
 * which becomes that process.
 */
static void
wait_for_holder(const InvCounterRef *counter, int *last, int64 deadline)
{
	long left = inv_clock_until(deadline);
	int holder = next_holder(counter, *last);
	TransactionId xid;

	if (holder == INV_NO_PROCESS)
		return;
	*last = holder;
	xid = ProcGlobal->allProcs[holder].xid;
	if (TransactionIdIsValid(xid) && left > 0)
		wait_for_transaction(xid, left);
}

/*
 * Wait until a take may be tried again; false if the deadline has passed before (I8).
 * First for any change of the entry; then, because the others could be waiting for this
 * transaction, for the end of one of them; and so on.
 */
bool
inv_counter_wait(const InvCounterRef *counter, InvCounterTake *take, int64 deadline)
{
	ConditionVariable *cv = &counter->entry->cv;
	int last = inv_process_number();

	ConditionVariablePrepareToSleep(cv);
	while (inv_counter_peek(counter, take) == INV_COUNTER_WAIT)
	{
		long left = inv_clock_until(deadline);

		if (left <= 0)
		{
			ConditionVariableCancelSleep();
			return false;
		}
		if (!ConditionVariableTimedSleep(cv, Min(left, DeadlockTimeout), PG_WAIT_EXTENSION))
			continue;
		ConditionVariableCancelSleep();
		wait_for_holder(counter, &last, deadline);
		ConditionVariablePrepareToSleep(cv);
	}
	ConditionVariableCancelSleep();
	return true;
}
