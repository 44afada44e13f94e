/*
 * level.c
 *		What can be sold, to show it.
 */
#include "postgres.h"

#include "common/int.h"

#include "base/error.h"
#include "store/binding.h"
#include "store/query.h"
#include "stock/hot_row.h"
#include "stock/hot_stock.h"
#include "stock/item_row.h"
#include "stock/level.h"
#include "stock/quantity.h"

/* What can be sold of the items of a cart now. */
void
inv_level_read_many(InvStore *store, InvTake *takes, int count)
{
	(void) inv_hot_stock_find_many(store, takes, count);
	inv_item_row_read_many(store, takes, count, false);
}

/* What can be sold of an item, overdue holds included, by the snapshot of the query. */
int64
inv_level_read(InvStore *store, Datum item, InvStatus *status, bool *tracked)
{
	InvTake take = { .item = item };
	int64 stock;

	inv_item_row_level(store, &take);
	*status = take.status;
	*tracked = take.tracked;
	if (take.status != INV_STATUS_OK || !take.tracked)
		return 0;
	if (pg_add_s64_overflow(take.stock, inv_hot_sum_unsettled(store, item, INV_SNAPSHOT_READ_ONLY),
							&stock))
		stock = PG_INT64_MAX;
	return inv_available(stock, take.floor);
}
