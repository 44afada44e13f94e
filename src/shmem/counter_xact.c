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
#include "shmem/hot_table.h"

static InvRecord *records = NULL;
static int record_count = 0;
static int record_size = 0;

/* ---- records ---- */

static bool
is_of(const InvRecord *record, const InvEscrow *escrow)
{
	return record->entry == escrow->entry && record->generation == escrow->generation;
}

/* Room for one more record, before a spinlock. */
void
inv_record_room(void)
{
	int size = Max(16, record_size * 2);

	if (record_count < record_size)
		return;
	records = records ? repalloc_huge(records, size * sizeof(InvRecord))
					  : MemoryContextAlloc(TopMemoryContext, size * sizeof(InvRecord));
	record_size = size;
}

/* The record of this level and epoch.  A new one keeps the epoch open. */
InvRecord *
inv_record(const InvEscrow *escrow, int64 epoch)
{
	int nesting = GetCurrentTransactionNestLevel();
	InvRecord *record;

	for (int i = record_count - 1; i >= 0; i--)
		if (is_of(&records[i], escrow) && records[i].nesting == nesting &&
			records[i].epoch == epoch)
			return &records[i];
	Assert(record_count < record_size);
	record = &records[record_count++];
	memset(record, 0, sizeof(InvRecord));
	record->entry = escrow->entry;
	record->generation = escrow->generation;
	record->nesting = nesting;
	record->epoch = epoch;
	if (epoch != 0)
		escrow->entry->references[epoch & 1]++;
	return record;
}

InvOwn
inv_own(const InvEscrow *escrow)
{
	InvOwn own = { false, 0, 0 };

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

/* Say whether this process has units in flight, for those who would wait for them. */
void
inv_mark_holder(InvHotEntry *entry, bool holds)
{
	int process = inv_process_number();
	uint64 bit = UINT64CONST(1) << (process % 64);
	uint64 *word = &inv_hotset_holders(entry)[process / 64];

	*word = holds ? *word | bit : *word & ~bit;
}

/* Take back a take of this level, whose movement is not written. */
void
inv_escrow_untake(const InvEscrow *escrow, int64 quantity)
{
	InvHotEntry *entry = escrow->entry;

	SpinLockAcquire(&entry->mutex);
	for (int i = record_count - 1; i >= 0 && quantity > 0; i--)
	{
		InvRecord *record = &records[i];
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
	inv_entry_changed(entry);
	inv_entry_wake(entry);
}

/* ---- the ends of transactions and savepoints: nothing here can fail ---- */

/* Does what a record did to an entry, or undoes it.  Under the spinlock. */
static void
end_record(InvHotEntry *entry, const InvRecord *record, bool committed)
{
	entry->held -= record->taken;
	entry->giving -= record->given;
	entry->now.available += committed ? record->given - record->used : record->taken;
	if (record->epoch != 0)
		entry->references[record->epoch & 1]--;
	/* the row's lock is free before this is said: another may be cooling it by now */
	if (record->cooling && !committed && entry->cooler == inv_process_number())
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
		entry->now.settled = Max(entry->now.settled, record->settled);
	Assert(entry->held >= 0 && entry->giving >= 0);
	Assert(entry->references[0] >= 0 && entry->references[1] >= 0);
}

/* End the records of one entry from a level on, all at once. */
static void
end_records_of(InvEscrow escrow, int nesting, bool committed)
{
	bool holds = false, cooled = false, current;
	InvHotEntry *entry = escrow.entry;

	SpinLockAcquire(&entry->mutex);
	/* records without an epoch do not keep an entry from being cooled and freed */
	current = entry->generation == escrow.generation;
	for (int i = 0; i < record_count; i++)
	{
		if (!is_of(&records[i], &escrow))
			continue;
		if (!current)
		{
			Assert(records[i].epoch == 0);
			records[i].entry = NULL;
			continue;
		}
		if (records[i].nesting < nesting)
		{
			holds = holds || records[i].taken > 0;
			continue;
		}
		end_record(entry, &records[i], committed);
		cooled = cooled || records[i].cooling;
		records[i].entry = NULL;
	}
	if (current && !holds)
		inv_mark_holder(entry, false);
	inv_entry_changed(entry);
	if (cooled && committed)
		inv_hotset_free(&escrow);
	inv_entry_wake(entry);
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
static InvRecord *
record_above(const InvRecord *record)
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
		InvRecord *record = &records[i];
		InvRecord *above = record->nesting >= nesting ? record_above(record) : NULL;

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
			inv_entry_changed(record->entry);
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
inv_inflight_init(void)
{
	RegisterXactCallback(at_transaction_end, NULL);
	RegisterSubXactCallback(at_subtransaction_end, NULL);
}
