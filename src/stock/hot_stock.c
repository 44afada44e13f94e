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
#include "stock/hot_publish.h"
#include "stock/hot_stock.h"
#include "stock/quantity.h"

/* ---- waiting ---- */

/* Wait for others in flight, from the first time on no longer than inventory.hot_lock_timeout. */
void
inv_hot_stock_wait(InvStore *store, Datum item, const InvCounterRef *counter, InvCounterTake *part,
				   TimestampTz *deadline)
{
	if (*deadline == 0)
	{
		*deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), inv_hot_lock_timeout);
		inv_stats_count(INV_STATS_WAITS, 1);
	}
	if (!inv_counter_wait(counter, part, *deadline))
		inv_error_busy(inv_item_text(store, item), "others have units of it in flight");
}

/* ---- reading ---- */

/* Read again what the counter was told to forget. */
static void
refresh_limits(InvStore *store, const InvTake *take, InvCounterValues *now)
{
	Datum item = take->item;
	bool unlimited, isnull;

	if (inv_execute(store, INV_STMT_READ_HOT, &item, NULL, INV_SNAPSHOT_LATEST) == 0)
		return;
	now->limit = DatumGetInt64(inv_result(0, 3, &unlimited));
	now->limited = !unlimited;
	now->for_sale = DatumGetBool(inv_result(0, 4, &isnull));
	inv_counter_refresh(&take->counter, now);
}

/*
 * Fill a take as a read of the row would; it says nothing of who is in flight.  False
 * if the item is cold by now.
 */
bool
inv_hot_stock_read(InvStore *store, InvTake *take)
{
	InvCounterValues now;
	InvHotState state = inv_counter_look(&take->counter, &now);

	if (state == INV_HOT_STATE_COLD || state == INV_HOT_STATE_UNPUBLISHED)
		return false;
	if (now.stale || store->sellable_is_volatile)
		refresh_limits(store, take, &now);
	take->status = now.for_sale ? INV_STATUS_OK : INV_STATUS_ITEM_NOT_FOUND;
	take->tracked = true;
	take->stock = now.available;
	take->floor = 0;
	take->limited = now.limited;
	take->limit = now.limit;
	take->overdue = 0;
	return true;
}

/* Which items of a cart are hot, and what they have; false if one was and is not any more. */
bool
inv_hot_stock_find_many(InvStore *store, InvTake *takes, int count)
{
	bool none_lost = true;

	for (int i = 0; i < count; i++)
	{
		bool was = takes[i].hot;

		do
			takes[i].hot = inv_hot_find_counter(store, takes[i].item, &takes[i].counter);
		while (takes[i].hot && !was && !inv_hot_stock_read(store, &takes[i]));
		none_lost = none_lost && (takes[i].hot || !was);
	}
	return none_lost;
}

/*
 * Units of overdue holds of an item.  It is asked for only when one can be overdue:
 * the counter knows when the first will be.
 */
static int64
hot_overdue_units(InvStore *store, const InvTake *take)
{
	Datum values[] = { take->item, TimestampTzGetDatum(store->now) };
	InvCounterValues now;
	uint64 changes;
	bool at_rest, none;
	int64 units;

	if (inv_counter_look(&take->counter, &now) != INV_HOT_STATE_HOT || store->now < now.next_expiry)
		return 0;
	at_rest = inv_counter_at_rest(&take->counter, &changes);
	inv_execute(store, INV_STMT_OVERDUE_UNITS, values, NULL, INV_SNAPSHOT_LATEST);
	units = inv_result_int64(0, 1);
	/* what this transaction did to holds is not so for others */
	if (units == 0 && at_rest && !TransactionIdIsValid(GetTopTransactionIdIfAny()))
	{
		Datum next;

		inv_execute(store, INV_STMT_FIRST_EXPIRY, values, NULL, INV_SNAPSHOT_LATEST);
		next = inv_result(0, 1, &none);
		inv_counter_expired(&take->counter, none ? DT_NOEND : DatumGetTimestampTz(next), changes);
	}
	return units;
}

/* ---- taking ---- */

/* Look, unless there was enough a moment ago, and take if there is. */
static InvCounterResult
try_counter_take(InvStore *store, const InvCounterRef *counter, InvCounterTake *part, bool look)
{
	InvCounterResult result = look ? inv_counter_peek(counter, part) : INV_COUNTER_DONE;

	if (result != INV_COUNTER_DONE)
		return result;
	/* others who wait for these units wait for this transaction */
	(void) GetTopTransactionId();
	return inv_counter_take(counter, part, store->now);
}

/* Refuse a take, unless it could never be: its quantity is beyond all numbers. */
static void
set_out_of_stock(InvTake *take, int64 left, int64 overdue)
{
	int64 sum;

	if (pg_add_s64_overflow(left, take->quantity, &sum))
		inv_error_value(psprintf("quantity " INT64_FORMAT " is out of range", take->quantity),
						NULL);
	take->status = INV_STATUS_OUT_OF_STOCK;
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
refuse_hot_take(InvStore *store, InvTake *take, InvCounterResult result, InvCounterTake *part)
{
	int64 overdue = hot_overdue_units(store, take);
	InvCounterTake rest = { .quantity = take->quantity - overdue };

	if (result == INV_COUNTER_WAIT && (overdue == 0 || part->left >= take->quantity))
		return false;
	/* what was overdue may have been given back between the two looks */
	if (overdue < take->quantity - part->left)
	{
		result = inv_counter_peek(&take->counter, &rest);
		*part = rest;
		if (result != INV_COUNTER_SHORT)
			return false;
	}
	set_out_of_stock(take, part->left, overdue);
	return true;
}

/*
 * Take what was read; the status says how it ended, and on out of stock "overdue" what
 * could be given back.  False if the item is cold by now.
 */
bool
inv_hot_stock_take(InvStore *store, InvTake *take)
{
	InvCounterTake part = { 0 };
	TimestampTz deadline = 0;
	bool look = take->stock < take->quantity;

	for (;; look = true)
	{
		InvCounterResult result;

		part.quantity = take->quantity;
		result = try_counter_take(store, &take->counter, &part, look);

		if (result == INV_COUNTER_DONE)
		{
			take->status = INV_STATUS_OK;
			take->stock = part.left;
			take->floor = 0;
			take->epoch = part.epoch;
			return true;
		}
		if (result == INV_COUNTER_GONE)
			return false;
		if (refuse_hot_take(store, take, result, &part))
			return true;
		inv_hot_stock_wait(store, take->item, &take->counter, &part, &deadline);
	}
}

/* Could a take succeed, now or when others end? */
void
inv_hot_stock_judge(InvStore *store, InvTake *take)
{
	InvCounterTake part = { .quantity = take->quantity };
	InvCounterResult result = inv_counter_peek(&take->counter, &part);

	if (result == INV_COUNTER_SHORT)
		(void) refuse_hot_take(store, take, result, &part);
}

void
inv_hot_stock_untake(InvTake *take)
{
	inv_counter_untake(&take->counter, take->quantity);
}

/* ---- giving ---- */

/* Give units; false if the item is cold by now. */
static bool
give_hot_units(InvStore *store, Datum item, const InvCounterRef *counter, int64 quantity,
			   int64 *epoch)
{
	/* for waiting: a take of nothing, which needs nothing */
	InvCounterTake nothing = { .lowest = PG_INT64_MIN };
	TimestampTz deadline = 0;

	(void) GetTopTransactionId();
	for (;;)
	{
		InvCounterResult result = inv_counter_give(counter, quantity, epoch, store->now);

		if (result == INV_COUNTER_DONE)
			return true;
		if (result == INV_COUNTER_GONE)
			return false;
		if (result == INV_COUNTER_OVERFLOW)
			inv_error_overflow("stock");
		inv_hot_stock_wait(store, item, counter, &nothing, &deadline);
	}
}

bool
inv_hot_stock_give(InvStore *store, InvGive *give)
{
	give->tracked = give_hot_units(store, give->item, &give->counter, give->quantity, &give->epoch);
	return give->tracked;
}

/* ---- operators ---- */

/* Take units, or refuse; false if the item is cold by now. */
static bool
take_hot_units(InvStore *store, Datum item, const InvCounterRef *counter, InvCounterTake *part)
{
	TimestampTz deadline = 0;

	for (;;)
	{
		InvCounterResult result = try_counter_take(store, counter, part, true);

		if (result == INV_COUNTER_DONE)
			return true;
		if (result == INV_COUNTER_GONE)
			return false;
		if (result == INV_COUNTER_SHORT)
			inv_error_out_of_stock(psprintf(
				"Item \"%s\": " INT64_FORMAT " to be taken off, " INT64_FORMAT " available.",
				inv_item_text(store, item), part->quantity, Max(part->left - part->lowest, 0)));
		inv_hot_stock_wait(store, item, counter, part, &deadline);
	}
}

/*
 * Change the stock by hand, leaving at least "lowest" above the floor; false if the
 * item is cold by now.
 */
bool
inv_hot_stock_change(InvStore *store, Datum item, InvStock *stock, int64 delta, int64 lowest)
{
	if (delta > 0)
	{
		if (!give_hot_units(store, item, &stock->counter, delta, &stock->epoch))
			return false;
	}
	else
	{
		InvCounterTake part = { .quantity = -delta, .lowest = lowest };

		if (!take_hot_units(store, item, &stock->counter, &part))
			return false;
		stock->epoch = part.epoch;
	}
	stock->stock += delta;
	return true;
}
