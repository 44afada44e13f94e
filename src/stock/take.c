/*
 * take.c
 *		Take and give: the only code that changes quantities.
 *
 * Lock order within a call: idempotency key (idempotency.c), purchase limits, stock
 * rows by ascending item key, then inserts.  A refusal is decided before the
 * first lock wherever it can be, and costs neither a transaction id nor WAL.
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/int.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"

#include "base/error.h"
#include "store/binding.h"
#include "store/column.h"
#include "stock/expiry.h"
#include "stock/hot_publish.h"
#include "stock/hot_stock.h"
#include "stock/item_row.h"
#include "stock/limit.h"
#include "stock/quantity.h"
#include "stock/take.h"

/* ---- taking ---- */

static bool
all_ok(const InvTake *takes, int count)
{
	for (int i = 0; i < count; i++)
		if (takes[i].status != INV_STATUS_OK)
			return false;
	return true;
}

/*
 * How many units a take lacks, if overdue holds on the item have as many;
 * otherwise 0.
 */
static int64
units_to_expire(const InvTake *take)
{
	int64 missing;

	if (take->status != INV_STATUS_OUT_OF_STOCK ||
		pg_add_s64_overflow(take->floor, take->quantity, &missing) ||
		pg_sub_s64_overflow(missing, take->stock, &missing))
		return 0;
	return missing <= take->overdue ? missing : 0;
}

/* A refused take shows what could be sold with all that is overdue given back. */
static void
show_overdue(InvTake *take)
{
	if (take->status == INV_STATUS_OUT_OF_STOCK &&
		pg_add_s64_overflow(take->stock, take->overdue, &take->stock))
		take->stock = PG_INT64_MAX;
	take->overdue = 0;
}

/*
 * Short, but overdue holds on the item have enough: give those back, and look
 * again.  False if there is nothing to look again for.
 */
static bool
expire_and_retry(InvStore *store, InvTake *take)
{
	int64 missing = units_to_expire(take);

	if (missing == 0)
	{
		show_overdue(take);
		return false;
	}
	if (!inv_expire_overdue_of_item(store, take->item, missing) &&
		inv_item_has_overdue(store, take->item))
		inv_error_busy(inv_item_text(store, take->item), "its overdue holds are being given back");
	return true;
}

/* Take a hot item from its counter; false if it is cold by now. */
static bool
take_hot(InvStore *store, InvTake *take, const InvUser *user)
{
	bool still_hot;

	if (!inv_hot_stock_read(store, take))
		return false;
	if (take->status == INV_STATUS_OK)
		inv_check_limit(store, take, user);
	if (take->status != INV_STATUS_OK)
		return true;
	do
		still_hot = inv_hot_stock_take(store, take);
	while (still_hot && expire_and_retry(store, take));
	return still_hot;
}

/* Take an item from its row; false if the item is hot by now, and nothing was taken. */
static bool
take_cold(InvStore *store, InvTake *take, const InvUser *user)
{
	if (store->purchase_limit.attnum != InvalidAttrNumber)
	{
		inv_item_row_read(store, take);
		if (take->status == INV_STATUS_OK)
			inv_check_limit(store, take, user);
		if (take->status != INV_STATUS_OK)
			return true;
	}
	do
		inv_item_row_take(store, take);
	while (!take->hot && expire_and_retry(store, take));
	if (take->hot)
		return false;
	return take->status != INV_STATUS_OUT_OF_STOCK ||
		   !inv_hot_find_counter(store, take->item, &take->counter);
}

static bool
take_one(InvStore *store, InvTake *take, const InvUser *user)
{
	do
	{
		CHECK_FOR_INTERRUPTS();
		take->hot = inv_hot_find_counter(store, take->item, &take->counter);
	} while (!(take->hot ? take_hot : take_cold)(store, take, user));
	return take->status == INV_STATUS_OK;
}

/*
 * Judge a row of a cart.  The read did not tell of overdue holds, or told of them
 * before the lock was waited for: who is short looks at them now.
 */
static void
judge_row(InvStore *store, InvTake *take)
{
	if (take->status == INV_STATUS_OK)
		take->status = inv_judge_take(take);
	if (take->status != INV_STATUS_OUT_OF_STOCK)
		return;
	inv_item_row_read(store, take);
	if (take->status == INV_STATUS_OK)
		take->status = inv_judge_take(take);
}

/*
 * Could the cart succeed with what was read, without locks?  Overdue holds are
 * not given back yet: that would lock a row before its turn.
 */
static bool
cart_may_succeed(InvStore *store, InvTake *takes, int count)
{
	for (int i = 0; i < count; i++)
	{
		if (takes[i].status != INV_STATUS_OK)
			continue;
		if (takes[i].hot)
			inv_hot_stock_judge(store, &takes[i]);
		else
			judge_row(store, &takes[i]);
		if (units_to_expire(&takes[i]) > 0)
			takes[i].status = INV_STATUS_OK;
		else
			show_overdue(&takes[i]);
	}
	return all_ok(takes, count);
}

/* Judge the locked rows of a cart; overdue holds on them are given back now. */
static bool
judge_locked(InvStore *store, InvTake *takes, int count)
{
	for (int i = 0; i < count; i++)
		if (takes[i].status == INV_STATUS_OK && !takes[i].hot)
			do
				judge_row(store, &takes[i]);
			while (expire_and_retry(store, &takes[i]));
	return all_ok(takes, count);
}

static bool
any_cold(const InvTake *takes, int count)
{
	for (int i = 0; i < count; i++)
		if (!takes[i].hot)
			return true;
	return false;
}

/*
 * Take the hot items of a cart, in key order.  What was taken goes back if a later one
 * refuses, or is cold by now: *gone, and the cart has to begin anew.
 */
static bool
take_hot_many(InvStore *store, InvTake *takes, int count, bool *hot_lost)
{
	int taken;

	*hot_lost = false;
	for (taken = 0; taken < count; taken++)
	{
		if (!takes[taken].hot)
			continue;
		do
			*hot_lost = !inv_hot_stock_take(store, &takes[taken]);
		while (!*hot_lost && expire_and_retry(store, &takes[taken]));
		if (*hot_lost || takes[taken].status != INV_STATUS_OK)
			break;
	}
	if (taken == count)
		return true;
	for (int i = 0; i < taken; i++)
		if (takes[i].hot)
			inv_hot_stock_untake(&takes[i]);
	return false;
}

/*
 * The rows of a cart are locked in key order first: that keeps carts from deadlock.
 * Hot items come last, again in key order, so that they are in flight for a short
 * time; and the rows are written when all is there.  *gone as above.
 */
static bool
take_many(InvStore *store, InvTake *takes, int count, const InvUser *user, bool *hot_lost)
{
	bool locked;

	*hot_lost = false;
	for (int i = 0; i < count; i++)
		takes[i].hot = false;
	(void) inv_hot_stock_find_many(store, takes, count);
	inv_item_row_read_many(store, takes, count, false);
	for (int i = 0; i < count; i++)
		if (takes[i].status == INV_STATUS_OK)
			inv_check_limit(store, &takes[i], user);
	if (!cart_may_succeed(store, takes, count))
		return false;
	locked = any_cold(takes, count);
	inv_item_row_read_many(store, takes, count, true);
	/* what was there before the lock may be younger than this snapshot */
	if (IsolationUsesXactSnapshot() && inv_has_status(takes, count, INV_STATUS_ITEM_NOT_FOUND))
		inv_error_serialization();
	/* what became hot before its row was locked is taken as hot; now nothing does */
	*hot_lost = !inv_hot_stock_find_many(store, takes, count);
	if (!*hot_lost && judge_locked(store, takes, count) &&
		take_hot_many(store, takes, count, hot_lost))
	{
		inv_item_row_take_many(store, takes, count);
		return true;
	}
	/* what is cold now would be locked after rows of higher keys */
	if (*hot_lost && locked)
		inv_error_busy(inv_item_text(store, takes->item),
					   "it, or another item of the cart, was cooled concurrently");
	return false;
}

/*
 * Take what is asked for, or nothing: false leaves in each status what was
 * wrong, and no row changed.  takes must be in key order, each item once, with
 * quantity at least 1.
 */
bool
inv_take(InvStore *store, InvTake *takes, int count, const InvUser *user)
{
	bool hot_lost, taken;

	Assert(count > 0);
	if (count == 1)
		return take_one(store, takes, user);
	do
	{
		CHECK_FOR_INTERRUPTS();
		taken = take_many(store, takes, count, user, &hot_lost);
	} while (hot_lost);
	return taken;
}
