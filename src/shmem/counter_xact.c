/*
 * counter_xact.c
 *		What this transaction has in flight of hot items.
 *
 * A transaction remembers what it did to counters as pending changes in local memory,
 * one for each entry, epoch and level of savepoints.  One with an epoch is a reference
 * to it: it keeps the epoch from being settled and the entry from being freed (I6).
 * Changes of limits, settling and cooling have no movements and so no epoch.
 *
 * When a transaction ends, or a savepoint is rolled back, all its changes of an entry
 * end in one section under the entry's spinlock, because what one change gave another
 * may have used.  The server calls this after the commit record is written, when an
 * error would be a PANIC, and when other sessions can already lock the rows that the
 * transaction had locked.  So nothing there fails, and nothing relies on a row's lock.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/memutils.h"

#include "base/array.h"
#include "base/compat.h"
#include "base/hot_error.h"
#include "shmem/counter_xact.h"
#include "shmem/entry_lock.h"
#include "shmem/hot_directory.h"
#include "shmem/hot_table.h"

static InvPendingChange *pending_changes = NULL;
static int pending_count = 0;
static int pending_size = 0;

/* ---- pending changes ---- */

static bool
is_of_entry(const InvPendingChange *pending, const InvCounterRef *counter)
{
	return pending->counter.entry == counter->entry &&
		   pending->counter.generation == counter->generation;
}

/*
 * Make room for one more pending change, before the spinlock is taken under which
 * inv_get_pending() is called.
 */
void
inv_reserve_pending(void)
{
	pending_changes = inv_make_room(pending_changes, pending_count, &pending_size,
									sizeof(InvPendingChange), TopMemoryContext);
}

/* The change of an entry at a level in an epoch; null if there is none. */
static InvPendingChange *
find_pending(const InvCounterRef *counter, int nesting, int64 epoch)
{
	for (int i = pending_count - 1; i >= 0; i--)
		if (is_of_entry(&pending_changes[i], counter) && pending_changes[i].nesting == nesting &&
			pending_changes[i].epoch == epoch)
			return &pending_changes[i];
	return NULL;
}

/*
 * The change of the current level in an epoch.  If it is new, it references the epoch from
 * now on.  Under the spinlock.
 */
InvPendingChange *
inv_get_pending(const InvCounterRef *counter, int64 epoch)
{
	InvHotEntry *entry = counter->entry;
	int nesting = GetCurrentTransactionNestLevel();
	InvPendingChange *pending = find_pending(counter, nesting, epoch);

	Assert(inv_entry_is_locked(entry));
	Assert(epoch == 0 || epoch == entry->values.epoch); /* I6 */
	if (pending)
		return pending;
	Assert(pending_count < pending_size);
	pending = &pending_changes[pending_count++];
	memset(pending, 0, sizeof(InvPendingChange));
	pending->counter = *counter;
	pending->nesting = nesting;
	pending->epoch = epoch;
	if (epoch != 0)
		entry->references[epoch & 1]++;
	return pending;
}

/* What this transaction has in flight of an entry. */
InvXactUsage
inv_xact_usage(const InvCounterRef *counter)
{
	InvXactUsage usage = { 0 };

	for (int i = 0; i < pending_count; i++)
	{
		const InvPendingChange *pending = &pending_changes[i];

		if (!is_of_entry(pending, counter))
			continue;
		usage.has_reference = usage.has_reference || pending->epoch != 0;
		usage.limits_changed = usage.limits_changed || pending->limits_stale;
		usage.taken += pending->taken;
		usage.used += pending->used;
		usage.given_unused += pending->given - pending->used;
		usage.raised += pending->raised;
		usage.lowered += pending->lowered;
	}
	return usage;
}

/*
 * Say whether this process has units of an entry in flight, for the sessions that would
 * wait for them.  Under the spinlock.
 */
void
inv_mark_holder(InvHotEntry *entry, bool holds)
{
	int process = inv_process_number();
	uint64 bit = UINT64CONST(1) << (process % 64);
	uint64 *word = &inv_hot_table_holders(entry)[process / 64];

	Assert(inv_entry_is_locked(entry));
	*word = holds ? *word | bit : *word & ~bit;
}

/*
 * Undo a take of the current level whose movement is not written.  Its units go back
 * to where they came from.
 */
void
inv_counter_untake(const InvCounterRef *counter, int64 quantity)
{
	InvHotEntry *entry = counter->entry;

	inv_entry_lock_referenced(counter);
	for (int i = pending_count - 1; i >= 0 && quantity > 0; i--)
	{
		InvPendingChange *pending = &pending_changes[i];
		int64 part;

		if (!is_of_entry(pending, counter) || pending->nesting != GetCurrentTransactionNestLevel())
			continue;
		part = Min(quantity, pending->taken);
		pending->taken -= part;
		entry->held -= part;
		entry->values.stock += part;
		quantity -= part;
		part = Min(quantity, pending->used);
		pending->used -= part;
		quantity -= part;
	}
	Assert(quantity == 0 && entry->held >= 0); /* I5 */
	inv_entry_unlock_changed(counter);
	inv_entry_wake(counter);
}

/* ---- the ends of transactions and savepoints: nothing here can fail ---- */

/* Make what a change did to its entry final, or undo it.  Under the spinlock. */
static void
end_pending(const InvPendingChange *pending, bool committed)
{
	InvHotEntry *entry = pending->counter.entry;

	Assert(inv_entry_is_locked(entry));
	Assert(pending->epoch == 0 || (pending->epoch <= entry->values.epoch &&
								   pending->epoch >= entry->values.epoch - 1)); /* I6 */
	entry->held -= pending->taken;
	entry->incoming -= pending->given;
	entry->raised -= pending->raised;
	entry->values.stock += committed ? pending->given - pending->used : pending->taken;
	/* modulo 2^64, in which differences of floors add up whatever the order of their ends */
	entry->values.floor =
		(int64) ((uint64) entry->values.floor - (committed ? pending->lowered : pending->raised));
	if (pending->epoch != 0)
		entry->references[pending->epoch & 1]--;
	if (committed)
	{
		entry->values.settled = Max(entry->values.settled, pending->settled);
		if (pending->count_again)
			entry->values.table_version = 0;
		if (pending->limits_stale)
		{
			entry->values.limits_stale = true;
			entry->values.limits_version++;
		}
	}
	/* other sessions could lock the row before this: another may be cooling the item by now */
	else if (pending->cooling && entry->cooler == inv_process_number())
	{
		entry->state = INV_HOT_STATE_HOT;
		entry->cooler = INV_NO_PROCESS;
	}
	Assert(entry->held >= 0 && entry->incoming >= 0);				/* I5 */
	Assert(entry->references[0] >= 0 && entry->references[1] >= 0); /* I5 */
	Assert(entry->values.settled < entry->values.epoch);			/* I6 */
}

/* Forget the changes of an entry that was freed and may be another item's by now. */
static void
forget_pending(InvCounterRef counter)
{
	for (int i = 0; i < pending_count; i++)
		if (is_of_entry(&pending_changes[i], &counter))
		{
			Assert(pending_changes[i].epoch == 0); /* I6 */
			pending_changes[i].counter.entry = NULL;
		}
}

/*
 * End the changes of one entry from a level on, in one section.  By value, because the
 * changes forget the handle.
 */
static void
end_pending_of_entry(InvCounterRef counter, int nesting, bool committed)
{
	bool holds = false, cooled = false;

	if (!inv_entry_lock(&counter))
	{
		forget_pending(counter);
		return;
	}
	for (int i = 0; i < pending_count; i++)
	{
		InvPendingChange *pending = &pending_changes[i];

		if (!is_of_entry(pending, &counter))
			continue;
		if (pending->nesting < nesting)
		{
			holds = holds || pending->taken > 0 || pending->raised > 0;
			continue;
		}
		end_pending(pending, committed);
		cooled = cooled || pending->cooling;
		pending->counter.entry = NULL;
	}
	if (!holds)
		inv_mark_holder(counter.entry, false);
	inv_entry_unlock_changed(&counter);
	if (cooled && committed)
		inv_hot_directory_free(&counter);
	inv_entry_wake(&counter);
}

/* Remove the changes that have ended. */
static void
remove_ended_pending(void)
{
	int kept = 0;

	for (int i = 0; i < pending_count; i++)
		if (pending_changes[i].counter.entry)
			pending_changes[kept++] = pending_changes[i];
	pending_count = kept;
}

/* End all changes from a level on. */
static void
end_all_pending(int nesting, bool committed)
{
	for (int i = 0; i < pending_count; i++)
		if (pending_changes[i].counter.entry && pending_changes[i].nesting >= nesting)
			end_pending_of_entry(pending_changes[i].counter, nesting, committed);
	remove_ended_pending();
}

/*
 * Add a change to the one of the same epoch at the level above, whose reference to the
 * epoch is then enough.
 */
static void
add_pending(InvPendingChange *above, const InvPendingChange *pending)
{
	above->taken += pending->taken;
	above->used += pending->used;
	above->given += pending->given;
	above->raised += pending->raised;
	above->lowered += pending->lowered;
	above->settled = Max(above->settled, pending->settled);
	above->limits_stale |= pending->limits_stale;
	above->count_again |= pending->count_again;
	above->cooling |= pending->cooling;
	if (pending->epoch == 0)
		return;
	inv_entry_lock_referenced(&pending->counter);
	pending->counter.entry->references[pending->epoch & 1]--;
	Assert(pending->counter.entry->references[pending->epoch & 1] > 0); /* I5 */
	inv_entry_unlock_changed(&pending->counter);
}

/* A savepoint is released: its changes become those of the level above. */
static void
merge_pending(int nesting)
{
	for (int i = 0; i < pending_count; i++)
	{
		InvPendingChange *pending = &pending_changes[i];
		InvPendingChange *above;

		Assert(pending->nesting <= nesting); /* deeper levels have ended */
		if (pending->nesting < nesting)
			continue;
		above = find_pending(&pending->counter, nesting - 1, pending->epoch);
		if (above)
		{
			add_pending(above, pending);
			pending->counter.entry = NULL;
		}
		else
			pending->nesting = nesting - 1;
	}
	remove_ended_pending();
}

static void
counter_at_xact_end(XactEvent event, void *arg pg_attribute_unused())
{
	if (pending_count == 0)
		return;
	/* the server calls no callback when a prepared transaction ends */
	if (event == XACT_EVENT_PRE_PREPARE)
		inv_error_prepare();
	if (event == XACT_EVENT_PRE_COMMIT)
	{
		INV_POINT("inventory-before-commit");
		INV_POINT_LOAD("inventory-after-commit");
	}
	if (event == XACT_EVENT_COMMIT)
		INV_POINT_LOADED("inventory-after-commit");
	if (event == XACT_EVENT_ABORT)
		INV_POINT("inventory-after-abort");
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT)
		end_all_pending(1, event == XACT_EVENT_COMMIT);
}

static void
counter_at_subxact_end(SubXactEvent event, SubTransactionId self pg_attribute_unused(),
					   SubTransactionId parent pg_attribute_unused(),
					   void *arg pg_attribute_unused())
{
	if (pending_count == 0)
		return;
	if (event == SUBXACT_EVENT_ABORT_SUB)
	{
		INV_POINT("inventory-after-savepoint-abort");
		end_all_pending(GetCurrentTransactionNestLevel(), false);
	}
	if (event == SUBXACT_EVENT_COMMIT_SUB)
		merge_pending(GetCurrentTransactionNestLevel());
}

void
inv_counter_xact_init(void)
{
	RegisterXactCallback(counter_at_xact_end, NULL);
	RegisterSubXactCallback(counter_at_subxact_end, NULL);
}
