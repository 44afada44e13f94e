/*
 * escrow.c
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
 * What a transaction did is remembered in records, one for each entry, epoch and
 * level of savepoints.  A record keeps its epoch from being settled, and its entry
 * from being freed.  Ends of transactions change an entry in one section under its
 * spinlock, because what one record gave another may have used.  Under a spinlock
 * there is nothing that waits or fails.
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/int.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "storage/proclist.h"
#include "utils/memutils.h"

#include "compat.h"
#include "error.h"
#include "escrow.h"

/* What this transaction did to an entry, at one level, in one epoch. */
typedef struct Record
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
} Record;

static Record *records = NULL;
static int record_count = 0;
static int record_size = 0;

/* ---- entries ---- */

/* Lock the entry of a handle; false, and nothing is locked, if it is not that any more. */
static bool
lock_entry(const InvEscrow *escrow)
{
	SpinLockAcquire(&escrow->entry->mutex);
	if (escrow->entry->generation == escrow->generation && escrow->entry->state != INV_COLD)
		return true;
	SpinLockRelease(&escrow->entry->mutex);
	return false;
}

static void
unlock_entry(const InvEscrow *escrow)
{
	SpinLockRelease(&escrow->entry->mutex);
}

/* Unlock after a change. */
static void
unlock_changed(InvHotEntry *entry)
{
	entry->changes++;
	SpinLockRelease(&entry->mutex);
}

/*
 * Who waits has joined the queue before looking at the entry: whoever is not in
 * it after the entry was unlocked has seen the change.
 */
static void
wake(InvHotEntry *entry)
{
	if (!proclist_is_empty(&entry->changed.wakeup))
		ConditionVariableBroadcast(&entry->changed);
}

/* The state of an entry, and its numbers; INV_COLD if it is gone. */
InvHeat
inv_escrow_look(const InvEscrow *escrow, InvCounted *now)
{
	InvHeat state;

	if (!lock_entry(escrow))
		return INV_COLD;
	state = escrow->entry->state;
	*now = escrow->entry->now;
	unlock_entry(escrow);
	return state;
}

/* Limit and for_sale were read, after they became stale so often. */
void
inv_escrow_refresh(const InvEscrow *escrow, const InvCounted *read)
{
	InvHotEntry *entry = escrow->entry;

	if (!lock_entry(escrow))
		return;
	if (entry->now.readings == read->readings)
	{
		entry->now.limited = read->limited;
		entry->now.limit = read->limit;
		entry->now.for_sale = read->for_sale;
		entry->now.stale = false;
	}
	unlock_entry(escrow);
}

/* Is it published with nothing in flight?  If so also later, changes tells whether ever since. */
bool
inv_escrow_at_rest(const InvEscrow *escrow, uint64 *changes)
{
	InvHotEntry *entry = escrow->entry;
	bool rest;

	if (!lock_entry(escrow))
		return false;
	rest = entry->state == INV_HOT && entry->references[0] == 0 && entry->references[1] == 0;
	*changes = entry->changes;
	unlock_entry(escrow);
	return rest;
}

/* ---- records ---- */

static bool
is_of(const Record *record, const InvEscrow *escrow)
{
	return record->entry == escrow->entry && record->generation == escrow->generation;
}

/* Room for one more record, before a spinlock. */
static void
make_room(void)
{
	int size = Max(16, record_size * 2);

	if (record_count < record_size)
		return;
	records = records ? repalloc_huge(records, size * sizeof(Record))
					  : MemoryContextAlloc(TopMemoryContext, size * sizeof(Record));
	record_size = size;
}

/* The record of this level and epoch.  A new one keeps the epoch open. */
static Record *
record_for(const InvEscrow *escrow, int64 epoch)
{
	int nesting = GetCurrentTransactionNestLevel();
	Record *record;

	for (int i = record_count - 1; i >= 0; i--)
		if (is_of(&records[i], escrow) && records[i].nesting == nesting &&
			records[i].epoch == epoch)
			return &records[i];
	Assert(record_count < record_size);
	record = &records[record_count++];
	memset(record, 0, sizeof(Record));
	record->entry = escrow->entry;
	record->generation = escrow->generation;
	record->nesting = nesting;
	record->epoch = epoch;
	if (epoch != 0)
		escrow->entry->references[epoch & 1]++;
	return record;
}

/* What this transaction has in flight of an entry. */
typedef struct Own
{
	bool any; /* a reference */
	int64 taken;
	int64 given; /* and not used */
} Own;

static Own
own_part(const InvEscrow *escrow)
{
	Own own = { false, 0, 0 };

	for (int i = 0; i < record_count; i++)
	{
		if (!is_of(&records[i], escrow))
			continue;
		own.any = own.any || records[i].epoch != 0;
		own.taken += records[i].taken;
		own.given += records[i].given - records[i].used;
	}
	return own;
}

/* Has this transaction something in flight here? */
bool
inv_escrow_is_own(const InvEscrow *escrow)
{
	return own_part(escrow).any;
}

/* Say whether this process has units in flight, for those who would wait for them. */
static void
mark_holder(InvHotEntry *entry, bool holds)
{
	int process = inv_process_number();
	uint64 bit = UINT64CONST(1) << (process % 64);
	uint64 *word = &inv_hotset_holders(entry)[process / 64];

	*word = holds ? *word | bit : *word & ~bit;
}

/* ---- the ends of transactions and savepoints: nothing here can fail ---- */

/* Does what a record did to an entry, or undoes it.  Under the spinlock. */
static void
end_record(InvHotEntry *entry, const Record *record, bool committed)
{
	entry->held -= record->taken;
	entry->giving -= record->given;
	entry->now.available += committed ? record->given - record->used : record->taken;
	if (record->epoch != 0)
		entry->references[record->epoch & 1]--;
	if (record->cooling && !committed)
	{
		entry->state = INV_HOT;
		entry->cooler = -1;
	}
	if (committed && record->stale)
	{
		entry->now.stale = true;
		entry->now.readings++;
	}
	if (committed)
		entry->now.floor += record->floor;
	if (committed && record->settled != 0)
		entry->now.settled = record->settled;
	Assert(entry->held >= 0 && entry->giving >= 0);
	Assert(entry->references[0] >= 0 && entry->references[1] >= 0);
}

/* End the records of one entry from a level on, all at once. */
static void
end_records_of(InvEscrow escrow, int nesting, bool committed)
{
	bool holds = false, cooled = false;
	InvHotEntry *entry = escrow.entry;

	SpinLockAcquire(&entry->mutex);
	Assert(entry->generation == escrow.generation && entry->state != INV_COLD);
	for (int i = 0; i < record_count; i++)
	{
		if (!is_of(&records[i], &escrow))
			continue;
		if (records[i].nesting < nesting)
		{
			holds = holds || records[i].taken > 0;
			continue;
		}
		end_record(entry, &records[i], committed);
		cooled = cooled || records[i].cooling;
		records[i].entry = NULL;
	}
	if (!holds)
		mark_holder(entry, false);
	unlock_changed(entry);
	if (cooled && committed)
		inv_hotset_free(&escrow);
	wake(entry);
}

static void
end_records(int nesting, bool committed)
{
	int kept = 0;

	for (int i = 0; i < record_count; i++)
		if (records[i].entry && records[i].nesting >= nesting)
		{
			InvEscrow escrow = { records[i].entry, records[i].generation };

			end_records_of(escrow, nesting, committed);
		}
	for (int i = 0; i < record_count; i++)
		if (records[i].entry)
			records[kept++] = records[i];
	record_count = kept;
}

/* The record that another becomes part of one level up, or null. */
static Record *
record_above(const Record *record)
{
	InvEscrow escrow = { record->entry, record->generation };

	for (int i = 0; i < record_count; i++)
		if (is_of(&records[i], &escrow) && records[i].epoch == record->epoch &&
			records[i].nesting == record->nesting - 1)
			return &records[i];
	return NULL;
}

/* A savepoint is released: its records are those of the level above. */
static void
merge_records(int nesting)
{
	int kept = 0;

	for (int i = 0; i < record_count; i++)
	{
		Record *record = &records[i];
		Record *above = record->nesting >= nesting ? record_above(record) : NULL;

		if (above == NULL)
		{
			record->nesting = Min(record->nesting, nesting - 1);
			records[kept++] = *record;
			continue;
		}
		above->taken += record->taken;
		above->used += record->used;
		above->given += record->given;
		above->floor += record->floor;
		above->settled = Max(above->settled, record->settled);
		above->stale |= record->stale;
		above->cooling |= record->cooling;
		if (record->epoch != 0)
		{
			SpinLockAcquire(&record->entry->mutex);
			record->entry->references[record->epoch & 1]--;
			unlock_changed(record->entry);
		}
	}
	record_count = kept;
}

static void
at_transaction_end(XactEvent event, void *arg)
{
	if (record_count == 0)
		return;
	if (event == XACT_EVENT_PRE_PREPARE)
		inv_error_prepare();
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT)
		end_records(1, event == XACT_EVENT_COMMIT);
}

static void
at_subtransaction_end(SubXactEvent event, SubTransactionId self, SubTransactionId parent, void *arg)
{
	if (record_count == 0)
		return;
	if (event == SUBXACT_EVENT_ABORT_SUB)
		end_records(GetCurrentTransactionNestLevel(), false);
	if (event == SUBXACT_EVENT_COMMIT_SUB)
		merge_records(GetCurrentTransactionNestLevel());
}

void
inv_escrow_init(void)
{
	RegisterXactCallback(at_transaction_end, NULL);
	RegisterSubXactCallback(at_subtransaction_end, NULL);
}

/* ---- taking and giving ---- */

/*
 * May this transaction begin something here?  While the item is being cooled only
 * who is in the middle of something goes on.  Under the spinlock.
 */
static InvEscrowResult
admitted(const InvHotEntry *entry, const Own *own)
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
judge(const InvHotEntry *entry, const Own *own, InvEscrowTake *take)
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
	Own own = own_part(escrow);
	InvEscrowResult result;

	if (!lock_entry(escrow))
		return INV_ESCROW_GONE;
	result = judge(escrow->entry, &own, take);
	unlock_entry(escrow);
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
	Own own = own_part(escrow);
	InvEscrowResult result;

	Assert(TransactionIdIsValid(GetTopTransactionIdIfAny()));
	make_room();
	if (!lock_entry(escrow))
		return INV_ESCROW_GONE;
	result = judge(entry, &own, take);
	if (result == INV_ESCROW_DONE)
	{
		Record *record = record_for(escrow, entry->now.epoch);
		int64 used = Max(0, Min(own.given, take->quantity));

		record->used += used;
		record->taken += take->quantity - used;
		entry->now.available -= take->quantity - used;
		entry->held += take->quantity - used;
		if (take->quantity > used)
			mark_holder(entry, true);
		take->epoch = record->epoch;
		take->left -= take->quantity;
		entry->touched = true;
		entry->last_used = now;
		unlock_changed(entry);
		return result;
	}
	unlock_entry(escrow);
	return result;
}

/* Take back a take of this level, whose movement is not written. */
void
inv_escrow_untake(const InvEscrow *escrow, int64 quantity)
{
	InvHotEntry *entry = escrow->entry;

	SpinLockAcquire(&entry->mutex);
	for (int i = record_count - 1; i >= 0 && quantity > 0; i--)
	{
		Record *record = &records[i];
		int64 part;

		if (!is_of(record, escrow) || record->nesting != GetCurrentTransactionNestLevel())
			continue;
		part = Min(quantity, record->taken);
		record->taken -= part;
		entry->held -= part;
		entry->now.available += part;
		quantity -= part;
		part = Min(quantity, record->used);
		record->used -= part;
		quantity -= part;
	}
	Assert(quantity == 0);
	unlock_changed(entry);
	wake(entry);
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
	Own own = own_part(escrow);
	InvEscrowResult result;

	Assert(TransactionIdIsValid(GetTopTransactionIdIfAny()));
	make_room();
	if (!lock_entry(escrow))
		return INV_ESCROW_GONE;
	result = admitted(entry, &own);
	if (result == INV_ESCROW_DONE && overflows(entry, quantity))
		result = INV_ESCROW_OVERFLOW;
	if (result == INV_ESCROW_DONE)
	{
		Record *record = record_for(escrow, entry->now.epoch);

		record->given += quantity;
		entry->giving += quantity;
		*epoch = record->epoch;
		entry->touched = true;
		entry->last_used = now;
		unlock_changed(entry);
		return result;
	}
	unlock_entry(escrow);
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
	Record *record;

	make_room();
	if (!lock_entry(escrow))
		return INV_ESCROW_GONE;
	if (entry->state != INV_HOT)
	{
		unlock_entry(escrow);
		return INV_ESCROW_GONE;
	}
	record = record_for(escrow, entry->now.epoch);
	record->floor += floor_change;
	if (change < 0)
	{
		record->taken -= change;
		entry->now.available += change;
		entry->held -= change;
		mark_holder(entry, true);
	}
	else
	{
		record->given += change;
		entry->giving += change;
	}
	unlock_changed(entry);
	return INV_ESCROW_DONE;
}

/* This transaction changes what limits a sale. */
void
inv_escrow_will_be_stale(const InvEscrow *escrow)
{
	make_room();
	if (!lock_entry(escrow))
		return;
	record_for(escrow, 0)->stale = true;
	unlock_entry(escrow);
}

/* ---- holds that expire ---- */

/* Units are held, until then. */
void
inv_escrow_expires(const InvEscrow *escrow, TimestampTz when)
{
	if (!lock_entry(escrow))
		return;
	escrow->entry->now.next_expiry = Min(escrow->entry->now.next_expiry, when);
	unlock_changed(escrow->entry);
}

/* No hold expires before "next", unless something has changed. */
void
inv_escrow_expired(const InvEscrow *escrow, TimestampTz next, uint64 changes)
{
	if (!lock_entry(escrow))
		return;
	if (escrow->entry->changes == changes)
		escrow->entry->now.next_expiry = next;
	unlock_entry(escrow);
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

	if (!lock_entry(escrow))
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
	unlock_entry(escrow);
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

/* ---- heating, settling, cooling ---- */

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

	if (!lock_entry(escrow))
		return false;
	if (entry->state == INV_UNPUBLISHED)
	{
		entry->now = *counted;
		entry->touched = unsettled;
		entry->last_used = GetCurrentTimestamp();
		entry->state = INV_HOT;
	}
	published = entry->state == INV_HOT;
	unlock_changed(entry);
	wake(entry);
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

	if (!lock_entry(escrow))
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
	unlock_entry(escrow);
	return *through > 0;
}

/* This transaction has put the movements of epochs up to this one into the stock column. */
void
inv_escrow_settled(const InvEscrow *escrow, int64 through)
{
	make_room();
	if (!lock_entry(escrow))
		return;
	record_for(escrow, 0)->settled = through;
	unlock_entry(escrow);
}

/* This transaction is cooling the item, and nobody else is at it. */
bool
inv_escrow_is_cooling(const InvEscrow *escrow)
{
	bool cooling;

	if (!lock_entry(escrow))
		return false;
	cooling = escrow->entry->state == INV_COOLING && escrow->entry->cooler == inv_process_number();
	unlock_entry(escrow);
	return cooling;
}

/* One look: may it be cooled?  Until then, nothing new begins. */
static InvEscrowResult
begin_cooling(const InvEscrow *escrow, int64 *settled)
{
	InvHotEntry *entry = escrow->entry;
	InvEscrowResult result = INV_ESCROW_GONE;

	if (!lock_entry(escrow))
		return INV_ESCROW_GONE;
	if (entry->state == INV_HOT)
	{
		result = INV_ESCROW_WAIT;
		record_for(escrow, 0)->cooling = true;
		entry->cooler = inv_process_number();
		if (entry->references[0] == 0 && entry->references[1] == 0)
		{
			entry->state = INV_COOLING;
			*settled = entry->now.epoch;
			result = INV_ESCROW_DONE;
		}
	}
	unlock_changed(entry);
	return result;
}

/* It was not cooled after all. */
static void
give_up_cooling(const InvEscrow *escrow)
{
	if (lock_entry(escrow))
	{
		record_for(escrow, 0)->cooling = false;
		escrow->entry->cooler = -1;
		unlock_changed(escrow->entry);
	}
	wake(escrow->entry);
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

	if (own_part(escrow).any)
		return INV_ESCROW_OWN;
	make_room();
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
