/*
 * give.c
 *		Give units back to items: released, expired, refunded.
 *
 * Units of cold items go into their rows, those of hot items into their counters.  Locks
 * the rows in key order; the caller may have locked reservations or orders before.
 * Movements are the caller's, with the epoch that is found here.
 */
#include "postgres.h"

#include "common/int.h"
#include "miscadmin.h"

#include "base/compat.h"
#include "base/error.h"
#include "store/binding.h"
#include "store/column.h"
#include "stock/direct_take.h"
#include "stock/give.h"
#include "stock/hot_publish.h"
#include "stock/hot_stock.h"
#include "stock/item_row.h"
#include "stock/quantity.h"

static int
compare_gives(const void *a, const void *b, void *store)
{
	return inv_item_compare(store, ((const InvGive *) a)->item, ((const InvGive *) b)->item);
}

/*
 * Bring gives into key order, each item once with the sum of its units; returns how many items.
 * Raises 22003, "of" this, if a sum is too large.
 */
int
inv_merge_gives(InvStore *store, InvGive *gives, int count, const char *of)
{
	int merged = 0;

	qsort_arg(gives, count, sizeof(InvGive), compare_gives, store);
	for (int i = 0; i < count; i++)
	{
		InvGive *last = merged > 0 ? &gives[merged - 1] : NULL;

		if (last == NULL || compare_gives(last, &gives[i], store) != 0)
			gives[merged++] = gives[i];
		else if (pg_add_s64_overflow(last->quantity, gives[i].quantity, &last->quantity))
			inv_error_overflow(of);
	}
	return merged;
}

/* The one of merged gives that is for an item, or null. */
const InvGive *
inv_find_give(InvStore *store, const InvGive *gives, int count, Datum item)
{
	InvGive key = { .item = item };

	return bsearch_arg(&key, gives, count, sizeof(InvGive), compare_gives, store);
}

/* Give to the rows of cold items; statements give from the first on that needs one. */
static void
give_to_rows(InvStore *store, InvGive *gives, int count)
{
	int given = 0;

	while (given < count && (gives[given].hot ||
							 (gives[given].quantity > 0 && inv_direct_give(store, &gives[given]))))
		given++;
	if (given < count)
		inv_item_row_give_many(store, &gives[given], count - given);
}

/* Give to the counter of a hot item, or to its row if it is cold by now. */
static void
give_hot(InvStore *store, InvGive *give)
{
	while (give->hot && !inv_hot_stock_give(store, give))
	{
		give->hot = inv_hot_find_counter(store, give->item, &give->counter);
		give_to_rows(store, give, 1);
	}
}

/*
 * Give units back to items, in key order and each item once.  0 units lock the row of a cold
 * item, which the caller is going to take from.  "tracked" says of each
 * whether its stock has them now: false for an item without a number, or that does not
 * exist any more.  An item that is younger than the snapshot of the transaction exists: to give
 * to it is a serialization failure.  Raises 22003 if a stock column cannot hold the sum, and IV014 after
 * waiting for others too long.
 */
void
inv_give(InvStore *store, InvGive *gives, int count)
{
	Assert(count > 0);
	Assert(GetUserId() == store->owner);
	for (int i = 0; i < count; i++)
		gives[i].hot = inv_hot_find_counter(store, gives[i].item, &gives[i].counter);
	give_to_rows(store, gives, count);
	for (int i = 0; i < count; i++)
		if (gives[i].quantity > 0)
			give_hot(store, &gives[i]);
	INV_POINT("inventory-after-give");
}
