/*
 * level.c
 *		What can be sold of items, for an answer that shows it.
 *
 * Nothing is decided by these numbers, and no lock protects them.  But the first look at
 * a hot item publishes its counter, or demotes the item (hot_publish.c).
 */
#include "postgres.h"

#include "common/int.h"

#include "base/error.h"
#include "store/binding.h"
#include "store/query.h"
#include "store/query_text.h"
#include "stock/hot_row.h"
#include "stock/hot_stock.h"
#include "stock/item_row.h"
#include "stock/level.h"
#include "stock/quantity.h"

/* Read what is committed now of the items of a cart, which are in key order. */
void
inv_level_read_many(InvStore *store, InvTake *takes, int count)
{
	Assert(count > 0);
	(void) inv_hot_stock_find_many(store, takes, count);
	inv_item_row_read_many(store, takes, count, false);
}

/*
 * What can be sold of an item by the snapshot of the calling query: stock, what hot items
 * have unsettled, and what overdue holds will give back, above the floor.  The status is
 * INV_STATUS_ITEM_NOT_FOUND if it does not exist or is not for sale.
 */
int64
inv_level_read(InvStore *store, Datum item, InvStatus *status, bool *tracked)
{
	Datum values[] = { item, TimestampTzGetDatum(store->now) };
	int64 stock, floor;
	bool isnull;

	*status = INV_STATUS_ITEM_NOT_FOUND;
	*tracked = false;
	if (inv_execute(store, INV_STMT_LEVEL, values, NULL, INV_SNAPSHOT_READ_ONLY) == 0)
		return 0;
	*status = INV_STATUS_OK;
	stock = DatumGetInt64(inv_result(0, 1, &isnull));
	if (isnull)
		return 0;
	*tracked = true;
	floor = inv_result_int64(0, 2);
	if (pg_add_s64_overflow(stock, inv_result_int64(0, 3), &stock))
		stock = PG_INT64_MAX;
	if (pg_add_s64_overflow(stock, inv_hot_sum_unsettled(store, item, INV_SNAPSHOT_READ_ONLY),
							&stock))
		stock = PG_INT64_MAX;
	return inv_available(stock, floor);
}
