/*
 * counter_xact.c
 *		What this transaction has in flight of hot items.
 *
 * What a transaction did is remembered in records, one for each entry, epoch and
 * level of savepoints.  A record keeps its epoch from being settled, and its entry
 * from being freed.  Ends of transactions change an entry in one section under its
 * spinlock, because what one record gave another may have used.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "base/error.h"
#include "shmem/counter_xact.h"
#include "shmem/hot_directory.h"
#include "shmem/hot_table.h"

static InvPendingChange *pending_changes = NULL;
static int pending_count = 0;
static int pending_size = 0;

/* ---- records ---- */

static bool
is_of_entry(const InvPendingChange *pending, const InvCounterRef *counter)
{
	return pending->entry == counter->entry && pending->generation == counter->generation;
}

/* Room for one more record, before a spinlock. */
void
inv_reserve_pending(void)
{
	int size = Max(16, pending_size * 2);

	if (pending_count < pending_size)
		return;
	pending_changes = pending_changes
						  ? repalloc_huge(pending_changes, size * sizeof(InvPendingChange))
						  : MemoryContextAlloc(TopMemoryContext, size * sizeof(InvPendingChange));
	pending_size = size;
}

/* The record of this level and epoch.  A new one keeps the epoch open. */
InvPendingChange *
inv_pending_change(const InvCounterRef *counter, int64 epoch)
{
	int nesting = GetCurrentTransactionNestLevel();
	InvPendingChange *pending;

	for (int i = pending_count - 1; i >= 0; i--)
		if (is_of_entry(&pending_changes[i], counter) && pending_changes[i].nesting == nesting &&
			pending_changes[i].epoch == epoch)
			return &pending_changes[i];
	Assert(pending_count < pending_size);
	pending = &pending_changes[pending_count++];
	memset(pending, 0, sizeof(InvPendingChange));
	pending->entry = counter->entry;
	pending->generation = counter->generation;
	pending->nesting = nesting;
	pending->epoch = epoch;
	if (epoch != 0)
		counter->entry->references[epoch & 1]++;
	return pending;
}

InvXactUsage
inv_xact_usage(const InvCounterRef *counter)
{
	InvXactUsage usage = { false, 0, 0 };

	for (int i = 0; i < pending_count; i++)
	{
		if (!is_of_entry(&pending_changes[i], counter))
			continue;
		usage.any = usage.any || pending_changes[i].epoch != 0;
		usage.taken += pending_changes[i].taken;
		usage.given += pending_changes[i].given - pending_changes[i].used;
	}
	return usage;
}

/* Say whether this process has units in flight, for those who would wait for them. */
void
inv_mark_holder(InvHotEntry *entry, bool holds)
{
	int process = inv_process_number();
	uint64 bit = UINT64CONST(1) << (process % 64);
	uint64 *word = &inv_hot_table_holders(entry)[process / 64];

	*word = holds ? *word | bit : *word & ~bit;
}

/* Take back a take of this level, whose movement is not written. */
void
inv_counter_untake(const InvCounterRef *counter, int64 quantity)
{
	InvHotEntry *entry = counter->entry;

	SpinLockAcquire(&entry->mutex);
	for (int i = pending_count - 1; i >= 0 && quantity > 0; i--)
	{
		InvPendingChange *pending = &pending_changes[i];
		int64 part;

		if (!is_of_entry(pending, counter) || pending->nesting != GetCurrentTransactionNestLevel())
			continue;
		part = Min(quantity, pending->taken);
		pending->taken -= part;
		entry->held -= part;
		entry->now.available += part;
		quantity -= part;
		part = Min(quantity, pending->used);
		pending->used -= part;
		quantity -= part;
	}
	Assert(quantity == 0);
	inv_entry_unlock_changed(entry);
	inv_entry_wake(entry);
}

/* ---- the ends of transactions and savepoints: nothing here can fail ---- */

/* Does what a record did to an entry, or undoes it.  Under the spinlock. */
static void
end_pending(InvHotEntry *entry, const InvPendingChange *pending, bool committed)
{
	entry->held -= pending->taken;
	entry->giving -= pending->given;
	entry->now.available += committed ? pending->given - pending->used : pending->taken;
	if (pending->epoch != 0)
		entry->references[pending->epoch & 1]--;
	/* the row's lock is free before this is said: another may be cooling it by now */
	if (pending->cooling && !committed && entry->cooler == inv_process_number())
	{
		entry->state = INV_HOT_STATE_HOT;
		entry->cooler = -1;
	}
	if (committed && pending->stale)
	{
		entry->now.stale = true;
		entry->now.readings++;
	}
	if (committed)
		entry->now.floor += pending->floor;
	if (committed && pending->settled != 0)
		entry->now.settled = Max(entry->now.settled, pending->settled);
	Assert(entry->held >= 0 && entry->giving >= 0);
	Assert(entry->references[0] >= 0 && entry->references[1] >= 0);
}

/* End the records of one entry from a level on, all at once. */
static void
end_pending_of_entry(InvCounterRef counter, int nesting, bool committed)
{
	bool holds = false, cooled = false, current;
	InvHotEntry *entry = counter.entry;

	SpinLockAcquire(&entry->mutex);
	/* records without an epoch do not keep an entry from being cooled and freed */
	current = entry->generation == counter.generation;
	for (int i = 0; i < pending_count; i++)
	{
		if (!is_of_entry(&pending_changes[i], &counter))
			continue;
		if (!current)
		{
			Assert(pending_changes[i].epoch == 0);
			pending_changes[i].entry = NULL;
			continue;
		}
		if (pending_changes[i].nesting < nesting)
		{
			holds = holds || pending_changes[i].taken > 0;
			continue;
		}
		end_pending(entry, &pending_changes[i], committed);
		cooled = cooled || pending_changes[i].cooling;
		pending_changes[i].entry = NULL;
	}
	if (current && !holds)
		inv_mark_holder(entry, false);
	inv_entry_unlock_changed(entry);
	if (cooled && committed)
		inv_hot_table_free(&counter);
	inv_entry_wake(entry);
}

static void
end_all_pending(int nesting, bool committed)
{
	int kept = 0;

	for (int i = 0; i < pending_count; i++)
		if (pending_changes[i].entry && pending_changes[i].nesting >= nesting)
		{
			InvCounterRef counter = { pending_changes[i].entry, pending_changes[i].generation };

			end_pending_of_entry(counter, nesting, committed);
		}
	for (int i = 0; i < pending_count; i++)
		if (pending_changes[i].entry)
			pending_changes[kept++] = pending_changes[i];
	pending_count = kept;
}

/* The record that another becomes part of one level up, or null. */
static InvPendingChange *
pending_above(const InvPendingChange *pending)
{
	InvCounterRef counter = { pending->entry, pending->generation };

	for (int i = 0; i < pending_count; i++)
		if (is_of_entry(&pending_changes[i], &counter) &&
			pending_changes[i].epoch == pending->epoch &&
			pending_changes[i].nesting == pending->nesting - 1)
			return &pending_changes[i];
	return NULL;
}

/* A savepoint is released: its records are those of the level above. */
static void
merge_pending(int nesting)
{
	int kept = 0;

	for (int i = 0; i < pending_count; i++)
	{
		InvPendingChange *pending = &pending_changes[i];
		InvPendingChange *above = pending->nesting >= nesting ? pending_above(pending) : NULL;

		if (above == NULL)
		{
			pending->nesting = Min(pending->nesting, nesting - 1);
			pending_changes[kept++] = *pending;
			continue;
		}
		above->taken += pending->taken;
		above->used += pending->used;
		above->given += pending->given;
		above->floor += pending->floor;
		above->settled = Max(above->settled, pending->settled);
		above->stale |= pending->stale;
		above->cooling |= pending->cooling;
		if (pending->epoch != 0)
		{
			SpinLockAcquire(&pending->entry->mutex);
			pending->entry->references[pending->epoch & 1]--;
			inv_entry_unlock_changed(pending->entry);
		}
	}
	pending_count = kept;
}

static void
counter_at_xact_end(XactEvent event, void *arg)
{
	if (pending_count == 0)
		return;
	if (event == XACT_EVENT_PRE_PREPARE)
		inv_error_prepare();
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT)
		end_all_pending(1, event == XACT_EVENT_COMMIT);
}

static void
counter_at_subxact_end(SubXactEvent event, SubTransactionId self, SubTransactionId parent,
					   void *arg)
{
	if (pending_count == 0)
		return;
	if (event == SUBXACT_EVENT_ABORT_SUB)
		end_all_pending(GetCurrentTransactionNestLevel(), false);
	if (event == SUBXACT_EVENT_COMMIT_SUB)
		merge_pending(GetCurrentTransactionNestLevel());
}

void
inv_counter_xact_init(void)
{
	RegisterXactCallback(counter_at_xact_end, NULL);
	RegisterSubXactCallback(counter_at_subxact_end, NULL);
}
