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

#include "commands/argument.h"
#include "stock/expiry.h"
#include "stock/guard.h"
#include "stock/hot_stock.h"
#include "commands/idempotency.h"
#include "base/stats.h"
#include "stock/take.h"

/* What can be sold of a tracked item: never negative, and never an overflow. */
int64
inv_available(int64 stock, int64 floor)
{
	int64 available;

	if (stock <= floor)
		return 0;
	if (pg_sub_s64_overflow(stock, floor, &available))
		return PG_INT64_MAX;
	return available;
}

/* ---- purchase limits ---- */

/*
 * Units of an item that a user has; "most" is how many may be.  Holds that are
 * overdue do not count, whether or not somebody came to give them back: they are
 * locked, so that none of them is confirmed by a call that began in time, and
 * only then is summed again, without what was given back meanwhile.  If others
 * have locked such holds, nobody knows yet.
 */
static int64
used_units(InvStore *store, Datum item, const InvUser *user, int64 most)
{
	Datum values[] = { item, user->value, TimestampTzGetDatum(store->now) };
	int64 used, overdue;

	inv_execute(store, INV_USED, values, NULL, INV_LATEST);
	used = inv_result_int64(0, 1);
	if (used <= most)
		return used;
	inv_execute(store, INV_OVERDUE_OF_USER, values, NULL, INV_LATEST);
	overdue = inv_result_int64(0, 1);
	inv_execute(store, INV_STILL_OVERDUE_OF_USER, values, NULL, INV_LATEST);
	if (used - inv_result_int64(0, 1) <= most && inv_result_int64(0, 1) > overdue)
		inv_error_busy(inv_item_text(store, item), "the user's overdue holds are being given back");
	inv_execute(store, INV_USED, values, NULL, INV_LATEST);
	return inv_result_int64(0, 1) - overdue;
}

/*
 * Hold the limit of (item, user) and see what is left of it.  Lock first, then
 * sum with the latest snapshot: whoever else bought for this user has committed
 * or not begun.
 */
static void
check_limit(InvStore *store, InvTake *take, const InvUser *user)
{
	int64 left; /* the most that may be used already */

	if (!take->limited)
		return;
	if (user->isnull)
		inv_error_null("user_id of an item with a purchase_limit");
	inv_lock_name(store, INV_LOCK_LIMIT,
				  psprintf(UINT64_FORMAT " %s", inv_item_hash(store, take->item, 0),
						   inv_datum_text(store->user_type, user->value)));
	if (pg_sub_s64_overflow(take->limit, take->quantity, &left))
		left = PG_INT64_MIN;
	take->used = used_units(store, take->item, user, left);
	if (take->used > left)
		take->status = INV_PURCHASE_LIMIT_EXCEEDED;
}

/*
 * Look at the limits once more, when the purchase is booked: a trigger of the
 * shop's may have bought for the same user in between.
 */
void
inv_check_limits(InvStore *store, const InvTake *takes, int count, const InvUser *user)
{
	for (int i = 0; i < count; i++)
		if (takes[i].limited &&
			used_units(store, takes[i].item, user, takes[i].limit) > takes[i].limit)
			inv_error_purchase_limit(
				psprintf("Item \"%s\": a trigger bought more of it for the same user.",
						 inv_item_text(store, takes[i].item)));
}

/* ---- taking ---- */

static bool
all_ok(const InvTake *takes, int count)
{
	for (int i = 0; i < count; i++)
		if (takes[i].status != INV_OK)
			return false;
	return true;
}

/*
 * How many units a take lacks, if overdue holds on the item have as many;
 * otherwise 0.
 */
static int64
owed_units(const InvTake *take)
{
	int64 missing;

	if (take->status != INV_OUT_OF_STOCK ||
		pg_add_s64_overflow(take->floor, take->quantity, &missing) ||
		pg_sub_s64_overflow(missing, take->stock, &missing))
		return 0;
	return missing <= take->overdue ? missing : 0;
}

/* A refused take shows what could be sold with all that is overdue given back. */
static void
show_overdue(InvTake *take)
{
	if (take->status == INV_OUT_OF_STOCK &&
		pg_add_s64_overflow(take->stock, take->overdue, &take->stock))
		take->stock = PG_INT64_MAX;
	take->overdue = 0;
}

/*
 * Short, but overdue holds on the item have enough: give those back, and look
 * again.  False if there is nothing to look again for.
 */
static bool
relieved(InvStore *store, InvTake *take)
{
	int64 missing = owed_units(take);

	if (missing == 0)
	{
		show_overdue(take);
		return false;
	}
	if (!inv_expire_item(store, take->item, missing) && inv_still_overdue(store, take->item))
		inv_error_busy(inv_item_text(store, take->item), "its overdue holds are being given back");
	return true;
}

/* Take a hot item from its counter; false if it is cold by now. */
static bool
take_hot(InvStore *store, InvTake *take, const InvUser *user)
{
	bool still_hot;

	if (!inv_hot_read(store, take))
		return false;
	if (take->status == INV_OK)
		check_limit(store, take, user);
	if (take->status != INV_OK)
		return true;
	do
		still_hot = inv_hot_take(store, take);
	while (still_hot && relieved(store, take));
	return still_hot;
}

/* Take an item from its row; false if the item is hot by now, and nothing was taken. */
static bool
take_cold(InvStore *store, InvTake *take, const InvUser *user)
{
	if (store->purchase_limit.attnum != InvalidAttrNumber)
	{
		inv_row_read(store, take);
		if (take->status == INV_OK)
			check_limit(store, take, user);
		if (take->status != INV_OK)
			return true;
	}
	do
		inv_row_take(store, take);
	while (!take->hot && relieved(store, take));
	if (take->hot)
		return false;
	return take->status != INV_OUT_OF_STOCK || !inv_hot_find(store, take->item, &take->escrow);
}

static bool
take_one(InvStore *store, InvTake *take, const InvUser *user)
{
	do
	{
		CHECK_FOR_INTERRUPTS();
		take->hot = inv_hot_find(store, take->item, &take->escrow);
	} while (!(take->hot ? take_hot : take_cold)(store, take, user));
	return take->status == INV_OK;
}

static bool
any(const InvTake *takes, int count, InvStatus status)
{
	for (int i = 0; i < count; i++)
		if (takes[i].status == status)
			return true;
	return false;
}

/*
 * Judge a row of a cart.  The read did not tell of overdue holds, or told of them
 * before the lock was waited for: who is short looks at them now.
 */
static void
judge_row(InvStore *store, InvTake *take)
{
	if (take->status == INV_OK)
		take->status = inv_row_judge(store, take);
	if (take->status != INV_OUT_OF_STOCK)
		return;
	inv_row_read(store, take);
	if (take->status == INV_OK)
		take->status = inv_row_judge(store, take);
}

/*
 * Could the cart succeed with what was read, without locks?  Overdue holds are
 * not given back yet: that would lock a row before its turn.
 */
static bool
hopeful(InvStore *store, InvTake *takes, int count)
{
	for (int i = 0; i < count; i++)
	{
		if (takes[i].status != INV_OK)
			continue;
		if (takes[i].hot)
			inv_hot_judge(store, &takes[i]);
		else
			judge_row(store, &takes[i]);
		if (owed_units(&takes[i]) > 0)
			takes[i].status = INV_OK;
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
		if (takes[i].status == INV_OK && !takes[i].hot)
			do
				judge_row(store, &takes[i]);
			while (relieved(store, &takes[i]));
	return all_ok(takes, count);
}

/* Which items of a cart are hot, and what they have; false if one was and is not any more. */
static bool
find_hot(InvStore *store, InvTake *takes, int count)
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
take_hot_many(InvStore *store, InvTake *takes, int count, bool *gone)
{
	int taken;

	*gone = false;
	for (taken = 0; taken < count; taken++)
	{
		if (!takes[taken].hot)
			continue;
		do
			*gone = !inv_hot_take(store, &takes[taken]);
		while (!*gone && relieved(store, &takes[taken]));
		if (*gone || takes[taken].status != INV_OK)
			break;
	}
	if (taken == count)
		return true;
	for (int i = 0; i < taken; i++)
		if (takes[i].hot)
			inv_hot_untake(&takes[i]);
	return false;
}

/*
 * The rows of a cart are locked in key order first: that keeps carts from deadlock.
 * Hot items come last, again in key order, so that they are in flight for a short
 * time; and the rows are written when all is there.  *gone as above.
 */
static bool
take_many(InvStore *store, InvTake *takes, int count, const InvUser *user, bool *gone)
{
	bool locked;

	*gone = false;
	for (int i = 0; i < count; i++)
		takes[i].hot = false;
	(void) find_hot(store, takes, count);
	inv_row_read_many(store, takes, count, false);
	for (int i = 0; i < count; i++)
		if (takes[i].status == INV_OK)
			check_limit(store, &takes[i], user);
	if (!hopeful(store, takes, count))
		return false;
	locked = any_cold(takes, count);
	inv_row_read_many(store, takes, count, true);
	/* what was there before the lock may be younger than this snapshot */
	if (IsolationUsesXactSnapshot() && any(takes, count, INV_ITEM_NOT_FOUND))
		inv_error_serialization();
	/* what became hot before its row was locked is taken as hot; now nothing does */
	*gone = !find_hot(store, takes, count);
	if (!*gone && judge_locked(store, takes, count) && take_hot_many(store, takes, count, gone))
	{
		inv_row_take_many(store, takes, count);
		return true;
	}
	/* what is cold now would be locked after rows of higher keys */
	if (*gone && locked)
		inv_error_busy(inv_item_text(store, takes->item),
					   "it, or another item of the cart, ceased to be hot meanwhile");
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
	bool gone, taken;

	Assert(count > 0);
	if (count == 1)
		return take_one(store, takes, user);
	do
	{
		CHECK_FOR_INTERRUPTS();
		taken = take_many(store, takes, count, user, &gone);
	} while (gone);
	return taken;
}

/* ---- giving back ---- */

/*
 * Give units back to items, in key order and each item once.  tracked says of
 * each whether its stock has them now.
 */
void
inv_give(InvStore *store, InvGive *gives, int count, InvView view)
{
	Assert(count > 0);
	for (int i = 0; i < count; i++)
		gives[i].hot = inv_hot_find(store, gives[i].item, &gives[i].escrow);
	inv_row_give_many(store, gives, count, view);
	for (int i = 0; i < count; i++)
		while (gives[i].hot && !inv_hot_give(store, &gives[i]))
		{
			gives[i].hot = inv_hot_find(store, gives[i].item, &gives[i].escrow);
			inv_row_give_many(store, &gives[i], 1, view);
		}
}

/* ---- refusing ---- */

/* A sentence for each item with this status. */
static char *
sentences(InvStore *store, const InvTake *takes, int count, InvStatus status)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < count; i++)
	{
		const InvTake *take = &takes[i];
		char *item;

		if (take->status != status)
			continue;
		item = inv_item_text(store, take->item);
		if (text.len)
			appendStringInfoChar(&text, ' ');
		if (status == INV_OUT_OF_STOCK)
			appendStringInfo(&text,
							 "Item \"%s\": " INT64_FORMAT " asked for, " INT64_FORMAT " available.",
							 item, take->quantity, inv_available(take->stock, take->floor));
		else if (status == INV_PURCHASE_LIMIT_EXCEEDED)
			appendStringInfo(&text,
							 "Item \"%s\": " INT64_FORMAT " asked for, " INT64_FORMAT
							 " of a limit of " INT64_FORMAT " used.",
							 item, take->quantity, take->used, take->limit);
		else
			appendStringInfo(&text, "Item \"%s\" is not for sale.", item);
	}
	return text.data;
}

/* Count a refusal that is not raised. */
void
inv_count_refusals(const InvTake *takes, int count)
{
	for (int i = 0; i < count; i++)
	{
		if (takes[i].status == INV_OUT_OF_STOCK)
			inv_stats_count(INV_REFUSED_STOCK, 1);
		else if (takes[i].status == INV_ITEM_NOT_FOUND)
			inv_stats_count(INV_REFUSED_ITEM, 1);
		else if (takes[i].status == INV_PURCHASE_LIMIT_EXCEEDED)
			inv_stats_count(INV_REFUSED_LIMIT, 1);
	}
}

/* Raise why inv_take was false, the first of: existence, limits, stock. */
void
inv_refuse(InvStore *store, const InvTake *takes, int count)
{
	if (any(takes, count, INV_ITEM_NOT_FOUND))
		inv_error_item_not_found(sentences(store, takes, count, INV_ITEM_NOT_FOUND));
	if (any(takes, count, INV_PURCHASE_LIMIT_EXCEEDED))
		inv_error_purchase_limit(sentences(store, takes, count, INV_PURCHASE_LIMIT_EXCEEDED));
	inv_error_out_of_stock(sentences(store, takes, count, INV_OUT_OF_STOCK));
}

/* ---- operators ---- */

/* A hot item as it is without what others have taken; only one operator at a time. */
static bool
lock_hot(InvStore *store, Datum item, InvStock *stock)
{
	InvEscrowTake nothing = { .lowest = PG_INT64_MIN };
	InvCounted now;

	if (!inv_hot_find(store, item, &stock->escrow))
		return false;
	/* not for a cold one: who has its row already would wait for who waits for the row */
	inv_lock_name(store, INV_LOCK_STOCK, inv_item_text(store, item));
	if (inv_escrow_look(&stock->escrow, &now) != INV_HOT ||
		inv_escrow_peek(&stock->escrow, &nothing) == INV_ESCROW_GONE)
		return false;
	stock->hot = stock->tracked = true;
	stock->stock = nothing.left + now.floor;
	stock->floor = now.floor;
	return true;
}

/* Lock a tracked item, for sale or not: its row, or its counter against other operators. */
InvStock
inv_stock_lock(InvStore *store, Datum item)
{
	InvStock stock = { 0 };
	uint64 rows;
	bool isnull;

	if (lock_hot(store, item, &stock))
		return stock;
	rows = inv_execute(store, INV_LOCK_ANY, &item, NULL, INV_TRANSACTION);
	if (rows > 0)
	{
		stock.stock = DatumGetInt64(inv_result(0, 1, &isnull));
		stock.tracked = !isnull;
		stock.floor = inv_result_int64(0, 2);
		/* it may have become hot while its row was waited for; now it cannot */
		(void) lock_hot(store, item, &stock);
	}
	else
	{
		/* younger than this transaction's snapshot? */
		if (IsolationUsesXactSnapshot() &&
			inv_execute(store, INV_READ_ANY, &item, NULL, INV_LATEST) > 0)
			inv_error_serialization();
		inv_error_item_not_found(
			psprintf("Item \"%s\" does not exist.", inv_item_text(store, item)));
	}
	if (!stock.tracked)
		inv_error_untracked(inv_item_text(store, item));
	return stock;
}

/*
 * Change the stock of a locked, tracked item, which keeps at least so many units.
 * False: it was hot and is not any more, and has to be locked and judged anew.
 */
bool
inv_stock_change(InvStore *store, Datum item, InvStock *stock, int64 delta, int64 least)
{
	InvLevel level;

	if (delta == 0)
		return true;
	if (stock->hot)
		return inv_hot_change(store, item, stock, delta, Min(least - stock->floor, 0));
	level = inv_row_change(store, item, delta, false, INV_TRANSACTION);
	if (level.hot && delta < 0)
		inv_error_busy(inv_item_text(store, item), "it became hot meanwhile");
	stock->stock = level.stock;
	return true;
}

/* ---- looking ---- */

/* What can be sold of the items of a cart now. */
void
inv_read_levels(InvStore *store, InvTake *takes, int count)
{
	(void) find_hot(store, takes, count);
	inv_row_read_many(store, takes, count, false);
}

/* What can be sold of an item, overdue holds included, by the snapshot of the query. */
int64
inv_stock_level(InvStore *store, Datum item, InvStatus *status, bool *tracked)
{
	InvTake take = { .item = item };
	int64 stock;

	inv_row_level(store, &take);
	*status = take.status;
	*tracked = take.tracked;
	if (take.status != INV_OK || !take.tracked)
		return 0;
	if (pg_add_s64_overflow(take.stock, inv_hot_unsettled(store, item, INV_READ_ONLY), &stock))
		stock = PG_INT64_MAX;
	return inv_available(stock, take.floor);
}
