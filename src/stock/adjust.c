/*
 * adjust.c
 *		Corrections of the stock by operators.
 */
#include "postgres.h"

#include "access/xact.h"

#include "base/error.h"
#include "base/lock.h"
#include "shmem/counter.h"
#include "shmem/hot_table.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/query.h"
#include "store/query_text.h"
#include "stock/adjust.h"
#include "stock/hot_publish.h"
#include "stock/hot_stock.h"
#include "stock/item_row.h"
#include "stock/quantity.h"

/* A hot item as it is without what others have taken; only one operator at a time. */
static bool
lock_hot_stock(InvStore *store, Datum item, InvStock *stock)
{
	InvCounterTake nothing = { .lowest = PG_INT64_MIN };
	InvCounterValues now;

	if (!inv_hot_find_counter(store, item, &stock->counter))
		return false;
	/* not for a cold one: who has its row already would wait for who waits for the row */
	inv_lock_name(store->items, INV_LOCKTAG_STOCK, inv_item_text(store, item));
	if (inv_counter_look(&stock->counter, &now) != INV_HOT_STATE_HOT ||
		inv_counter_peek(&stock->counter, &nothing) == INV_COUNTER_GONE)
		return false;
	stock->hot = stock->tracked = true;
	stock->stock = nothing.left + now.floor;
	stock->floor = now.floor;
	return true;
}

/* Lock a tracked item, for sale or not: its row, or its counter against other operators. */
InvStock
inv_adjust_lock(InvStore *store, Datum item)
{
	InvStock stock = { 0 };
	uint64 rows;
	bool isnull;

	if (lock_hot_stock(store, item, &stock))
		return stock;
	rows = inv_execute(store, INV_STMT_LOCK_ANY, &item, NULL, INV_SNAPSHOT_TRANSACTION);
	if (rows > 0)
	{
		stock.stock = DatumGetInt64(inv_result(0, 1, &isnull));
		stock.tracked = !isnull;
		stock.floor = inv_result_int64(0, 2);
		/* it may have become hot while its row was waited for; now it cannot */
		(void) lock_hot_stock(store, item, &stock);
	}
	else
	{
		/* younger than this transaction's snapshot? */
		if (IsolationUsesXactSnapshot() &&
			inv_execute(store, INV_STMT_READ_ANY, &item, NULL, INV_SNAPSHOT_LATEST) > 0)
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
inv_adjust_change(InvStore *store, Datum item, InvStock *stock, int64 delta, int64 least)
{
	InvRowLevel level;

	if (delta == 0)
		return true;
	if (stock->hot)
		return inv_hot_stock_change(store, item, stock, delta, Min(least - stock->floor, 0));
	level = inv_item_row_change(store, item, delta, false, INV_SNAPSHOT_TRANSACTION);
	if (level.hot && delta < 0)
		inv_error_busy(inv_item_text(store, item), "it became hot meanwhile");
	stock->stock = level.stock;
	return true;
}
