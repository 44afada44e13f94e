/*
 * limit.c
 *		Purchase limits.
 */
#include "postgres.h"

#include "common/int.h"

#include "base/datum.h"
#include "base/error.h"
#include "base/lock.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/query.h"
#include "store/query_text.h"
#include "stock/limit.h"
#include "stock/quantity.h"

/*
 * Units of an item that a user has; "most" is how many may be.  Holds that are
 * overdue do not count, whether or not somebody came to give them back: they are
 * locked, so that none of them is confirmed by a call that began in time, and
 * only then is summed again, without what was given back meanwhile.  If others
 * have locked such holds, nobody knows yet.
 */
static int64
used_units(InvStore *store, Datum item, const InvUser *user, int64 max_used)
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
		inv_error_busy(inv_item_text(store, item), "the user's overdue holds are being given back");
	inv_execute(store, INV_STMT_USED, values, NULL, INV_SNAPSHOT_LATEST);
	return inv_result_int64(0, 1) - overdue;
}

/*
 * Hold the limit of (item, user) and see what is left of it.  Lock first, then
 * sum with the latest snapshot: whoever else bought for this user has committed
 * or not begun.
 */
void
inv_check_limit(InvStore *store, InvTake *take, const InvUser *user)
{
	int64 left; /* the most that may be used already */

	if (!take->limited)
		return;
	if (user->isnull)
		inv_error_null("user_id of an item with a purchase_limit");
	inv_lock_name(store->items, INV_LOCKTAG_LIMIT,
				  psprintf(UINT64_FORMAT " %s", inv_item_hash(store, take->item, 0),
						   inv_datum_text(store->user_type, user->value)));
	if (pg_sub_s64_overflow(take->limit, take->quantity, &left))
		left = PG_INT64_MIN;
	take->used = used_units(store, take->item, user, left);
	if (take->used > left)
		take->status = INV_STATUS_PURCHASE_LIMIT_EXCEEDED;
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
