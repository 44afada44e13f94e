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

/* The state of an entry, and its numbers; INV_COLD if it is gone. */
InvHeat
inv_escrow_look(const InvEscrow *escrow, InvCounted *now)
{
	InvHeat state;

	if (!inv_entry_lock(escrow))
		return INV_COLD;
	state = escrow->entry->state;
	*now = escrow->entry->now;
	inv_entry_unlock(escrow);
	return state;
}

/* Limit and for_sale were read, after they became stale so often. */
void
inv_escrow_refresh(const InvEscrow *escrow, const InvCounted *read)
{
	InvHotEntry *entry = escrow->entry;

	if (!inv_entry_lock(escrow))
		return;
	if (entry->now.readings == read->readings)
	{
		entry->now.limited = read->limited;
		entry->now.limit = read->limit;
		entry->now.for_sale = read->for_sale;
		entry->now.stale = false;
	}
	inv_entry_unlock(escrow);
}

/* Is it published with nothing in flight?  If so also later, changes tells whether ever since. */
bool
inv_escrow_at_rest(const InvEscrow *escrow, uint64 *changes)
{
	InvHotEntry *entry = escrow->entry;
	bool rest;

	if (!inv_entry_lock(escrow))
		return false;
	rest = entry->state == INV_HOT && entry->references[0] == 0 && entry->references[1] == 0;
	*changes = entry->changes;
	inv_entry_unlock(escrow);
	return rest;
}

/* Has this transaction something in flight here? */
bool
inv_escrow_is_own(const InvEscrow *escrow)
{
	return inv_own(escrow).any;
}

/* ---- taking and giving ---- */

/*
 * May this transaction begin something here?  While the item is being cooled only
 * who is in the middle of something goes on.  Under the spinlock.
 */
static InvEscrowResult
admitted(const InvHotEntry *entry, const InvOwn *own)
{
	bool by_others = entry->cooler >= 0 && entry->cooler != inv_process_number();

	if (entry->state == INV_COOLING)
		return by_others ? INV_ESCROW_WAIT : INV_ESCROW_GONE;
	if (entry->state != INV_HOT)
		return INV_ESCROW_GONE;
	return by_others && !own->any ? INV_ESCROW_WAIT : INV_ESCROW_DONE;
}

static bool
suffices(int64 there, const InvEscrowTake *take)
{
	int64 left;

	return !pg_sub_s64_overflow(there, take->quantity, &left) && left >= take->lowest;
}

/* What would become of a take.  Under the spinlock. */
static InvEscrowResult
judge(const InvHotEntry *entry, const InvOwn *own, InvEscrowTake *take)
{
	InvEscrowResult result = admitted(entry, own);

	take->left = entry->now.available + own->given;
	if (result != INV_ESCROW_DONE || suffices(take->left, take))
		return result;
	return suffices(take->left + entry->held - own->taken, take) ? INV_ESCROW_WAIT
																 : INV_ESCROW_SHORT;
}

/* Would a take succeed, now or when others end?  It costs no transaction id to ask. */
InvEscrowResult
inv_escrow_peek(const InvEscrow *escrow, InvEscrowTake *take)
{
	InvOwn own = inv_own(escrow);
	InvEscrowResult result;

	if (!inv_entry_lock(escrow))
		return INV_ESCROW_GONE;
	result = judge(escrow->entry, &own, take);
	inv_entry_unlock(escrow);
	return result;
}

/*
 * Take units, those that this transaction gave first.  On anything but DONE nothing
 * has changed.  The transaction has an id already, that others can wait for.
 */
InvEscrowResult
inv_escrow_take(const InvEscrow *escrow, InvEscrowTake *take, TimestampTz now)
{
	InvHotEntry *entry = escrow->entry;
	InvOwn own = inv_own(escrow);
	InvEscrowResult result;

	Assert(TransactionIdIsValid(GetTopTransactionIdIfAny()));
	inv_record_room();
	if (!inv_entry_lock(escrow))
		return INV_ESCROW_GONE;
	result = judge(entry, &own, take);
	if (result == INV_ESCROW_DONE)
	{
		InvRecord *record = inv_record(escrow, entry->now.epoch);
		int64 used = Max(0, Min(own.given, take->quantity));

		record->used += used;
		record->taken += take->quantity - used;
		entry->now.available -= take->quantity - used;
		entry->held += take->quantity - used;
		if (take->quantity > used)
			inv_mark_holder(entry, true);
		take->epoch = record->epoch;
		take->left -= take->quantity;
		entry->touched = true;
		entry->last_used = now;
		inv_entry_changed(entry);
		return result;
	}
	inv_entry_unlock(escrow);
	return result;
}

/* Would the stock column overflow, whatever of what is in flight commits? */
static bool
overflows(const InvHotEntry *entry, int64 quantity)
{
	int64 total;

	return pg_add_s64_overflow(entry->now.available + entry->held + entry->giving, quantity,
							   &total) ||
		   pg_add_s64_overflow(total, entry->now.floor, &total) || total > entry->now.most;
}

/* Give units, which others see when this transaction is committed. */
InvEscrowResult
inv_escrow_give(const InvEscrow *escrow, int64 quantity, int64 *epoch, TimestampTz now)
{
	InvHotEntry *entry = escrow->entry;
	InvOwn own = inv_own(escrow);
	InvEscrowResult result;

	Assert(TransactionIdIsValid(GetTopTransactionIdIfAny()));
	inv_record_room();
	if (!inv_entry_lock(escrow))
		return INV_ESCROW_GONE;
	result = admitted(entry, &own);
	if (result == INV_ESCROW_DONE && overflows(entry, quantity))
		result = INV_ESCROW_OVERFLOW;
	if (result == INV_ESCROW_DONE)
	{
		InvRecord *record = inv_record(escrow, entry->now.epoch);

		record->given += quantity;
		entry->giving += quantity;
		*epoch = record->epoch;
		entry->touched = true;
		entry->last_used = now;
		inv_entry_changed(entry);
		return result;
	}
	inv_entry_unlock(escrow);
	return result;
}

/*
 * What is above the floor changes, and nobody is asked: the floor does, or a
 * subscriber applies what was decided elsewhere.
 */
InvEscrowResult
inv_escrow_force(const InvEscrow *escrow, int64 change, int64 floor_change)
{
	InvHotEntry *entry = escrow->entry;
	InvRecord *record;

	inv_record_room();
	if (!inv_entry_lock(escrow))
		return INV_ESCROW_GONE;
	if (entry->state != INV_HOT)
	{
		inv_entry_unlock(escrow);
		return INV_ESCROW_GONE;
	}
	record = inv_record(escrow, entry->now.epoch);
	record->floor += floor_change;
	if (change < 0)
	{
		record->taken -= change;
		entry->now.available += change;
		entry->held -= change;
		inv_mark_holder(entry, true);
	}
	else
	{
		record->given += change;
		entry->giving += change;
	}
	inv_entry_changed(entry);
	return INV_ESCROW_DONE;
}

/* This transaction changes what limits a sale. */
void
inv_escrow_will_be_stale(const InvEscrow *escrow)
{
	inv_record_room();
	if (!inv_entry_lock(escrow))
		return;
	inv_record(escrow, 0)->stale = true;
	inv_entry_unlock(escrow);
}

/* ---- holds that expire ---- */

/* Units are held, until then. */
void
inv_escrow_expires(const InvEscrow *escrow, TimestampTz when)
{
	if (!inv_entry_lock(escrow))
		return;
	escrow->entry->now.next_expiry = Min(escrow->entry->now.next_expiry, when);
	inv_entry_changed(escrow->entry);
}

/* No hold expires before "next", unless something has changed. */
void
inv_escrow_expired(const InvEscrow *escrow, TimestampTz next, uint64 changes)
{
	if (!inv_entry_lock(escrow))
		return;
	if (escrow->entry->changes == changes)
		escrow->entry->now.next_expiry = next;
	inv_entry_unlock(escrow);
}

/* ---- waiting ---- */

/*
 * The transaction of somebody whom a take has to wait for, the next process after
 * "last"; invalid if there is none.
 */
static TransactionId
somebody(const InvEscrow *escrow, int *last)
{
	const uint64 *holders = inv_hotset_holders(escrow->entry);
	int processes = inv_hotset_words() * 64;
	int found = -1;

	if (!inv_entry_lock(escrow))
		return InvalidTransactionId;
	for (int i = 1; i <= processes && found < 0; i++)
	{
		int process = (*last + i) % processes;

		if ((holders[process / 64] & (UINT64CONST(1) << (process % 64))) != 0 &&
			process != inv_process_number())
			found = process;
	}
	if (escrow->entry->cooler >= 0 && escrow->entry->cooler != inv_process_number())
		found = escrow->entry->cooler;
	inv_entry_unlock(escrow);
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
wait_for_transaction(TransactionId xid, long most)
{
	MemoryContext context = CurrentMemoryContext;
	int configured = LockTimeout;
	int ours = (int) Min(most, 2 * (long) DeadlockTimeout);
	bool shortened = configured == 0 || configured > ours;

	if (shortened)
		LockTimeout = Max(ours, 1);
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
inv_escrow_wait(const InvEscrow *escrow, InvEscrowTake *take, TimestampTz deadline)
{
	ConditionVariable *changed = &escrow->entry->changed;
	int last = inv_process_number();

	ConditionVariablePrepareToSleep(changed);
	while (inv_escrow_peek(escrow, take) == INV_ESCROW_WAIT)
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
		xid = somebody(escrow, &last);
		if (TransactionIdIsValid(xid) && left > 0)
			wait_for_transaction(xid, left);
		ConditionVariablePrepareToSleep(changed);
	}
	ConditionVariableCancelSleep();
	return true;
}
