/*
 * counter.c
 *		The counter of a hot item: take and give.
 *
 * The buyers of a hot item do not write its row.  What can be sold of it is a number in
 * shared memory.  The durable truth is the movements, which the same transactions append
 * with an epoch; after a crash the number is counted again from them.
 *
 * What is taken leaves the number at once, and comes back if the transaction or the
 * savepoint is rolled back.  What is given is added only when its transaction is
 * committed and visible.  So, for every snapshot and every prefix of the WAL (I4):
 *
 *		counted stock <= stock column + unsettled movements
 *						 - what is taken by transactions that may still commit
 *
 * A raised floor works like a take: at once, until its transaction is rolled back.  A
 * lowered one works like a give: with the commit.
 *
 * Entries are read and changed under their spinlocks (entry_lock.h).  counter_xact.c
 * remembers what a transaction did to them, and ends it.
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/int.h"

#include "base/compat.h"
#include "base/units.h"
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
 * The same, with what this transaction itself has given and lowered, and limits that are
 * stale if it has changed them.
 */
InvHotState
inv_counter_read_with_own(const InvCounterRef *counter, InvCounterValues *values)
{
	InvXactUsage usage = inv_xact_usage(counter);
	InvHotState state = inv_counter_read(counter, values);

	if (state == INV_HOT_STATE_COLD)
		return state;
	values->stock = inv_add_units(values->stock, usage.given_unused);
	values->floor = (int64) ((uint64) values->floor - usage.lowered);
	values->limits_stale = values->limits_stale || usage.limits_changed;
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
	Assert(!at_rest || (entry->held == 0 && entry->incoming == 0 && entry->raised == 0)); /* I9 */
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

/* Is it published, and counted with this version of the table?  Under the spinlock. */
static bool
is_hot(const InvCounterRef *counter)
{
	Assert(inv_entry_is_locked(counter->entry));
	return counter->entry->state == INV_HOT_STATE_HOT &&
		   counter->entry->values.table_version == counter->table_version;
}

/*
 * May this transaction begin something here?  While another process cools the item, only
 * a transaction that has units in flight already goes on.  A counter of another version of
 * the table has to be counted again first, when nothing is in flight; that is looked at here,
 * because the end of a cooling can make such an entry hot again at any time.  Under the
 * spinlock.
 */
static InvCounterResult
admit(const InvCounterRef *counter, const InvXactUsage *usage)
{
	const InvHotEntry *entry = counter->entry;
	bool by_others = entry->cooler != INV_NO_PROCESS && entry->cooler != inv_process_number();

	Assert(inv_entry_is_locked(entry));
	if (entry->state == INV_HOT_STATE_COOLING)
		return by_others ? INV_COUNTER_WAIT : INV_COUNTER_NOT_HOT;
	if (entry->state != INV_HOT_STATE_HOT)
		return INV_COUNTER_NOT_HOT;
	if (!is_hot(counter))
		return !inv_entry_has_references(entry) ? INV_COUNTER_NOT_HOT
			   : usage->has_reference			? INV_COUNTER_OWN
												: INV_COUNTER_WAIT;
	return by_others && !usage->has_reference ? INV_COUNTER_WAIT : INV_COUNTER_DONE;
}

static bool
leaves_enough(int64 stock, int64 floor, const InvCounterTake *take)
{
	int64 least = take->below_floor ? Min(floor, take->least) : floor;
	int64 left;

	return !pg_sub_s64_overflow(stock, take->quantity, &left) && left >= least;
}

/* The part of a take that does not come from what this transaction gave. */
static int64
taken_from_others(const InvXactUsage *usage, const InvCounterTake *take)
{
	return take->quantity - Max(0, Min(usage->given_unused, take->quantity));
}

/*
 * What would become of a take.  Too few units are final only if no other transaction in
 * flight could give back enough (I7).  Under the spinlock.
 */
static InvCounterResult
judge_counter_take(const InvCounterRef *counter, const InvXactUsage *usage, InvCounterTake *take)
{
	const InvHotEntry *entry = counter->entry;
	InvCounterResult result = admit(counter, usage);
	int64 stock_then, floor_then, held;

	Assert(usage->taken >= 0 && usage->taken <= entry->held); /* I5 */
	take->left = inv_add_units(entry->values.stock, usage->given_unused);
	take->floor = (int64) ((uint64) entry->values.floor - usage->lowered);
	if (result != INV_COUNTER_DONE)
		return result;
	if (leaves_enough(take->left, take->floor, take))
	{
		/* a stock can go from one end of its range to the other, more than one bigint counts */
		if (!pg_add_s64_overflow(entry->held, taken_from_others(usage, take), &held))
			return INV_COUNTER_DONE;
		return usage->taken > 0 ? INV_COUNTER_OWN : INV_COUNTER_WAIT;
	}
	/* what there would be, above which floor, if all the others were rolled back */
	stock_then = inv_add_units(take->left, entry->held - usage->taken);
	floor_then = (int64) ((uint64) take->floor - (entry->raised - usage->raised));
	return leaves_enough(stock_then, floor_then, take) ? INV_COUNTER_WAIT : INV_COUNTER_SHORT;
}

/* Would a take succeed, now or when others end?  It costs no transaction id to ask. */
InvCounterResult
inv_counter_peek(const InvCounterRef *counter, InvCounterTake *take)
{
	InvXactUsage usage = inv_xact_usage(counter);
	InvCounterResult result;

	if (!inv_entry_lock(counter))
		return INV_COUNTER_NOT_HOT;
	result = judge_counter_take(counter, &usage, take);
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
	result = judge_counter_take(counter, &usage, take);
	if (result != INV_COUNTER_DONE)
	{
		inv_entry_unlock(counter);
		return result;
	}
	pending = inv_get_pending(counter, entry->values.epoch);
	taken = taken_from_others(&usage, take);
	used = take->quantity - taken;
	pending->used += used;
	pending->taken += taken;
	entry->values.stock -= taken;
	entry->held += taken;
	if (taken > 0)
		inv_mark_holder(entry, true);
	take->epoch = pending->epoch;
	take->left -= take->quantity;
	note_movement(entry, now);
	inv_entry_unlock_changed(counter);
	return INV_COUNTER_DONE;
}

/*
 * Could the stock column overflow, depending on which transactions in flight commit?  What
 * this one has taken can come back only if what it gives afterwards is undone as well.  Nor may
 * the sum of what is given, a part of which can be taken again, overflow.
 */
static bool
would_overflow(const InvHotEntry *entry, const InvXactUsage *usage, int64 quantity)
{
	int64 total;

	return pg_add_s64_overflow(entry->values.stock, entry->held - usage->taken, &total) ||
		   pg_add_s64_overflow(total, entry->incoming - usage->used, &total) ||
		   pg_add_s64_overflow(total, quantity, &total) || total > entry->values.max_stock ||
		   pg_add_s64_overflow(entry->incoming, quantity, &total);
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
	result = admit(counter, &usage);
	if (result == INV_COUNTER_DONE && would_overflow(entry, &usage, quantity))
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
 * Change the stock without a check, because a subscriber applies what was decided
 * elsewhere.  The caller has the item's row locked.
 */
InvCounterResult
inv_counter_change_unchecked(const InvCounterRef *counter, int64 change)
{
	InvHotEntry *entry = counter->entry;
	InvPendingChange *pending;

	inv_reserve_pending();
	if (!inv_entry_lock(counter))
		return INV_COUNTER_NOT_HOT;
	if (!is_hot(counter))
	{
		inv_entry_unlock(counter);
		return INV_COUNTER_NOT_HOT;
	}
	pending = inv_get_pending(counter, entry->values.epoch);
	if (change < 0)
	{
		pending->taken -= change;
		entry->values.stock += change;
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

/*
 * Change the floor, which is never refused: a raise counts at once, the opposite with the
 * commit; a raise first undoes what this transaction has lowered.  The caller has the
 * item's row locked.  WAIT: an earlier change has not ended, and in between the floor would
 * be out of range.
 */
InvCounterResult
inv_counter_change_floor(const InvCounterRef *counter, int64 from, int64 to)
{
	InvHotEntry *entry = counter->entry;
	InvXactUsage usage = inv_xact_usage(counter);
	uint64 raised = to > from ? (uint64) to - (uint64) from : 0;
	uint64 undone = Min(raised, usage.lowered);
	InvCounterResult result = INV_COUNTER_NOT_HOT;
	int64 floor;

	inv_reserve_pending();
	if (!inv_entry_lock(counter))
		return INV_COUNTER_NOT_HOT;
	floor = (int64) ((uint64) entry->values.floor + (raised - undone));
	if (is_hot(counter))
		result = floor < entry->values.floor ? INV_COUNTER_WAIT : INV_COUNTER_DONE;
	if (result == INV_COUNTER_DONE)
	{
		InvPendingChange *pending = inv_get_pending(counter, entry->values.epoch);

		entry->values.floor = floor;
		entry->raised += raised - undone;
		pending->raised += raised - undone;
		pending->lowered += to < from ? (uint64) from - (uint64) to : 0 - undone;
		if (raised > undone)
			inv_mark_holder(entry, true);
		entry->changes++;
	}
	inv_entry_unlock(counter);
	return result;
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

/* This transaction changes the row so that the counter has to be counted again. */
void
inv_counter_count_again(const InvCounterRef *counter)
{
	inv_reserve_pending();
	if (!inv_entry_lock(counter))
		return;
	inv_get_pending(counter, 0)->count_again = true;
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
