/*
 * level.c
 *		What can be sold of items, for an answer that shows it.
 *
 * Nothing is decided by these numbers, and no lock protects them.  But the first look at
 * a hot item publishes its counter, or demotes the item (hot_publish.c).
 */
#include "postgres.h"

#include "base/error.h"
#include "base/units.h"
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

/* A row of the result of INV_STMT_LEVEL or INV_STMT_LEVELS. */
typedef struct LevelRow
{
	int64 stock; /* overdue holds included */
	int64 floor;
	InvLevel level;
} LevelRow;

static LevelRow
read_level_row(uint64 number)
{
	LevelRow row = { 0 };
	bool isnull;

	row.level.item = inv_result(number, 4, &isnull);
	row.stock = DatumGetInt64(inv_result(number, 1, &isnull));
	row.level.tracked = !isnull;
	if (isnull)
		return row;
	row.floor = inv_result_int64(number, 2);
	row.stock = inv_add_units(row.stock, inv_result_int64(number, 3));
	return row;
}

/* Add what a hot item has unsettled, and set what is above the floor. */
static void
complete_level(InvStore *store, LevelRow *row)
{
	if (!row->level.tracked)
		return;
	row->stock = inv_add_units(
		row->stock, inv_hot_sum_unsettled(store, row->level.item, INV_SNAPSHOT_READ_ONLY));
	row->level.available = inv_available(row->stock, row->floor);
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
	LevelRow row;

	*status = INV_STATUS_ITEM_NOT_FOUND;
	*tracked = false;
	if (inv_execute(store, INV_STMT_LEVEL, values, NULL, INV_SNAPSHOT_READ_ONLY) == 0)
		return 0;
	*status = INV_STATUS_OK;
	row = read_level_row(0);
	complete_level(store, &row);
	*tracked = row.level.tracked;
	return row.level.available;
}

/*
 * The same of the items in an array, each once and in key order, without those that do not
 * exist or are not for sale.
 */
InvLevel *
inv_level_read_items(InvStore *store, Datum items, uint64 *count)
{
	Datum values[] = { items, TimestampTzGetDatum(store->now) };
	LevelRow *rows;
	InvLevel *levels;

	*count = inv_execute(store, INV_STMT_LEVELS, values, NULL, INV_SNAPSHOT_READ_ONLY);
	rows = palloc(sizeof(LevelRow) * Max(*count, 1));
	levels = palloc(sizeof(InvLevel) * Max(*count, 1));
	/* all of them before the next statement takes the place of the result */
	for (uint64 i = 0; i < *count; i++)
		rows[i] = read_level_row(i);
	for (uint64 i = 0; i < *count; i++)
	{
		complete_level(store, &rows[i]);
		levels[i] = rows[i].level;
	}
	return levels;
}
