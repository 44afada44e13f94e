/*
 * counter_wait.c
 *		Wait for other transactions that have units of a hot item in flight.
 *
 * Holds no spinlock while it waits.
 */
#include "postgres.h"

#include "port/pg_bitutils.h"
#include "storage/lmgr.h"
#include "storage/proc.h"

#include "base/clock.h"
#include "base/compat.h"
#include "shmem/counter.h"
#include "shmem/counter_wait.h"
#include "shmem/entry_lock.h"
#include "shmem/hot_table.h"

/*
 * A process whose end a take has to wait for: the cooler, or the next holder after "last";
 * INV_NO_PROCESS if there is none.
 */
static int
next_holder(const InvCounterRef *counter, int last)
{
	const uint64 *holders = inv_hot_table_holders(counter->entry);
	int words = inv_hot_table_words();
	int own = inv_process_number();
	int found = INV_NO_PROCESS;

	if (!inv_entry_lock(counter))
		return INV_NO_PROCESS;
	/* word by word, because buyers wait for the lock; that of "last" is the first and the last one */
	for (int i = 0; i <= words && found == INV_NO_PROCESS; i++)
	{
		int number = (last / 64 + i) % words;
		uint64 word = holders[number];

		if (number == own / 64)
			word &= ~(UINT64CONST(1) << (own % 64));
		if (i == 0) /* those after "last" */
			word &= PG_UINT64_MAX << (last % 64) << 1;
		if (word != 0)
			found = number * 64 + pg_rightmost_one_pos64(word);
	}
	if (counter->entry->cooler != INV_NO_PROCESS && counter->entry->cooler != own)
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
	static uint32 wait_event = 0;
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
		if (!ConditionVariableTimedSleep(cv, Min(left, DeadlockTimeout),
										 inv_wait_event(&wait_event, "InventoryCounter")))
			continue;
		ConditionVariableCancelSleep();
		wait_for_holder(counter, &last, deadline);
		ConditionVariablePrepareToSleep(cv);
	}
	ConditionVariableCancelSleep();
	return true;
}
