/*
 * take.c
 *		Take units of items for a purchase or a reservation.
 *
 * Decides where the units of an item come from: its row (row_take.c), its counter if it
 * is hot (hot_stock.c), overdue holds (expiry.c).  Orders, reservations and movements
 * are the caller's, in the same transaction.
 *
 * Locks, in this order: purchase limits, stock rows by ascending key, counters by
 * ascending key.  The caller may have locked an idempotency key or a reservation before.
 * A refusal is decided before the first row lock wherever it can be, and then costs
 * neither a transaction id nor WAL.
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/int.h"
#include "miscadmin.h"

#include "base/compat.h"
#include "base/error.h"
#include "base/units.h"
#include "store/binding.h"
#include "store/column.h"
#include "stock/expiry.h"
#include "stock/hot_publish.h"
#include "stock/hot_stock.h"
#include "stock/item_row.h"
#include "stock/limit.h"
#include "stock/quantity.h"
#include "stock/row_take.h"
#include "stock/take.h"

/* ---- overdue holds ---- */

/*
 * How many units a take lacks, if overdue holds of the item have as many;
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

/* A refusal shows what could be sold if all overdue holds were given back. */
static void
show_overdue(InvTake *take)
{
	if (take->status == INV_STATUS_OUT_OF_STOCK)
		take->stock = inv_add_units(take->stock, take->overdue);
	take->overdue = 0;
}

/*
 * If a take is out of stock, but overdue holds of the item have what it lacks, give
 * those back: true, and the caller tries again.  Raises IV014 while another session is
 * giving them back.
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
		inv_error_busy(inv_item_facts(store, take->item), "its overdue holds are being given back");
	return true;
}

/* The counter's part of a take; false if the item is cold by now. */
static bool
take_from_counter(InvStore *store, InvTake *take)
{
	bool still_hot;

	do
		still_hot = inv_hot_stock_take(store, take);
	while (still_hot && expire_and_retry(store, take));
	INV_POINT("inventory-after-counter");
	return still_hot;
}

/* ---- one item ---- */

/* Take a hot item from its counter; false if it is cold by now, and nothing was taken. */
static bool
take_hot(InvStore *store, InvTake *take, const InvUser *user)
{
	if (!inv_hot_stock_read(store, take))
		return false;
	if (take->status == INV_STATUS_OK)
		inv_check_limit(store, take, user);
	if (take->status != INV_STATUS_OK)
		return true;
	return take_from_counter(store, take);
}

/* Take a cold item from its row; false if it is hot by now, and nothing was taken. */
static bool
take_cold(InvStore *store, InvTake *take, const InvUser *user)
{
	if (inv_has_limits(store))
	{
		inv_item_row_read(store, take);
		if (take->status == INV_STATUS_OK)
			inv_check_limit(store, take, user);
		if (take->status != INV_STATUS_OK)
			return true;
	}
	do
		inv_row_take(store, take);
	while (!take->hot && expire_and_retry(store, take));
	if (take->hot)
		return false;
	/* the row of a hot item does not have all that can be sold: it cannot refuse */
	return take->status != INV_STATUS_OUT_OF_STOCK ||
		   !inv_hot_find_counter(store, take->item, &take->counter);
}

/* Take one item, from its counter or its row, whichever it is in when it is taken. */
static bool
take_one(InvStore *store, InvTake *take, const InvUser *user)
{
	bool decided;

	do
	{
		CHECK_FOR_INTERRUPTS();
		take->hot = inv_hot_find_counter(store, take->item, &take->counter);
		decided = take->hot ? take_hot(store, take, user) : take_cold(store, take, user);
	} while (!decided);
	return take->status == INV_STATUS_OK;
}

/* ---- a cart ---- */

/* How one attempt to take a cart ended. */
typedef enum CartOutcome
{
	CART_TAKEN,
	CART_REFUSED, /* nothing was taken; the statuses say why */
	CART_COOLED	  /* nothing was taken; an item that was hot is cold */
} CartOutcome;

static bool
all_takes_ok(const InvTake *takes, int count)
{
	for (int i = 0; i < count; i++)
		if (takes[i].status != INV_STATUS_OK)
			return false;
	return true;
}

static bool
has_cold_item(const InvTake *takes, int count)
{
	for (int i = 0; i < count; i++)
		if (!takes[i].hot)
			return true;
	return false;
}

/*
 * Judge the row of a cold item.  The read of the cart did not look for overdue holds, and
 * if it waited for locks new ones may have become overdue: if the row has too little, read
 * it again with them.
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
 * Could the cart succeed, by what was read without locks?  Overdue holds are not given
 * back yet, only counted: giving back locks a row, and it is not its turn (invariant 10).
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
	return all_takes_ok(takes, count);
}

/*
 * Read the items of a cart, lock the limits of the user in key order, and refuse what
 * could not succeed, before a row of the cart is locked.
 */
static bool
look_at_cart(InvStore *store, InvTake *takes, int count, const InvUser *user)
{
	for (int i = 0; i < count; i++)
	{
		takes[i].hot = takes[i].row_written = false;
		takes[i].epoch = 0; /* an attempt before this one may have taken it as hot */
	}
	(void) inv_hot_stock_find_many(store, takes, count);
	inv_item_row_read_many(store, takes, count, false);
	for (int i = 0; i < count; i++)
		if (takes[i].status == INV_STATUS_OK)
			inv_check_limit(store, &takes[i], user);
	return cart_may_succeed(store, takes, count);
}

/* Judge the locked rows of a cart; their overdue holds are given back now. */
static bool
judge_locked_rows(InvStore *store, InvTake *takes, int count)
{
	for (int i = 0; i < count; i++)
		if (takes[i].status == INV_STATUS_OK && !takes[i].hot)
			do
				judge_row(store, &takes[i]);
			while (expire_and_retry(store, &takes[i]));
	return all_takes_ok(takes, count);
}

/* Put back what the first hot items of a cart took. */
static void
untake_hot_items(InvTake *takes, int count)
{
	for (int i = 0; i < count; i++)
		if (takes[i].hot)
			inv_hot_stock_untake(&takes[i]);
}

/* Take the hot items of a cart, in key order, or none of them. */
static CartOutcome
take_hot_items(InvStore *store, InvTake *takes, int count)
{
	for (int i = 0; i < count; i++)
	{
		bool still_hot;

		if (!takes[i].hot)
			continue;
		still_hot = take_from_counter(store, &takes[i]);
		if (still_hot && takes[i].status == INV_STATUS_OK)
			continue;
		untake_hot_items(takes, i);
		return still_hot ? CART_REFUSED : CART_COOLED;
	}
	return CART_TAKEN;
}

/*
 * Take a cart, once.  The rows of cold items are locked first, in key order; hot items
 * come after them, again in key order, so that their units are in flight for a short
 * time only.  So all carts lock in one order (invariant 10).  Rows are written when
 * everything is known to be there.
 */
static CartOutcome
take_cart(InvStore *store, InvTake *takes, int count, const InvUser *user)
{
	CartOutcome outcome;
	bool locks_rows;

	if (!look_at_cart(store, takes, count, user))
		return CART_REFUSED;

	locks_rows = has_cold_item(takes, count);
	inv_item_row_read_many(store, takes, count, true);
	/* an item that the look has found may be younger than this transaction's snapshot */
	if (IsolationUsesXactSnapshot() && inv_has_status(takes, count, INV_STATUS_ITEM_NOT_FOUND))
		inv_error_serialization();

	/*
	 * An item that became hot before its row was locked is taken as hot; from now on none
	 * can become hot.  Those that were hot can still be cooled.
	 */
	if (!inv_hot_stock_find_many(store, takes, count))
		outcome = CART_COOLED;
	else if (!judge_locked_rows(store, takes, count))
		outcome = CART_REFUSED;
	else
		outcome = take_hot_items(store, takes, count);

	if (outcome == CART_TAKEN && locks_rows)
		inv_row_take_locked(store, takes, count);
	/* another attempt would lock the row of the cooled item after rows of higher keys */
	if (outcome == CART_COOLED && locks_rows)
		inv_error_busy(inv_item_facts(store, takes->item),
					   "it, or another item of the cart, was cooled concurrently");
	return outcome;
}

/* ---- for commands ---- */

static int
compare_takes(const void *a, const void *b, void *store)
{
	return inv_item_compare(store, ((const InvTake *) a)->item, ((const InvTake *) b)->item);
}

/* The one of takes, which are in key order, that is of an item, or null. */
InvTake *
inv_find_take(InvStore *store, InvTake *takes, int count, Datum item)
{
	InvTake key = { .item = item };

	return bsearch_arg(&key, takes, count, sizeof(InvTake), compare_takes, store);
}

#ifdef USE_ASSERT_CHECKING
static bool
takes_are_in_key_order(InvStore *store, const InvTake *takes, int count)
{
	for (int i = 1; i < count; i++)
		if (compare_takes(&takes[i - 1], &takes[i], store) >= 0)
			return false;
	return true;
}

/* Does the movement of each take get an epoch if, and only if, a counter has the units? */
static bool
takes_have_epochs(const InvTake *takes, int count)
{
	for (int i = 0; i < count; i++)
		if (takes[i].hot != (takes[i].epoch != 0))
			return false;
	return true;
}
#endif

/*
 * Take all that is asked for, or nothing.  False: nothing is taken, and each status says
 * what was wrong.  takes must be in key order, each item once, with a quantity of at
 * least 1.  Raises 40001 where the transaction's snapshot is too old, and IV014 after
 * waiting too long for other transactions.
 */
bool
inv_take(InvStore *store, InvTake *takes, int count, const InvUser *user)
{
	bool taken;

	Assert(count > 0);
	Assert(GetUserId() == store->owner);
	Assert(takes_are_in_key_order(store, takes, count)); /* invariant 10 */
	if (count == 1)
		taken = take_one(store, takes, user);
	else
	{
		CartOutcome outcome;

		do
		{
			CHECK_FOR_INTERRUPTS();
			outcome = take_cart(store, takes, count, user);
		} while (outcome == CART_COOLED);
		taken = outcome == CART_TAKEN;
	}
	Assert(taken == all_takes_ok(takes, count));
	Assert(!taken || takes_have_epochs(takes, count)); /* I2 */
	if (taken)
		INV_POINT("inventory-after-take");
	return taken;
}

/*
 * Could inv_take succeed, by what is read without locks?  False: the statuses say why not.
 * Locks the purchase limits, for a caller that then locks the rows itself, with those of other
 * items, or that writes something before it takes.
 */
bool
inv_take_may_succeed(InvStore *store, InvTake *takes, int count, const InvUser *user)
{
	Assert(count > 0);
	Assert(takes_are_in_key_order(store, takes, count)); /* invariant 10 */
	return look_at_cart(store, takes, count, user);
}
