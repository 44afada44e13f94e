/*
 * hot_stock.c
 *		Stock of a hot item, in its counter: what item_row.c is for cold items.
 *
 * Nothing here locks or writes the item's row.  The caller inserts the movements, with
 * the epoch that it gets here, in the same (sub)transaction (invariant 4, I2).
 *
 * Every function expects a counter that inv_hot_find_counter returned, and says when it
 * is gone because the item has been cooled since.
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "common/int.h"

#include "base/clock.h"
#include "base/compat.h"
#include "base/error.h"
#include "base/guc.h"
#include "base/hot_error.h"
#include "base/stats.h"
#include "shmem/counter.h"
#include "shmem/counter_wait.h"
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

/*
 * Wait for other transactions until the take, which may be changed, could succeed or is
 * refused; with a null take, until the item is not being cooled.  *deadline is 0 before
 * the first wait of a call.  Raises IV014 after inventory.hot_lock_timeout (I8).
 */
void
inv_hot_stock_wait(InvStore *store, Datum item, const InvCounterRef *counter, InvCounterTake *take,
				   int64 *deadline)
{
	/* a take of nothing is never refused, and waits only for a cooler */
	InvCounterTake nothing = { .below_floor = true, .least = PG_INT64_MIN };

	if (*deadline == 0)
	{
		*deadline = inv_clock_after(inv_hot_lock_timeout);
		inv_stats_count(INV_STATS_WAITS, 1);
	}
	if (!inv_counter_wait(counter, take ? take : &nothing, *deadline))
		inv_error_busy(inv_item_facts(store, item), "others have units of it in flight");
}

/* ---- reading ---- */

/*
 * Read again what limits a purchase, because a committed change of the row made it stale.
 * What this transaction has changed counts for itself alone: it may be rolled back.
 */
static void
refresh_limits(InvStore *store, const InvTake *take, InvCounterValues *now)
{
	Datum item = take->item;
	bool unlimited, isnull;
	TransactionId writer;

	if (inv_execute(store, INV_STMT_READ_HOT, &item, NULL, INV_SNAPSHOT_LATEST) == 0)
		return;
	now->limit = DatumGetInt64(inv_result(0, 3, &unlimited));
	now->limited = !unlimited;
	now->for_sale = DatumGetBool(inv_result(0, 4, &isnull));
	writer = DatumGetTransactionId(inv_result(0, 5, &isnull));
	if (!TransactionIdIsCurrentTransactionId(writer))
		inv_counter_refresh_limits(&take->counter, now);
}

/*
 * Fill a take as a read of the row would.  What other transactions have in flight is
 * not in its stock.  False if the item is cold by now.
 */
bool
inv_hot_stock_read(InvStore *store, InvTake *take)
{
	InvCounterValues now;
	InvHotState state = inv_counter_read_with_own(&take->counter, &now);

	Assert(take->hot);
	if (state == INV_HOT_STATE_COLD || state == INV_HOT_STATE_UNPUBLISHED)
		return false;
	if (now.limits_stale || (store->sellable && store->sellable->is_volatile))
		refresh_limits(store, take, &now);
	take->status = now.for_sale ? INV_STATUS_OK : INV_STATUS_ITEM_NOT_FOUND;
	take->tracked = true;
	take->stock = now.stock;
	take->floor = now.floor;
	take->limited = now.limited;
	take->limit = now.limit;
	take->overdue = 0;
	return true;
}

/*
 * Find out which items of a cart are hot, and read those that were not marked as hot
 * before.  False if one that was marked is cold now.
 */
bool
inv_hot_stock_find_many(InvStore *store, InvTake *takes, int count)
{
	bool none_cooled = true;

	for (int i = 0; i < count; i++)
	{
		bool was_hot = takes[i].hot;

		do
			takes[i].hot = inv_hot_find_counter(store, takes[i].item, &takes[i].counter);
		while (takes[i].hot && !was_hot && !inv_hot_stock_read(store, &takes[i]));
		none_cooled = none_cooled && (takes[i].hot || !was_hot);
	}
	return none_cooled;
}

/*
 * Units of the overdue holds of an item.  The counter knows when the next hold will be
 * overdue; until then no statement is needed.
 */
static int64
sum_hot_overdue(InvStore *store, const InvTake *take)
{
	Datum values[] = { take->item, TimestampTzGetDatum(store->now) };
	InvCounterValues now;
	uint64 changes;
	bool at_rest, none;
	int64 units;

	if (inv_counter_read(&take->counter, &now) != INV_HOT_STATE_HOT || store->now < now.next_expiry)
		return 0;
	at_rest = inv_counter_at_rest(&take->counter, &changes);
	inv_execute(store, INV_STMT_OVERDUE_UNITS, values, NULL, INV_SNAPSHOT_LATEST);
	units = inv_result_int64(0, 1);
	/* a transaction that has written something may see holds that others do not have */
	if (units == 0 && at_rest && !TransactionIdIsValid(GetTopTransactionIdIfAny()))
	{
		Datum next;

		inv_execute(store, INV_STMT_FIRST_EXPIRY, values, NULL, INV_SNAPSHOT_LATEST);
		next = inv_result(0, 1, &none);
		inv_counter_set_next_expiry(&take->counter, none ? DT_NOEND : DatumGetTimestampTz(next),
									changes);
	}
	return units;
}

/* ---- taking ---- */

/*
 * Take from the counter.  With look, peek first: a refusal then costs no transaction id.
 * The caller sets look unless it has just seen enough.
 */
static InvCounterResult
try_counter_take(const InvCounterRef *counter, InvCounterTake *take, bool look)
{
	InvCounterResult result = look ? inv_counter_peek(counter, take) : INV_COUNTER_DONE;

	if (result != INV_COUNTER_DONE)
		return result;
	/* sessions that wait for these units wait for this transaction's id */
	(void) GetTopTransactionId();
	return inv_counter_take(counter, take, inv_clock_now());
}

static void
set_out_of_stock(InvTake *take, const InvCounterTake *refused, int64 overdue)
{
	inv_check_quantity(take->quantity, refused->left);
	take->status = INV_STATUS_OUT_OF_STOCK;
	take->stock = refused->left;
	take->floor = refused->floor;
	take->overdue = overdue;
}

/*
 * The counter did not grant what was asked of it: the result is SHORT or WAIT.
 *
 *		overdue holds have what is missing				out of stock, for now
 *		they have it with what others have in flight	wait for the part of the others
 *		they do not										out of stock
 *
 * True: the take is out of stock.  Its "overdue" tells the caller whether giving back
 * overdue holds helps.  False: the caller waits until "asked", changed to what has to
 * come from others, could be taken, and tries again (I7).
 */
static bool
refuse_hot_take(InvStore *store, InvTake *take, InvCounterResult result, InvCounterTake *asked)
{
	int64 overdue = sum_hot_overdue(store, take);
	int64 missing = inv_missing_units(asked->left, asked->floor, take->quantity);

	Assert(result == INV_COUNTER_SHORT || result == INV_COUNTER_WAIT);
	/* there is enough and the item is being cooled, or only others can help */
	if (result == INV_COUNTER_WAIT && (missing == 0 || overdue == 0))
		return false;
	if (overdue < missing)
	{
		asked->quantity = take->quantity - overdue;
		/* it may succeed now, if holds were given back since the counter was asked */
		if (inv_counter_peek(&take->counter, asked) != INV_COUNTER_SHORT)
			return false;
	}
	set_out_of_stock(take, asked, overdue);
	return true;
}

/*
 * Take what was read; the status says how it ended, and when out of stock "overdue"
 * says how many units could be given back.  False if the item is cold by now.
 */
bool
inv_hot_stock_take(InvStore *store, InvTake *take)
{
	InvCounterTake asked = { 0 };
	int64 deadline = 0;
	bool look = inv_missing_units(take->stock, take->floor, take->quantity) > 0;

	Assert(take->hot);
	for (;; look = true)
	{
		InvCounterResult result;

		asked.quantity = take->quantity;
		result = try_counter_take(&take->counter, &asked, look);
		if (result == INV_COUNTER_DONE)
		{
			Assert(asked.left >= asked.floor); /* I1 */
			take->status = INV_STATUS_OK;
			take->stock = asked.left;
			take->floor = asked.floor;
			take->epoch = asked.epoch;
			return true;
		}
		if (result == INV_COUNTER_NOT_HOT)
			return false;
		if (result == INV_COUNTER_OWN)
			inv_error_in_flight(inv_item_text(store, take->item));
		if (refuse_hot_take(store, take, result, &asked))
			return true;
		inv_hot_stock_wait(store, take->item, &take->counter, &asked, &deadline);
	}
}

/* Set the status of a take that cannot succeed, neither now nor when others end. */
void
inv_hot_stock_judge(InvStore *store, InvTake *take)
{
	InvCounterTake asked = { .quantity = take->quantity };
	InvCounterResult result = inv_counter_peek(&take->counter, &asked);

	if (result == INV_COUNTER_SHORT)
		(void) refuse_hot_take(store, take, result, &asked);
}

/* Undo a take of this (sub)transaction whose movement is not written. */
void
inv_hot_stock_untake(InvTake *take)
{
	Assert(take->hot && take->status == INV_STATUS_OK);
	inv_counter_untake(&take->counter, take->quantity);
}

/* ---- giving ---- */

/* The row could not have as many units: raise what it would raise. */
static void
raise_stock_overflow(InvStore *store, Datum item, const InvCounterRef *counter)
{
	InvCounterValues now;

	if (inv_counter_read(counter, &now) == INV_HOT_STATE_HOT &&
		now.max_stock < inv_max_units(store))
		inv_error_above_check(inv_item_text(store, item), now.max_stock);
	inv_error_overflow("stock");
}

/* Give units; false if the item is cold by now.  Raises 22003 or 23514 for more than the row can have. */
static bool
give_hot_units(InvStore *store, Datum item, const InvCounterRef *counter, int64 quantity,
			   int64 *epoch)
{
	int64 deadline = 0;

	(void) GetTopTransactionId();
	for (;;)
	{
		InvCounterResult result = inv_counter_give(counter, quantity, epoch, inv_clock_now());

		if (result == INV_COUNTER_DONE)
			return true;
		if (result == INV_COUNTER_NOT_HOT)
			return false;
		if (result == INV_COUNTER_OWN)
			inv_error_in_flight(inv_item_text(store, item));
		if (result == INV_COUNTER_OVERFLOW)
			raise_stock_overflow(store, item, counter);
		inv_hot_stock_wait(store, item, counter, NULL, &deadline);
	}
}

/* Give units back, which others see after the commit; false if the item is cold by now. */
bool
inv_hot_stock_give(InvStore *store, InvGive *give)
{
	Assert(give->hot);
	give->tracked = give_hot_units(store, give->item, &give->counter, give->quantity, &give->epoch);
	return give->tracked;
}

/* ---- operators ---- */

/* Raise because an operator would take off more than there is (IV001). */
INV_NORETURN static void
error_below_floor(InvStore *store, Datum item, int64 quantity, int64 available)
{
	InvFacts *facts = inv_item_facts(store, item);

	inv_fact_number(facts, "requested", quantity);
	inv_fact_number(facts, "available", available);
	inv_error_below_floor(facts, psprintf("Item \"%s\": " INT64_FORMAT
										  " to be taken off, " INT64_FORMAT " available.",
										  facts->name, quantity, available));
}

/* Take units or raise IV001; false if the item is cold by now. */
static bool
take_hot_units(InvStore *store, Datum item, const InvCounterRef *counter, InvCounterTake *take)
{
	int64 deadline = 0;

	for (;;)
	{
		InvCounterResult result = try_counter_take(counter, take, true);

		if (result == INV_COUNTER_DONE)
			return true;
		if (result == INV_COUNTER_NOT_HOT)
			return false;
		if (result == INV_COUNTER_OWN)
			inv_error_in_flight(inv_item_text(store, item));
		if (result == INV_COUNTER_SHORT)
			error_below_floor(store, item, take->quantity,
							  inv_available(take->left, Min(take->floor, take->least)));
		inv_hot_stock_wait(store, item, counter, take, &deadline);
	}
}

/*
 * Change the stock by delta, leaving at least "least" units or the floor, whichever is
 * lower, or raise IV001; false if the item is cold by now.
 */
bool
inv_hot_stock_change(InvStore *store, InvStock *stock, int64 delta, int64 least)
{
	Assert(delta != 0);
	/* its opposite is no bigint; no stock has as many units */
	if (delta == PG_INT64_MIN)
		inv_error_below_floor(inv_item_facts(store, stock->item),
							  psprintf("Item \"%s\": " INT64_FORMAT " asked for.",
									   inv_item_text(store, stock->item), delta));
	if (delta > 0)
	{
		if (!give_hot_units(store, stock->item, &stock->counter, delta, &stock->epoch))
			return false;
	}
	else
	{
		InvCounterTake take = { .quantity = -delta, .below_floor = true, .least = least };

		if (!take_hot_units(store, stock->item, &stock->counter, &take))
			return false;
		stock->epoch = take.epoch;
	}
	stock->stock += delta;
	return true;
}
