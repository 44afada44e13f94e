/*
 * row_take.c
 *		Take units of cold items from their rows.
 *
 * There are three strategies:
 *
 *		atomic		one conditional UPDATE; its row count decides
 *		pessimistic	SELECT ... FOR NO KEY UPDATE, then the UPDATE
 *		optimistic	read, then compare-and-set on version or value, with retries
 *
 * All three write "stock = stock - q WHERE stock - q >= floor" (invariant 3), so they
 * are safe beside each other and beside any other code.  What they do before only
 * decides when a call waits and when it gives up.
 *
 * Where direct_take.c can do what the UPDATE does, it takes the UPDATE's place.  An UPDATE
 * is announced to the guard (expected.c).  Either may answer that the item is hot: then
 * what was taken goes back into the row.  Expects the store to be entered; movements are
 * the caller's.
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/pg_prng.h"
#include "miscadmin.h"

#include "base/error.h"
#include "base/guc.h"
#include "base/stats.h"
#include "base/store_error.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/condition.h"
#include "store/query.h"
#include "store/query_text.h"
#include "stock/direct_take.h"
#include "stock/expected.h"
#include "stock/item_row.h"
#include "stock/quantity.h"
#include "stock/row_take.h"

/* how often the conditional UPDATE may match no row although a read finds enough */
#define ATOMIC_TRIES 100

/*
 * The item became hot while its row was waited for: put back what was taken from the row,
 * as the caller takes from the counter instead.
 */
static void
undo_row_take(InvStore *store, const InvTake *take)
{
	(void) inv_item_row_change(store, take->item, take->quantity, true, INV_SNAPSHOT_TRANSACTION);
}

/* Run a conditional UPDATE of one row; false if its condition does not hold. */
static bool
execute_take(InvStore *store, const InvTake *take, InvTakeCondition condition, InvRowLevel *level)
{
	static const InvStatement statements[] = {
		[INV_TAKE_IF_SELLABLE] = INV_STMT_TAKE,
		[INV_TAKE_IF_VERSION] = INV_STMT_TAKE_IF_VERSION,
		[INV_TAKE_IF_ENOUGH] = INV_STMT_TAKE_LOCKED,
	};
	Datum values[] = { take->item, Int64GetDatum(take->quantity), Int64GetDatum(take->version) };
	int base = inv_expect_begin();
	uint64 rows;

	inv_expect(store, take->item, -take->quantity);
	rows = inv_execute(store, statements[condition], values, NULL, INV_SNAPSHOT_TRANSACTION);
	if (rows > 1)
		inv_error_broken_store(store->store_name, store->items,
							   "The key of its items is not unique.");
	inv_expect_end(store, base, rows == 1, level);
	return rows == 1;
}

/*
 * Take from the row if a condition holds, without a statement if that is possible; false
 * if it does not hold.  True: the units were taken, or take->hot is set, and nothing was.
 */
static bool
update_row(InvStore *store, InvTake *take, InvTakeCondition condition)
{
	InvRowLevel level;
	InvDirectOutcome outcome = inv_direct_take(store, take, condition, &level);

	if (outcome == INV_DIRECT_NO_ROW ||
		(outcome == INV_DIRECT_NOT_POSSIBLE && !execute_take(store, take, condition, &level)))
		return false;
	take->hot = level.hot;
	if (level.hot)
		undo_row_take(store, take);
	take->row_written = outcome == INV_DIRECT_TAKEN && !level.hot;
	take->status = INV_STATUS_OK;
	take->tracked = true;
	take->stock = level.stock;
	take->floor = level.floor;
	return true;
}

/* Judge what was read; true if that is the answer: refused, or not tracked. */
static bool
is_decided(InvTake *take)
{
	if (take->status == INV_STATUS_OK)
		take->status = inv_judge_take(take);
	return take->status != INV_STATUS_OK || !take->tracked;
}

/*
 * Read and judge without a lock.  The read is of what is committed now, so that a refusal
 * is right at this instant, whatever the transaction's snapshot is.
 */
static bool
read_and_decide(InvStore *store, InvTake *take)
{
	inv_item_row_read(store, take);
	return is_decided(take);
}

static void
take_atomic(InvStore *store, InvTake *take)
{
	/*
	 * After a refusal look first: when an item is sold out its buyers keep coming, and
	 * a look costs less than an UPDATE that matches nothing.  With a large quantity
	 * "stock - quantity" could overflow in the UPDATE.
	 */
	if ((store->last_take_failed || take->quantity > PG_INT32_MAX) && read_and_decide(store, take))
		return;
	for (int tries = 0; tries < ATOMIC_TRIES; tries++)
	{
		if (update_row(store, take, INV_TAKE_IF_SELLABLE))
			return;
		if (read_and_decide(store, take))
			return;
		/* there is enough, but this transaction's snapshot does not see it */
		if (IsolationUsesXactSnapshot())
			inv_error_serialization();
		CHECK_FOR_INTERRUPTS();
		inv_stats_count(INV_STATS_RETRIES, 1);
	}
	inv_error_busy(inv_item_facts(store, take->item), "its row could not be written");
}

static void
take_pessimistic(InvStore *store, InvTake *take)
{
	if (read_and_decide(store, take))
		return;
	inv_item_row_lock(store, take);
	if (is_decided(take))
	{
		if (IsolationUsesXactSnapshot())
			inv_error_serialization();
		/* holds can have been made and become overdue while this waited: read them now */
		if (take->status != INV_STATUS_OUT_OF_STOCK || read_and_decide(store, take))
			return;
	}
	if (!update_row(store, take, INV_TAKE_IF_ENOUGH))
		inv_error_busy(inv_item_facts(store, take->item), "its row could not be written");
}

/* Sleep for a random time that grows with the attempts, to spread out competing calls. */
static void
back_off(int attempt)
{
	double longest = Min(100.0 * (1 << Min(attempt, 8)), 10000.0); /* microseconds */

	CHECK_FOR_INTERRUPTS();
	inv_stats_count(INV_STATS_RETRIES, 1);
	pg_usleep((long) (longest * pg_prng_double(&pg_global_prng_state)));
}

static void
take_optimistic(InvStore *store, InvTake *take)
{
	for (int attempt = 0; attempt <= inv_optimistic_retries; attempt++)
	{
		if (attempt > 0)
			back_off(attempt);
		if (read_and_decide(store, take))
			return;
		if (update_row(store, take, INV_TAKE_IF_VERSION))
			return;
		if (IsolationUsesXactSnapshot())
			inv_error_serialization();
	}
	inv_error_busy(inv_item_facts(store, take->item),
				   "its row was changed concurrently at each attempt");
}

/*
 * Take one item by the strategy that inventory.strategy names.  The status says how it
 * ended; if the item has become hot, take->hot is set and nothing was taken.
 */
void
inv_row_take(InvStore *store, InvTake *take)
{
	InvStrategy strategy = inv_strategy;

	Assert(!take->hot);

	/*
	 * Triggers of the shop have the settings of the caller, and the condition those that
	 * were recorded: where these differ, an UPDATE cannot contain the condition.
	 */
	if (!inv_condition_settings_are_current(store->sellable))
		strategy = INV_STRATEGY_PESSIMISTIC;
	switch (strategy)
	{
		case INV_STRATEGY_ATOMIC:
			take_atomic(store, take);
			break;
		case INV_STRATEGY_PESSIMISTIC:
			take_pessimistic(store, take);
			break;
		case INV_STRATEGY_OPTIMISTIC:
			take_optimistic(store, take);
			break;
	}
	store->last_take_failed = take->status == INV_STATUS_OUT_OF_STOCK;
}

/*
 * Take the cold items of a cart from their rows, in key order, which this transaction has
 * locked and found sufficient.  A statement takes those that cannot be taken without one.
 */
void
inv_row_take_locked(InvStore *store, InvTake *takes, int count)
{
	if (!inv_direct_take_locked(store, takes, count))
		inv_item_row_take_many(store, takes, count);
}
