/*
 * adjust.c
 *		An operator locks the stock of one item, decides, and changes it.
 *
 * A cold item is locked by its row.  A hot one is locked by name, against other
 * operators only: buyers go on, and the counter decides whether a change fits.
 * Movements are the caller's.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"

#include "base/error.h"
#include "base/lock.h"
#include "base/store_error.h"
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

/*
 * Lock a hot item against other operators, and read its stock, without what other
 * transactions have taken.  False if it is cold, or is being cooled.
 */
static bool
lock_hot_stock(InvStore *store, Datum item, InvStock *stock)
{
	InvCounterTake nothing = { .below_floor = true, .least = PG_INT64_MIN };
	InvCounterValues now;

	if (!inv_hot_find_counter(store, item, &stock->counter))
		return false;

	/*
	 * Only for a hot item.  If operators of a cold one took this lock, a session that has
	 * the row already would wait here for a session that waits for the row.
	 */
	inv_lock_name(store->items, INV_LOCKTAG_STOCK,
				  psprintf(UINT64_FORMAT, inv_item_hash(store, item, 0)));
	if (inv_counter_read(&stock->counter, &now) != INV_HOT_STATE_HOT ||
		inv_counter_peek(&stock->counter, &nothing) == INV_COUNTER_NOT_HOT)
		return false;
	stock->hot = stock->tracked = true;
	stock->stock = nothing.left;
	stock->floor = nothing.floor;
	return true;
}

/* Lock the item's row, for sale or not, and read its stock. */
static void
lock_row_stock(InvStore *store, Datum item, InvStock *stock)
{
	bool isnull;

	if (inv_execute(store, INV_STMT_LOCK_ANY, &item, NULL, INV_SNAPSHOT_TRANSACTION) > 0)
	{
		stock->stock = DatumGetInt64(inv_result(0, 1, &isnull));
		stock->tracked = !isnull;
		stock->floor = inv_result_int64(0, 2);
		return;
	}
	/* it was inserted after this transaction took its snapshot */
	if (IsolationUsesXactSnapshot() &&
		inv_execute(store, INV_STMT_READ_ANY, &item, NULL, INV_SNAPSHOT_LATEST) > 0)
		inv_error_serialization();
	inv_error_no_item(inv_item_key_facts(store, item));
}

/*
 * Lock a tracked item until the end of the transaction, and read its stock as it is under
 * the lock.  Raises IV002 if there is no such item, 55000 if it is not tracked, 40001 if it
 * is younger than the transaction's snapshot.
 */
InvStock
inv_adjust_lock(InvStore *store, Datum item)
{
	InvStock stock = { .item = item };

	Assert(GetUserId() == store->owner);
	if (lock_hot_stock(store, item, &stock))
		return stock;
	lock_row_stock(store, item, &stock);
	/* it may have become hot while its row was waited for; now it cannot */
	(void) lock_hot_stock(store, item, &stock);
	if (!stock.tracked)
		inv_error_untracked(inv_item_text(store, item));
	return stock;
}

/*
 * Change the stock of an item that inv_adjust_lock returned.  For a hot item at least
 * min_left units must stay, or IV001 is raised; of a cold item the caller has seen to that.
 * False: the item was hot and is cold now; the caller has to lock it and decide again.
 */
bool
inv_adjust_change(InvStore *store, InvStock *stock, int64 delta, int64 min_left)
{
	InvRowLevel level;

	Assert(stock->tracked);
	if (delta == 0)
		return true;
	if (stock->hot)
		return inv_hot_stock_change(store, stock, delta, min_left);
	level = inv_item_row_change(store, stock->item, delta, false, INV_SNAPSHOT_TRANSACTION);
	if (level.hot && delta < 0)
		inv_error_busy(inv_item_facts(store, stock->item), "it became hot concurrently");
	stock->stock = level.stock;
	return true;
}
