/*
 * hot_stock.c
 *		Stock of a hot item, in its counter: what item_row.c is for the others.
 *
 * Nothing here writes the item's row.  The caller inserts the movements, with the
 * epoch that it gets here, in the same transaction.
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "common/int.h"

#include "base/error.h"
#include "base/guc.h"
#include "base/stats.h"
#include "shmem/counter.h"
#include "shmem/counter_xact.h"
#include "shmem/hot_table.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/query.h"
#include "store/query_text.h"
#include "stock/hot_item.h"
#include "stock/hot_stock.h"
#include "stock/quantity.h"

/* ---- waiting ---- */

/* Wait for others in flight, from the first time on no longer than inventory.hot_lock_timeout. */
static void
wait_for_others(InvStore *store, Datum item, const InvEscrow *escrow, InvEscrowTake *part,
				TimestampTz *deadline)
{
	if (*deadline == 0)
	{
		*deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), inv_hot_lock_timeout);
		inv_stats_count(INV_WAITS, 1);
	}
	if (!inv_escrow_wait(escrow, part, *deadline))
		inv_error_busy(inv_item_text(store, item), "others have units of it in flight");
}

/* ---- reading ---- */

/* Read again what the counter was told to forget. */
static void
refresh(InvStore *store, const InvTake *take, InvCounted *now)
{
	Datum item = take->item;
	bool unlimited, isnull;

	if (inv_execute(store, INV_READ_HOT, &item, NULL, INV_LATEST) == 0)
		return;
	now->limit = DatumGetInt64(inv_result(0, 3, &unlimited));
	now->limited = !unlimited;
	now->for_sale = DatumGetBool(inv_result(0, 4, &isnull));
	inv_escrow_refresh(&take->escrow, now);
}

/*
 * Fill a take as a read of the row would; it says nothing of who is in flight.  False
 * if the item is cold by now.
 */
bool
inv_hot_read(InvStore *store, InvTake *take)
{
	InvCounted now;
	InvHeat state = inv_escrow_look(&take->escrow, &now);

	if (state == INV_COLD || state == INV_UNPUBLISHED)
		return false;
	if (now.stale || store->sellable_moves)
		refresh(store, take, &now);
	take->status = now.for_sale ? INV_OK : INV_ITEM_NOT_FOUND;
	take->tracked = true;
	take->stock = now.available;
	take->floor = 0;
	take->limited = now.limited;
	take->limit = now.limit;
	take->overdue = 0;
	return true;
}

/*
 * Units of overdue holds of an item.  It is asked for only when one can be overdue:
 * the counter knows when the first will be.
 */
static int64
overdue_units(InvStore *store, const InvTake *take)
{
	Datum values[] = { take->item, TimestampTzGetDatum(store->now) };
	InvCounted now;
	uint64 changes;
	bool at_rest, none;
	int64 units;

	if (inv_escrow_look(&take->escrow, &now) != INV_HOT || store->now < now.next_expiry)
		return 0;
	at_rest = inv_escrow_at_rest(&take->escrow, &changes);
	inv_execute(store, INV_OVERDUE_UNITS, values, NULL, INV_LATEST);
	units = inv_result_int64(0, 1);
	/* what this transaction did to holds is not so for others */
	if (units == 0 && at_rest && !TransactionIdIsValid(GetTopTransactionIdIfAny()))
	{
		Datum next;

		inv_execute(store, INV_FIRST_EXPIRY, values, NULL, INV_LATEST);
		next = inv_result(0, 1, &none);
		inv_escrow_expired(&take->escrow, none ? DT_NOEND : DatumGetTimestampTz(next), changes);
	}
	return units;
}

/* ---- taking ---- */

/* Look, unless there was enough a moment ago, and take if there is. */
static InvEscrowResult
try_take(InvStore *store, const InvEscrow *escrow, InvEscrowTake *part, bool look)
{
	InvEscrowResult result = look ? inv_escrow_peek(escrow, part) : INV_ESCROW_DONE;

	if (result != INV_ESCROW_DONE)
		return result;
	/* others who wait for these units wait for this transaction */
	(void) GetTopTransactionId();
	return inv_escrow_take(escrow, part, store->now);
}

/* Refuse a take, unless it could never be: its quantity is beyond all numbers. */
static void
set_short(InvTake *take, int64 left, int64 overdue)
{
	int64 sum;

	if (pg_add_s64_overflow(left, take->quantity, &sum))
		inv_error_value(psprintf("quantity " INT64_FORMAT " is out of range", take->quantity),
						NULL);
	take->status = INV_OUT_OF_STOCK;
	take->stock = left;
	take->floor = 0;
	take->overdue = overdue;
}

/*
 * A take was short, or has to wait.  True: it is refused for now, and "overdue" says
 * what could be given back to it.  Otherwise it has to wait, for a part of it if the
 * rest is overdue, or to look again.
 */
static bool
refuses(InvStore *store, InvTake *take, InvEscrowResult result, InvEscrowTake *part)
{
	int64 overdue = overdue_units(store, take);
	InvEscrowTake rest = { .quantity = take->quantity - overdue };

	if (result == INV_ESCROW_WAIT && (overdue == 0 || part->left >= take->quantity))
		return false;
	/* what was overdue may have been given back between the two looks */
	if (overdue < take->quantity - part->left)
	{
		result = inv_escrow_peek(&take->escrow, &rest);
		*part = rest;
		if (result != INV_ESCROW_SHORT)
			return false;
	}
	set_short(take, part->left, overdue);
	return true;
}

/*
 * Take what was read; the status says how it ended, and on out of stock "overdue" what
 * could be given back.  False if the item is cold by now.
 */
bool
inv_hot_take(InvStore *store, InvTake *take)
{
	InvEscrowTake part = { 0 };
	TimestampTz deadline = 0;
	bool look = take->stock < take->quantity;

	for (;; look = true)
	{
		InvEscrowResult result;

		part.quantity = take->quantity;
		result = try_take(store, &take->escrow, &part, look);

		if (result == INV_ESCROW_DONE)
		{
			take->status = INV_OK;
			take->stock = part.left;
			take->floor = 0;
			take->epoch = part.epoch;
			return true;
		}
		if (result == INV_ESCROW_GONE)
			return false;
		if (refuses(store, take, result, &part))
			return true;
		wait_for_others(store, take->item, &take->escrow, &part, &deadline);
	}
}

/* Could a take succeed, now or when others end? */
void
inv_hot_judge(InvStore *store, InvTake *take)
{
	InvEscrowTake part = { .quantity = take->quantity };
	InvEscrowResult result = inv_escrow_peek(&take->escrow, &part);

	if (result == INV_ESCROW_SHORT)
		(void) refuses(store, take, result, &part);
}

void
inv_hot_untake(InvTake *take)
{
	inv_escrow_untake(&take->escrow, take->quantity);
}

/* ---- giving ---- */

/* Give units; false if the item is cold by now. */
static bool
give_units(InvStore *store, Datum item, const InvEscrow *escrow, int64 quantity, int64 *epoch)
{
	/* for waiting: a take of nothing, which needs nothing */
	InvEscrowTake nothing = { .lowest = PG_INT64_MIN };
	TimestampTz deadline = 0;

	(void) GetTopTransactionId();
	for (;;)
	{
		InvEscrowResult result = inv_escrow_give(escrow, quantity, epoch, store->now);

		if (result == INV_ESCROW_DONE)
			return true;
		if (result == INV_ESCROW_GONE)
			return false;
		if (result == INV_ESCROW_OVERFLOW)
			inv_error_overflow("stock");
		wait_for_others(store, item, escrow, &nothing, &deadline);
	}
}

bool
inv_hot_give(InvStore *store, InvGive *give)
{
	give->tracked = give_units(store, give->item, &give->escrow, give->quantity, &give->epoch);
	return give->tracked;
}

/* ---- operators ---- */

/* Take units, or refuse; false if the item is cold by now. */
static bool
take_units(InvStore *store, Datum item, const InvEscrow *escrow, InvEscrowTake *part)
{
	TimestampTz deadline = 0;

	for (;;)
	{
		InvEscrowResult result = try_take(store, escrow, part, true);

		if (result == INV_ESCROW_DONE)
			return true;
		if (result == INV_ESCROW_GONE)
			return false;
		if (result == INV_ESCROW_SHORT)
			inv_error_out_of_stock(psprintf(
				"Item \"%s\": " INT64_FORMAT " to be taken off, " INT64_FORMAT " available.",
				inv_item_text(store, item), part->quantity, Max(part->left - part->lowest, 0)));
		wait_for_others(store, item, escrow, part, &deadline);
	}
}

/*
 * Change the stock by hand, leaving at least "lowest" above the floor; false if the
 * item is cold by now.
 */
bool
inv_hot_change(InvStore *store, Datum item, InvStock *stock, int64 delta, int64 lowest)
{
	if (delta > 0)
	{
		if (!give_units(store, item, &stock->escrow, delta, &stock->epoch))
			return false;
	}
	else
	{
		InvEscrowTake part = { .quantity = -delta, .lowest = lowest };

		if (!take_units(store, item, &stock->escrow, &part))
			return false;
		stock->epoch = part.epoch;
	}
	stock->stock += delta;
	return true;
}

/* ---- the guard's ---- */

/*
 * The row of an item has changed that is hot, but nobody has counted it: what is not
 * settled counts too.
 */
static InvMirrored
check_unpublished(InvStore *store, const InvRowChange *change)
{
	int64 left;

	if ((change->stock_change >= 0 && !change->taken) || change->decided ||
		pg_add_s64_overflow(change->stock, inv_hot_unsettled(store, change->item, INV_LATEST),
							&left) ||
		left >= change->floor)
		return INV_IS_FOLLOWED;
	if (change->taken)
		return INV_IS_WRONG;
	inv_error_out_of_stock(psprintf("Item \"%s\": a direct write would leave " INT64_FORMAT
									", its floor is " INT64_FORMAT ".",
									inv_item_text(store, change->item), left, change->floor));
}

/*
 * The state of an item whose row this transaction has written.  Who cooled it before
 * has ended, but may not have said so here yet.
 */
static InvHeat
settled_state(InvStore *store, Datum item, InvEscrow *escrow)
{
	InvEscrowTake nothing = { .lowest = PG_INT64_MIN };
	TimestampTz deadline = 0;
	InvHeat state;

	while ((state = inv_hot_state(store, item, escrow)) == INV_COOLING)
		wait_for_others(store, item, escrow, &nothing, &deadline);
	return state;
}

/* The counter of a hot item follows its row. */
static void
follow(InvStore *store, const InvRowChange *change, const InvEscrow *escrow)
{
	InvStock stock = { .escrow = *escrow };
	bool here = true;

	if (change->floor_change != 0)
		here = inv_escrow_force(escrow, -change->floor_change, change->floor_change) ==
			   INV_ESCROW_DONE;
	if (change->stock_change != 0 && change->decided)
		here &= inv_escrow_force(escrow, change->stock_change, 0) == INV_ESCROW_DONE;
	else if (change->stock_change != 0)
		here &= inv_hot_change(store, change->item, &stock, change->stock_change, 0);
	if (!here)
		inv_error_busy(inv_item_text(store, change->item), "it ceased to be hot meanwhile");
	if (change->limits)
		inv_escrow_will_be_stale(escrow);
}

/*
 * The row of an item has changed, and this transaction has its lock.  If the item is
 * hot its counter follows, or the change is refused.
 */
InvMirrored
inv_hot_mirror(InvStore *store, const InvRowChange *change)
{
	InvEscrow escrow;
	InvHeat state = settled_state(store, change->item, &escrow);

	if (state == INV_COLD)
		return INV_IS_COLD;
	if (change->vanishes && !change->decided)
		inv_error_direct_write(psprintf("Item \"%s\" is hot.", inv_item_text(store, change->item)),
							   "Make it cold first, with inventory.cool().");
	if (state == INV_UNPUBLISHED)
		return check_unpublished(store, change);
	follow(store, change, &escrow);
	return change->taken ? INV_IS_WRONG : INV_IS_FOLLOWED;
}

/* Which items of a cart are hot, and what they have; false if one was and is not any more. */
bool
inv_hot_find_many(InvStore *store, InvTake *takes, int count)
{
	bool none_lost = true;

	for (int i = 0; i < count; i++)
	{
		bool was = takes[i].hot;

		do
			takes[i].hot = inv_hot_find(store, takes[i].item, &takes[i].escrow);
		while (takes[i].hot && !was && !inv_hot_read(store, &takes[i]));
		none_lost = none_lost && (takes[i].hot || !was);
	}
	return none_lost;
}
