/*
 * stock.c
 *		Take and give: the only code that changes quantities.
 *
 * Lock order within a call: idempotency key (request.c), purchase limits, stock
 * rows by ascending item key, then inserts.  A refusal is decided before the
 * first lock wherever it can be, and costs neither a transaction id nor WAL.
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/int.h"
#include "lib/stringinfo.h"

#include "argument.h"
#include "expiry.h"
#include "guard.h"
#include "request.h"
#include "stats.h"
#include "stock.h"

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
				  psprintf(UINT64_FORMAT " %s", inv_item_hash(store, take->item),
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

static bool
take_one(InvStore *store, InvTake *take, const InvUser *user)
{
	if (store->purchase_limit.attnum != InvalidAttrNumber)
	{
		inv_row_read(store, take);
		if (take->status == INV_OK)
			check_limit(store, take, user);
		if (take->status != INV_OK)
			return false;
	}
	do
		inv_row_take(store, take);
	while (relieved(store, take));
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
		if (takes[i].status == INV_OK)
			do
				judge_row(store, &takes[i]);
			while (relieved(store, &takes[i]));
	return all_ok(takes, count);
}

/* The rows of a cart are locked in key order first: that keeps carts from deadlock. */
static bool
take_many(InvStore *store, InvTake *takes, int count, const InvUser *user)
{
	inv_row_read_many(store, takes, count, false);
	for (int i = 0; i < count; i++)
		if (takes[i].status == INV_OK)
			check_limit(store, &takes[i], user);
	if (!hopeful(store, takes, count))
		return false;
	inv_row_read_many(store, takes, count, true);
	/* what was there before the lock may be younger than this snapshot */
	if (IsolationUsesXactSnapshot() && any(takes, count, INV_ITEM_NOT_FOUND))
		inv_error_serialization();
	if (!judge_locked(store, takes, count))
		return false;
	inv_row_take_many(store, takes, count);
	return true;
}

/*
 * Take what is asked for, or nothing: false leaves in each status what was
 * wrong, and no row changed.  takes must be in key order, each item once, with
 * quantity at least 1.
 */
bool
inv_take(InvStore *store, InvTake *takes, int count, const InvUser *user)
{
	Assert(count > 0);
	return count == 1 ? take_one(store, takes, user) : take_many(store, takes, count, user);
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
	inv_row_give_many(store, gives, count, view);
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

/* Lock the row of a tracked item, for sale or not. */
InvStock
inv_stock_lock(InvStore *store, Datum item)
{
	InvStock stock;
	bool isnull;

	if (inv_execute(store, INV_LOCK_ANY, &item, NULL, INV_TRANSACTION) == 0)
	{
		/* younger than this transaction's snapshot? */
		if (IsolationUsesXactSnapshot() &&
			inv_execute(store, INV_READ_ANY, &item, NULL, INV_LATEST) > 0)
			inv_error_serialization();
		inv_error_item_not_found(
			psprintf("Item \"%s\" does not exist.", inv_item_text(store, item)));
	}
	stock.stock = DatumGetInt64(inv_result(0, 1, &isnull));
	stock.tracked = !isnull;
	stock.floor = inv_result_int64(0, 2);
	if (!stock.tracked)
		inv_error_untracked(inv_item_text(store, item));
	return stock;
}

/* Change the stock of a locked, tracked item. */
void
inv_stock_change(InvStore *store, Datum item, InvStock *stock, int64 delta)
{
	Datum values[] = { item, Int64GetDatum(delta) };
	InvLevel level;
	int base;
	uint64 rows;

	if (delta == 0)
		return;
	base = inv_guard_begin();
	inv_guard_expect(store, item, delta);
	rows = inv_execute(store, INV_CHANGE, values, NULL, INV_TRANSACTION);
	if (rows > 1)
		inv_error_broken_store(store->label, "The key of its items is not unique.");
	inv_guard_end(store, base, rows == 1, &level);
	if (rows == 0)
		inv_error_busy(inv_item_text(store, item), "a trigger keeps its row from being written");
	stock->stock = level.stock;
}
