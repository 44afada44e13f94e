/*
 * item_row.c
 *		Rows of items: read, locked, and written by statements.
 *
 * Every write is announced to the guard (expected.c), which may answer that the item is
 * hot.  Expects the store to be entered; movements are the caller's.  Units of one item
 * are taken by row_take.c.
 */
#include "postgres.h"

#include "catalog/pg_type.h"

#include "base/error.h"
#include "base/store_error.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/query.h"
#include "store/query_text.h"
#include "stock/direct_read.h"
#include "stock/direct_rows.h"
#include "stock/expected.h"
#include "stock/item_row.h"
#include "stock/quantity.h"

/* ---- reading ---- */

/* The columns of INV_STMT_READ; others of its kind have the first five. */
typedef enum ReadColumn
{
	READ_COLUMN_STOCK = 1,
	READ_COLUMN_FLOOR,
	READ_COLUMN_LIMIT,
	READ_COLUMN_VERSION,
	READ_COLUMN_ITEM,
	READ_COLUMN_OVERDUE
} ReadColumn;

/* Fill a take from a row of such a statement, without its overdue holds. */
static void
fill_take(InvTake *take, uint64 row)
{
	bool isnull;

	take->status = INV_STATUS_OK;
	take->stock = DatumGetInt64(inv_result(row, READ_COLUMN_STOCK, &isnull));
	take->tracked = !isnull;
	take->floor = inv_result_int64(row, READ_COLUMN_FLOOR);
	take->limit = DatumGetInt64(inv_result(row, READ_COLUMN_LIMIT, &isnull));
	take->limited = !isnull;
	take->version = DatumGetInt64(inv_result(row, READ_COLUMN_VERSION, &isnull));
	take->overdue = 0;
}

/* Read what is committed now, with overdue holds, without a lock. */
void
inv_item_row_read(InvStore *store, InvTake *take)
{
	Datum values[] = { take->item, TimestampTzGetDatum(store->now) };

	if (inv_direct_read(store, take))
		return;
	take->status = INV_STATUS_ITEM_NOT_FOUND;
	if (inv_execute(store, INV_STMT_READ, values, NULL, INV_SNAPSHOT_LATEST) == 0)
		return;
	fill_take(take, 0);
	take->overdue = inv_result_int64(0, READ_COLUMN_OVERDUE);
}

/* Lock the row, and read it as it is under the lock. */
void
inv_item_row_lock(InvStore *store, InvTake *take)
{
	take->status = INV_STATUS_ITEM_NOT_FOUND;
	if (inv_execute(store, INV_STMT_LOCK, &take->item, NULL, INV_SNAPSHOT_TRANSACTION) > 0)
		fill_take(take, 0);
}

/* ---- writing ---- */

/*
 * Change the stock of one locked row, without a condition; returns what it has then.
 * settling: the counter of a hot item has these units already.  Raises IV014 if a trigger
 * keeps the row from being written.
 */
InvRowLevel
inv_item_row_change(InvStore *store, Datum item, int64 delta, bool settling, InvSnapshotMode mode)
{
	Datum values[] = { item, Int64GetDatum(delta) };
	int base = inv_expect_begin();
	InvRowLevel level;
	uint64 rows;

	if (settling)
		inv_expect_settling(store, item, delta);
	else
		inv_expect(store, item, delta);
	rows = inv_execute(store, INV_STMT_CHANGE, values, NULL, mode);
	if (rows > 1)
		inv_error_broken_store(store->store_name, store->items,
							   "The key of its items is not unique.");
	inv_expect_end(store, base, rows == 1, &level);
	if (rows == 0)
		inv_error_busy(inv_item_facts(store, item), "a trigger keeps its row from being written");
	return level;
}

/* ---- several rows ---- */

/*
 * Is this row of the last statement that of an item?  Rows and items are both in key
 * order, so one pass over the items finds all rows.
 */
static bool
is_row_of_item(InvStore *store, uint64 row, uint64 rows, int key_column, Datum item)
{
	bool isnull;

	return row < rows && inv_item_compare(store, inv_result(row, key_column, &isnull), item) == 0;
}

/*
 * Read the rows of a cart; with lock, lock them in key order first.  takes must be in key
 * order.  Those that do not exist, or are not for sale, are INV_STATUS_ITEM_NOT_FOUND.
 * Hot items are passed over, here and in inv_item_row_take_many.  Raises 55000 if two rows
 * have one key.
 */
void
inv_item_row_read_many(InvStore *store, InvTake *takes, int count, bool lock)
{
	Datum *items = palloc(sizeof(Datum) * count);
	uint64 rows, row = 0;
	int cold = 0;
	Datum keys;

	Assert(count > 0);
	if (inv_direct_read_rows(store, takes, count, lock))
		return;
	for (int i = 0; i < count; i++)
		if (!takes[i].hot)
			items[cold++] = takes[i].item;
	if (cold == 0)
		return;
	keys = inv_make_array(store->item_id.base, items, NULL, cold);
	rows = inv_execute(store, lock ? INV_STMT_LOCK_MANY : INV_STMT_READ_MANY, &keys, NULL,
					   lock ? INV_SNAPSHOT_TRANSACTION : INV_SNAPSHOT_LATEST);
	for (int i = 0; i < count; i++)
	{
		if (takes[i].hot)
			continue;
		takes[i].status = INV_STATUS_ITEM_NOT_FOUND;
		if (!is_row_of_item(store, row, rows, READ_COLUMN_ITEM, takes[i].item))
			continue;
		fill_take(&takes[i], row++);
		if (is_row_of_item(store, row, rows, READ_COLUMN_ITEM, takes[i].item))
			inv_error_broken_store(store->store_name, store->items,
								   "The key of its items is not unique.");
	}
}

/* One of several rows to be written. */
typedef struct RowChange
{
	Datum item;
	int64 quantity; /* taken or given */
	InvTake *take;	/* gets what the row has then; null for a give */
} RowChange;

/*
 * Write rows that this transaction has locked, by INV_STMT_TAKE_MANY or
 * INV_STMT_CHANGE_MANY: all of them, or IV014.
 */
static void
write_rows(InvStore *store, InvStatement statement, const RowChange *changes, int count,
		   InvSnapshotMode mode)
{
	bool takes = statement == INV_STMT_TAKE_MANY;
	Datum *items, *quantities;
	InvRowLevel *levels;
	Datum values[2];
	uint64 rows;
	int base;

	if (count == 0)
		return;
	items = palloc(sizeof(Datum) * count);
	quantities = palloc(sizeof(Datum) * count);
	levels = palloc(sizeof(InvRowLevel) * count);
	base = inv_expect_begin();
	for (int i = 0; i < count; i++)
	{
		items[i] = changes[i].item;
		quantities[i] = Int64GetDatum(changes[i].quantity);
		inv_expect(store, changes[i].item, takes ? -changes[i].quantity : changes[i].quantity);
	}
	values[0] = inv_make_array(store->item_id.base, items, NULL, count);
	values[1] = inv_make_array(INT8OID, quantities, NULL, count);
	rows = inv_execute(store, statement, values, NULL, mode);
	inv_expect_end(store, base, rows == (uint64) count, levels);
	if (rows != (uint64) count)
		inv_error_busy(inv_item_facts(store, items[0]),
					   "a trigger keeps its row, or another of the same call, from being written");
	for (int i = 0; i < count; i++)
	{
		if (changes[i].take == NULL)
			continue;
		/* cannot happen while the row is locked */
		if (levels[i].hot)
			inv_error_busy(inv_item_facts(store, items[i]), "it became hot concurrently");
		changes[i].take->stock = levels[i].stock;
		changes[i].take->floor = levels[i].floor;
	}
}

/* Take from rows that this transaction has locked and found sufficient, by one statement. */
void
inv_item_row_take_many(InvStore *store, InvTake *takes, int count)
{
	RowChange *changes = palloc(sizeof(RowChange) * count);
	int tracked = 0;

	for (int i = 0; i < count; i++)
	{
		Assert(takes[i].status == INV_STATUS_OK);
		if (!takes[i].tracked || takes[i].hot || takes[i].row_written)
			continue;
		changes[tracked].item = takes[i].item;
		changes[tracked].quantity = takes[i].quantity;
		changes[tracked++].take = &takes[i];
	}
	write_rows(store, INV_STMT_TAKE_MANY, changes, tracked, INV_SNAPSHOT_TRANSACTION);
}

/*
 * Lock rows in key order, for sale or not, and add to those that are tracked; "tracked"
 * says which.  A row that is given 0 units is locked only.  gives must be in key order, each
 * item once.  Hot items are passed over.
 */
void
inv_item_row_give_many(InvStore *store, InvGive *gives, int count)
{
	Datum *items = palloc(sizeof(Datum) * count);
	RowChange *changes = palloc0(sizeof(RowChange) * count);
	int tracked = 0, cold = 0;
	uint64 rows, row = 0;
	Datum keys;

	Assert(count > 0);
	for (int i = 0; i < count; i++)
		if (!gives[i].hot)
			items[cold++] = gives[i].item;
	if (cold == 0)
		return;
	keys = inv_make_array(store->item_id.base, items, NULL, cold);
	/*
	 * A row that has changed since the snapshot is a serialization failure.  With its last version
	 * locked, this transaction could wait for the version that it sees, and for a session that
	 * waits for it.
	 */
	if (IsolationUsesXactSnapshot())
		inv_execute(store, INV_STMT_LOCK_MANY_ANY, &keys, NULL, INV_SNAPSHOT_TRANSACTION);
	rows = inv_execute(store, INV_STMT_LOCK_MANY_ANY, &keys, NULL, INV_SNAPSHOT_LATEST);
	for (int i = 0; i < count; i++)
	{
		bool isnull;

		if (gives[i].hot)
			continue;
		gives[i].tracked = false;
		/* the columns are stock, floor and key */
		if (!is_row_of_item(store, row, rows, 3, gives[i].item))
			continue;
		(void) inv_result(row++, 1, &isnull);
		if (isnull)
			continue;
		gives[i].tracked = true;
		if (gives[i].quantity == 0)
			continue;
		changes[tracked].item = gives[i].item;
		changes[tracked++].quantity = gives[i].quantity;
	}
	write_rows(store, INV_STMT_CHANGE_MANY, changes, tracked, INV_SNAPSHOT_LATEST);
}
