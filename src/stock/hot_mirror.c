/*
 * hot_mirror.c
 *		The counter of a hot item follows its row.
 *
 * Buyers of a hot item do not write its row, but the shop's own code can, and so can
 * a purchase that waited for the row while the item became hot.  The guard reports
 * each such change in the statement that made it.
 *
 * Expects the lock of the item's row.  heat, cool, settle and publish take that lock
 * too, so the state found here holds until the transaction ends.
 */
#include "postgres.h"

#include "common/int.h"
#include "miscadmin.h"

#include "base/error.h"
#include "base/units.h"
#include "shmem/counter.h"
#include "shmem/hot_table.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/query.h"
#include "stock/hot_mirror.h"
#include "stock/hot_publish.h"
#include "stock/hot_row.h"
#include "stock/hot_stock.h"
#include "stock/quantity.h"
#include "stock/row_proof.h"

/* Raise because a direct write would leave less than the floor (IV001). */
void
inv_error_direct_below_floor(InvStore *store, Datum item, int64 left, int64 floor)
{
	InvFacts *facts = inv_item_facts(store, item);

	inv_fact_number(facts, "left", left);
	inv_fact_number(facts, "floor", floor);
	inv_error_below_floor(facts, psprintf("Item \"%s\": a direct write would leave " INT64_FORMAT
										  ", its floor is " INT64_FORMAT ".",
										  facts->name, left, floor));
}

/*
 * May a direct write leave so little?  A floor column binds it.  Without one the counter may
 * be negative, but the row must take that when it is settled.
 */
static bool
may_leave(InvStore *store, const InvRowChange *change, int64 least)
{
	int64 most;

	return store->stock_floor.attnum == InvalidAttrNumber &&
		   inv_row_refusal(store, change->item, least, change->row, &most) == NULL;
}

/*
 * The item is hot, but its counter is not published: it will be counted with this
 * change.  What the row and the unsettled movements have must be enough for it (I1).
 */
static InvMirrored
check_unpublished(InvStore *store, const InvRowChange *change)
{
	bool takes = change->taken || change->stock_change < 0;
	int64 left;

	if (!takes || change->replicated)
		return INV_MIRRORED_FOLLOWED;
	left = inv_add_units(change->stock,
						 inv_hot_sum_unsettled(store, change->item, INV_SNAPSHOT_LATEST));
	if (left >= change->floor)
		return INV_MIRRORED_FOLLOWED;
	if (change->taken)
		return INV_MIRRORED_UNDO;
	/* the smallest bigint stands for all sums below it */
	if (left != PG_INT64_MIN && may_leave(store, change, left))
		return INV_MIRRORED_FOLLOWED;
	inv_error_direct_below_floor(store, change->item, left, change->floor);
}

/*
 * The state of an item whose row this transaction has written; never COOLING.  A
 * session that cooled the item has ended its (sub)transaction, or it would still have
 * the row, but may not have changed the entry yet: wait until it has.
 */
static InvHotState
wait_for_cooler(InvStore *store, Datum item, InvCounterRef *counter)
{
	int64 deadline = 0;
	InvHotState state;

	while ((state = inv_hot_state(store, item, counter)) == INV_HOT_STATE_COOLING)
		inv_hot_stock_wait(store, item, counter, NULL, &deadline);
	return state;
}

/* Change the floor of the counter; false if the item is cold by now. */
static bool
follow_floor(const InvRowChange *change, const InvCounterRef *counter)
{
	InvCounterResult result;

	/* another session that changed the floor is over, but its callback has not run yet */
	while ((result = inv_counter_change_floor(counter, change->old_floor, change->floor)) ==
		   INV_COUNTER_WAIT)
	{
		CHECK_FOR_INTERRUPTS();
		pg_usleep(1000);
	}
	return result == INV_COUNTER_DONE;
}

/* The least that the counter may have after a direct write, if that is below the floor. */
static int64
least_left(InvStore *store, const InvRowChange *change, const InvCounterRef *counter)
{
	InvCounterValues now;
	int64 left;

	if (change->stock_change > 0)
		return PG_INT64_MAX;
	if (may_leave(store, change, inv_min_units(store)))
		return inv_min_units(store);
	if (inv_counter_read_with_own(counter, &now) == INV_HOT_STATE_HOT &&
		!pg_add_s64_overflow(now.stock, change->stock_change, &left) &&
		may_leave(store, change, left))
		return left;
	return PG_INT64_MAX;
}

/*
 * Change the counter by what changed in the row: units that are gone are taken, or
 * refused (IV001); units that were added are given.  A change of the floor, or one
 * that is replicated, cannot be refused.
 */
static void
follow_row(InvStore *store, const InvRowChange *change, const InvCounterRef *counter)
{
	InvStock stock = { .item = change->item, .counter = *counter };
	bool followed = true;

	if (change->floor != change->old_floor)
		followed = follow_floor(change, counter);
	if (change->stock_change != 0 && change->replicated)
		followed &= inv_counter_change_unchecked(counter, change->stock_change) == INV_COUNTER_DONE;
	else if (change->stock_change != 0)
		followed &= inv_hot_stock_change(store, &stock, change->stock_change,
										 least_left(store, change, counter));
	if (!followed)
		inv_error_busy(inv_item_facts(store, change->item), "it was cooled concurrently");
	if (change->limits_may_change)
		inv_counter_invalidate_limits(counter);
}

static const char *
cool_hint(InvStore *store, Datum item)
{
	return psprintf("Make it cold first: %s",
					inv_call_text("cool", store->items, inv_item_text(store, item)));
}

/*
 * The row of a hot item was changed by other code than the engine: it must still take all
 * that the counter allows.  Raises IV013 if it might not.  A change that is replicated
 * cannot be refused: the counter is counted again then, or the item is demoted.
 */
static void
check_row(InvStore *store, const InvRowChange *change, const InvCounterRef *counter)
{
	InvCounterValues now;
	const char *refusal;
	int64 most;

	if (change->row == NULL || inv_counter_read(counter, &now) != INV_HOT_STATE_HOT)
		return;
	refusal =
		inv_row_refusal(store, change->item, Min(change->floor, now.stock), change->row, &most);
	if (refusal == NULL && most == now.max_stock)
		return;
	if (change->replicated)
		inv_counter_count_again(counter);
	else
		inv_error_direct_write(
			inv_item_facts(store, change->item),
			psprintf("Item \"%s\" is hot, and its row could refuse to be written with what is "
					 "sold. %s",
					 inv_item_text(store, change->item),
					 refusal ? refusal : "A constraint would allow another stock than before."),
			cool_hint(store, change->item));
}

/*
 * The row of an item has changed: if the item is hot, let its counter follow, or
 * refuse the change (IV001, or IV013 where the item would cease to be tracked).
 */
InvMirrored
inv_hot_mirror(InvStore *store, const InvRowChange *change)
{
	InvCounterRef counter;
	InvHotState state = wait_for_cooler(store, change->item, &counter);

	Assert(state != INV_HOT_STATE_COOLING);
	Assert(!change->taken || !change->replicated);
	if (state == INV_HOT_STATE_COLD)
		return INV_MIRRORED_COLD;
	if (change->tracking_changes && !change->replicated)
		inv_error_direct_write(inv_item_facts(store, change->item),
							   psprintf("Item \"%s\" is hot.", inv_item_text(store, change->item)),
							   cool_hint(store, change->item));
	if (state == INV_HOT_STATE_UNPUBLISHED)
		return check_unpublished(store, change);
	check_row(store, change, &counter);
	follow_row(store, change, &counter);
	return change->taken ? INV_MIRRORED_UNDO : INV_MIRRORED_FOLLOWED;
}
