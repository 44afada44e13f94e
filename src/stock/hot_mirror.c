/*
 * hot_mirror.c
 *		The counter of a hot item follows its row.
 */
#include "postgres.h"

#include "common/int.h"

#include "base/error.h"
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

/*
 * The row of an item has changed that is hot, but nobody has counted it: what is not
 * settled counts too.
 */
static InvMirrored
check_unpublished(InvStore *store, const InvRowChange *change)
{
	int64 left;

	if ((change->stock_change >= 0 && !change->taken) || change->decided ||
		pg_add_s64_overflow(change->stock,
							inv_hot_sum_unsettled(store, change->item, INV_SNAPSHOT_LATEST),
							&left) ||
		left >= change->floor)
		return INV_MIRRORED_FOLLOWED;
	if (change->taken)
		return INV_MIRRORED_UNDO;
	inv_error_out_of_stock(psprintf("Item \"%s\": a direct write would leave " INT64_FORMAT
									", its floor is " INT64_FORMAT ".",
									inv_item_text(store, change->item), left, change->floor));
}

/*
 * The state of an item whose row this transaction has written.  Who cooled it before
 * has ended, but may not have said so here yet.
 */
static InvHotState
wait_for_cooler(InvStore *store, Datum item, InvCounterRef *counter)
{
	InvCounterTake nothing = { .lowest = PG_INT64_MIN };
	TimestampTz deadline = 0;
	InvHotState state;

	while ((state = inv_hot_state(store, item, counter)) == INV_HOT_STATE_COOLING)
		inv_hot_stock_wait(store, item, counter, &nothing, &deadline);
	return state;
}

/* The counter of a hot item follows its row. */
static void
follow_row(InvStore *store, const InvRowChange *change, const InvCounterRef *counter)
{
	InvStock stock = { .counter = *counter };
	bool here = true;

	if (change->floor_change != 0)
		here = inv_counter_force(counter, -change->floor_change, change->floor_change) ==
			   INV_COUNTER_DONE;
	if (change->stock_change != 0 && change->decided)
		here &= inv_counter_force(counter, change->stock_change, 0) == INV_COUNTER_DONE;
	else if (change->stock_change != 0)
		here &= inv_hot_stock_change(store, change->item, &stock, change->stock_change, 0);
	if (!here)
		inv_error_busy(inv_item_text(store, change->item), "it ceased to be hot meanwhile");
	if (change->limits)
		inv_counter_will_be_stale(counter);
}

/*
 * The row of an item has changed, and this transaction has its lock.  If the item is
 * hot its counter follows, or the change is refused.
 */
InvMirrored
inv_hot_mirror(InvStore *store, const InvRowChange *change)
{
	InvCounterRef counter;
	InvHotState state = wait_for_cooler(store, change->item, &counter);

	if (state == INV_HOT_STATE_COLD)
		return INV_MIRRORED_COLD;
	if (change->vanishes && !change->decided)
		inv_error_direct_write(psprintf("Item \"%s\" is hot.", inv_item_text(store, change->item)),
							   "Make it cold first, with inventory.cool().");
	if (state == INV_HOT_STATE_UNPUBLISHED)
		return check_unpublished(store, change);
	follow_row(store, change, &counter);
	return change->taken ? INV_MIRRORED_UNDO : INV_MIRRORED_FOLLOWED;
}
