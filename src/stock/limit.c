/*
 * limit.c
 *		Limits: how many units of an item one user may have (invariant 6), and one call may
 *		take.
 *
 * What a user has is the sum of the user's movements of the item, so holds count too.
 * Takes a lock on hashes of item and user, to the end of the transaction, and locks
 * overdue holds of the user.  In the order of locks both come before stock rows.
 */
#include "postgres.h"

#include "common/int.h"

#include "base/error.h"
#include "base/lock.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/query.h"
#include "store/query_text.h"
#include "stock/limit.h"
#include "stock/quantity.h"

/*
 * Units of an item that a user has; overdue holds are looked for if that is more than
 * max_used.
 *
 * Overdue holds do not count, whether they are given back already or not.  They are locked
 * here, so that no call that began in time can confirm them, and after that the units are
 * summed again, because others may have given some back in between.  Raises IV014 if the
 * answer depends on overdue holds that other sessions have locked.
 */
static int64
sum_used_units(InvStore *store, Datum item, const InvUser *user, int64 max_used)
{
	Datum values[] = { item, user->value, TimestampTzGetDatum(store->now) };
	int64 used, overdue;

	inv_execute(store, INV_STMT_USED, values, NULL, INV_SNAPSHOT_LATEST);
	used = inv_result_int64(0, 1);
	if (used <= max_used)
		return used;
	inv_execute(store, INV_STMT_OVERDUE_OF_USER, values, NULL, INV_SNAPSHOT_LATEST);
	overdue = inv_result_int64(0, 1);
	inv_execute(store, INV_STMT_STILL_OVERDUE_OF_USER, values, NULL, INV_SNAPSHOT_LATEST);
	if (used - inv_result_int64(0, 1) <= max_used && inv_result_int64(0, 1) > overdue)
		inv_error_busy(inv_item_facts(store, item),
					   "the user's overdue holds are being given back");
	inv_execute(store, INV_STMT_USED, values, NULL, INV_SNAPSHOT_LATEST);
	return inv_result_int64(0, 1) - overdue;
}

/*
 * Set the status of a take that is more than one call may take of the item, for any user.
 * The limit is read from the row, of a hot item too: it has nothing to do with the stock.
 */
static void
check_order_limit(InvStore *store, InvTake *take)
{
	bool isnull;
	int64 limit;

	if (inv_execute(store, INV_STMT_ORDER_LIMIT, &take->item, NULL, INV_SNAPSHOT_LATEST) == 0)
		return;
	limit = DatumGetInt64(inv_result(0, 1, &isnull));
	if (isnull || take->quantity <= limit)
		return;
	take->status = INV_STATUS_PURCHASE_LIMIT_EXCEEDED;
	take->one_call = true;
	take->limit = limit;
}

/* Has the store limits, for which a take has to be checked before the stock? */
bool
inv_has_limits(const InvStore *store)
{
	return store->purchase_limit.attnum != InvalidAttrNumber ||
		   store->order_limit.attnum != InvalidAttrNumber;
}

/*
 * Lock the limit of item and user, and set the status of the take if it exceeds what is
 * left.  The lock comes first and the sum after it, with the latest snapshot: every other
 * purchase for this user has committed, or waits for the lock.  Raises 22004 for a
 * limited item without a user.  Without "user" the caller has checked the limits.
 */
void
inv_check_limit(InvStore *store, InvTake *take, const InvUser *user)
{
	int64 max_used; /* beside this take */

	Assert(take->status == INV_STATUS_OK);
	if (user == NULL)
		return;
	take->one_call = false;
	if (store->order_limit.attnum != InvalidAttrNumber)
		check_order_limit(store, take);
	if (!take->limited || take->status != INV_STATUS_OK)
		return;
	if (user->isnull)
		inv_error_null("user_id of an item with a purchase_limit");
	inv_lock_name(store->items, INV_LOCKTAG_LIMIT,
				  psprintf(UINT64_FORMAT " " UINT64_FORMAT, inv_item_hash(store, take->item, 0),
						   inv_user_hash(store, user)));
	if (pg_sub_s64_overflow(take->limit, take->quantity, &max_used))
		max_used = PG_INT64_MIN;
	take->used = sum_used_units(store, take->item, user, max_used);
	if (take->used > max_used)
		take->status = INV_STATUS_PURCHASE_LIMIT_EXCEEDED;
}

/*
 * Check the limits again after the movements are written: a trigger of the shop may have
 * bought for the same user in between.  Raises IV010.
 */
void
inv_check_limits(InvStore *store, const InvTake *takes, int count, const InvUser *user)
{
	for (int i = 0; i < count; i++)
	{
		InvFacts *facts;

		if (!takes[i].limited ||
			sum_used_units(store, takes[i].item, user, takes[i].limit) <= takes[i].limit)
			continue;
		facts = inv_item_facts(store, takes[i].item);
		facts->column = store->purchase_limit.key;
		inv_fact_number(facts, "limit", takes[i].limit);
		inv_error_purchase_limit(
			facts,
			psprintf("Item \"%s\": a trigger bought more of it for the same user.", facts->name));
	}
}
