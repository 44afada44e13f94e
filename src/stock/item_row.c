/*
 * item_row.c
 *		Stock in the item's row: the three textbook ways to take it.
 *
 *		atomic		one conditional UPDATE; its row count decides
 *		pessimistic	SELECT ... FOR NO KEY UPDATE, then the UPDATE
 *		optimistic	read, then compare-and-set on version or value, with retries
 *
 * All three write "stock = stock - q where stock - q >= floor", so they are safe
 * beside each other and beside anything else; what comes before only decides
 * when one waits and when one gives up.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "common/int.h"
#include "common/pg_prng.h"
#include "miscadmin.h"

#include "base/error.h"
#include "base/guc.h"
#include "base/stats.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/query.h"
#include "store/query_text.h"
#include "stock/direct_read.h"
#include "stock/expected.h"
#include "stock/item_row.h"
#include "stock/quantity.h"

/* how often a conditional UPDATE may find nothing while a read finds enough */
#define ATOMIC_TRIES 100

/* ---- reading ---- */

/* Fill a take from the columns of a read.  Its overdue holds are not among them. */
static void
fill_take(InvTake *take, uint64 row)
{
	bool isnull;

	take->status = INV_STATUS_OK;
	take->stock = DatumGetInt64(inv_result(row, 1, &isnull));
	take->tracked = !isnull;
	take->floor = inv_result_int64(row, 2);
	take->limit = DatumGetInt64(inv_result(row, 3, &isnull));
	take->limited = !isnull;
	take->version = DatumGetInt64(inv_result(row, 4, &isnull));
	take->overdue = 0;
}

/* Read what all that is committed now has, without a lock. */
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
	take->overdue = inv_result_int64(0, 6);
}

/* Read and lock the row. */
static void
lock_item_row(InvStore *store, InvTake *take)
{
	take->status = INV_STATUS_ITEM_NOT_FOUND;
	if (inv_execute(store, INV_STMT_LOCK, &take->item, NULL, INV_SNAPSHOT_TRANSACTION) > 0)
		fill_take(take, 0);
}

/* Read what can be sold, with what overdue holds will give back. */
void
inv_item_row_level(InvStore *store, InvTake *take)
{
	Datum values[] = { take->item, TimestampTzGetDatum(store->now) };
	int64 overdue;
	bool isnull;

	take->status = INV_STATUS_ITEM_NOT_FOUND;
	if (inv_execute(store, INV_STMT_LEVEL, values, NULL, INV_SNAPSHOT_READ_ONLY) == 0)
		return;
	take->status = INV_STATUS_OK;
	take->stock = DatumGetInt64(inv_result(0, 1, &isnull));
	take->tracked = !isnull;
	take->floor = inv_result_int64(0, 2);
	overdue = inv_result_int64(0, 3);
	if (pg_add_s64_overflow(take->stock, overdue, &take->stock))
		take->stock = PG_INT64_MAX;
}

/* ---- writing ---- */

/* Change the number of one locked row, without a condition; what it has then. */
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
		inv_error_broken_store(store->store_name, "The key of its items is not unique.");
	inv_expect_end(store, base, rows == 1, &level);
	if (rows == 0)
		inv_error_busy(inv_item_text(store, item), "a trigger keeps its row from being written");
	return level;
}

/*
 * The item became hot while its row was waited for: what was taken from the row goes
 * back, and is taken from the counter then.
 */
static void
undo_row_take(InvStore *store, const InvTake *take)
{
	(void) inv_item_row_change(store, take->item, take->quantity, true, INV_SNAPSHOT_TRANSACTION);
}

/* Run a conditional UPDATE of one row; true if it took, or the item is hot. */
static bool
update_one(InvStore *store, InvTake *take, InvStatement statement)
{
	Datum values[] = { take->item, Int64GetDatum(take->quantity), Int64GetDatum(take->version) };
	int base = inv_expect_begin();
	InvRowLevel level;
	uint64 rows;

	inv_expect(store, take->item, -take->quantity);
	rows = inv_execute(store, statement, values, NULL, INV_SNAPSHOT_TRANSACTION);
	if (rows > 1)
		inv_error_broken_store(store->store_name, "The key of its items is not unique.");
	inv_expect_end(store, base, rows == 1, &level);
	if (rows == 0)
		return false;
	take->hot = level.hot;
	if (level.hot)
		undo_row_take(store, take);
	take->status = INV_STATUS_OK;
	take->tracked = true;
	take->stock = level.stock;
	take->floor = level.floor;
	return true;
}

/* Judge what was read; true if the answer is final: refused, or not tracked. */
static bool
is_decided(InvStore *store, InvTake *take)
{
	if (take->status == INV_STATUS_OK)
		take->status = inv_judge_take(take);
	return take->status != INV_STATUS_OK || !take->tracked;
}

/*
 * Look without a lock: at the latest, so that a refusal is right at this instant
 * whatever the caller's snapshot is.
 */
static bool
decided_by_look(InvStore *store, InvTake *take)
{
	inv_item_row_read(store, take);
	return is_decided(store, take);
}

static void
take_atomic(InvStore *store, InvTake *take)
{
	/*
	 * Whoever was refused looks before it tries again: that is how buyers come when
	 * an item is gone.  And with a large quantity "stock - quantity" could overflow
	 * in the statement.
	 */
	if ((store->last_take_failed || take->quantity > PG_INT32_MAX) && decided_by_look(store, take))
		return;
	for (int tries = 0; tries < ATOMIC_TRIES; tries++)
	{
		if (update_one(store, take, INV_STMT_TAKE))
			return;
		if (decided_by_look(store, take))
			return;
		/* there is enough, but this transaction's snapshot does not see it */
		if (IsolationUsesXactSnapshot())
			inv_error_serialization();
		CHECK_FOR_INTERRUPTS();
		inv_stats_count(INV_STATS_RETRIES, 1);
	}
	inv_error_busy(inv_item_text(store, take->item), "its row could not be written");
}

static void
take_pessimistic(InvStore *store, InvTake *take)
{
	if (decided_by_look(store, take))
		return;
	lock_item_row(store, take);
	if (is_decided(store, take))
	{
		if (IsolationUsesXactSnapshot())
			inv_error_serialization();
		/* while it waited, holds may have been made and become overdue: look at them now */
		if (take->status != INV_STATUS_OUT_OF_STOCK || decided_by_look(store, take))
			return;
	}
	if (!update_one(store, take, INV_STMT_TAKE))
		inv_error_busy(inv_item_text(store, take->item), "its row could not be written");
}

/* Wait a random while that grows with the attempts, so that losers spread out. */
static void
back_off(int attempt)
{
	double longest = Min(100.0 * (1 << Min(attempt, 8)), 10000.0); /* microseconds */

	CHECK_FOR_INTERRUPTS();
	inv_stats_count(INV_STATS_RETRIES, 1);
	pg_usleep((long) (longest * pg_prng_double(&pg_global_prng_state)));
}

static void
take_optimistic(InvStore *store, InvTake *take)
{
	for (int attempt = 0; attempt <= inv_optimistic_retries; attempt++)
	{
		if (attempt > 0)
			back_off(attempt);
		if (decided_by_look(store, take))
			return;
		if (update_one(store, take, INV_STMT_TAKE_IF_VERSION))
			return;
		if (IsolationUsesXactSnapshot())
			inv_error_serialization();
	}
	inv_error_busy(inv_item_text(store, take->item),
				   "its row was changed concurrently at each attempt");
}

/* Take one item by the chosen strategy; the status says how it ended, unless it is hot. */
void
inv_item_row_take(InvStore *store, InvTake *take)
{
	switch ((InvStrategy) inv_strategy)
	{
		case INV_STRATEGY_ATOMIC:
			take_atomic(store, take);
			break;
		case INV_STRATEGY_PESSIMISTIC:
			take_pessimistic(store, take);
			break;
		case INV_STRATEGY_OPTIMISTIC:
			take_optimistic(store, take);
			break;
	}
	store->last_take_failed = take->status == INV_STATUS_OUT_OF_STOCK;
}

/* ---- several rows ---- */

/*
 * Read the rows of a cart, in key order; with lock, lock them in that order.
 * Those that are not there, or not for sale, are INV_STATUS_ITEM_NOT_FOUND.  Hot items
 * are passed over, here and in what follows.
 */
void
inv_item_row_read_many(InvStore *store, InvTake *takes, int count, bool lock)
{
	Datum *items = palloc(sizeof(Datum) * count);
	uint64 rows, row = 0;
	int cold = 0;
	Datum keys;

	for (int i = 0; i < count; i++)
		if (!takes[i].hot)
			items[cold++] = takes[i].item;
	if (cold == 0)
		return;
	keys = inv_make_array(store->item_id.base, items, NULL, cold);
	rows = inv_execute(store, lock ? INV_STMT_LOCK_MANY : INV_STMT_READ_MANY, &keys, NULL,
					   lock ? INV_SNAPSHOT_TRANSACTION : INV_SNAPSHOT_LATEST);

	/* both are in key order: walk them side by side */
	for (int i = 0; i < count; i++)
	{
		bool isnull;

		if (takes[i].hot)
			continue;
		takes[i].status = INV_STATUS_ITEM_NOT_FOUND;
		if (row < rows && inv_item_compare(store, inv_result(row, 5, &isnull), takes[i].item) == 0)
			fill_take(&takes[i], row++);
	}
	Assert(row == rows);
}

/* One row to be changed, and what it has then. */
typedef struct RowChange
{
	Datum item;
	int64 quantity; /* taken or given */
	InvRowLevel level;
} RowChange;

/* Write rows that this transaction has locked, all or an error. */
static void
write_rows(InvStore *store, InvStatement statement, RowChange *changes, int count,
		   InvSnapshotMode mode)
{
	int sign = statement == INV_STMT_TAKE_MANY ? -1 : 1;
	Datum *items = palloc(sizeof(Datum) * count);
	Datum *quantities = palloc(sizeof(Datum) * count);
	InvRowLevel *levels = palloc(sizeof(InvRowLevel) * count);
	int base = inv_expect_begin();
	Datum values[2];
	uint64 rows;

	if (count == 0)
		return;
	for (int i = 0; i < count; i++)
	{
		items[i] = changes[i].item;
		quantities[i] = Int64GetDatum(changes[i].quantity);
		inv_expect(store, changes[i].item, sign * changes[i].quantity);
	}
	values[0] = inv_make_array(store->item_id.base, items, NULL, count);
	values[1] = inv_make_array(INT8OID, quantities, NULL, count);
	rows = inv_execute(store, statement, values, NULL, mode);
	inv_expect_end(store, base, rows == (uint64) count, levels);
	if (rows != (uint64) count)
		inv_error_busy(inv_item_text(store, items[0]),
					   "a trigger keeps its row, or another of the same call, from being written");
	for (int i = 0; i < count; i++)
	{
		/* which cannot be, as they are locked */
		if (levels[i].hot && sign < 0)
			inv_error_busy(inv_item_text(store, changes[i].item), "it became hot concurrently");
		changes[i].level = levels[i];
	}
}

/* Take from rows that this transaction has locked and found sufficient. */
void
inv_item_row_take_many(InvStore *store, InvTake *takes, int count)
{
	RowChange *changes = palloc(sizeof(RowChange) * count);
	int tracked = 0;

	for (int i = 0; i < count; i++)
	{
		if (!takes[i].tracked || takes[i].hot)
			continue;
		changes[tracked].item = takes[i].item;
		changes[tracked++].quantity = takes[i].quantity;
	}
	write_rows(store, INV_STMT_TAKE_MANY, changes, tracked, INV_SNAPSHOT_TRANSACTION);
	tracked = 0;
	for (int i = 0; i < count; i++)
	{
		if (!takes[i].tracked || takes[i].hot)
			continue;
		takes[i].stock = changes[tracked].level.stock;
		takes[i].floor = changes[tracked++].level.floor;
	}
}

/*
 * Lock rows in key order, for sale or not, and add to those that have a number.
 * gives must be in key order, each item once.
 */
void
inv_item_row_give_many(InvStore *store, InvGive *gives, int count, InvSnapshotMode mode)
{
	Datum *items = palloc(sizeof(Datum) * count);
	RowChange *changes = palloc(sizeof(RowChange) * count);
	int tracked = 0, cold = 0;
	uint64 rows, row = 0;
	Datum keys;

	for (int i = 0; i < count; i++)
		if (!gives[i].hot)
			items[cold++] = gives[i].item;
	if (cold == 0)
		return;
	keys = inv_make_array(store->item_id.base, items, NULL, cold);
	rows = inv_execute(store, INV_STMT_LOCK_MANY_ANY, &keys, NULL, mode);
	for (int i = 0; i < count; i++)
	{
		bool isnull;

		if (gives[i].hot)
			continue;
		gives[i].tracked = false;
		if (row == rows || inv_item_compare(store, inv_result(row, 3, &isnull), gives[i].item) != 0)
			continue;
		(void) inv_result(row++, 1, &isnull);
		if (isnull)
			continue;
		gives[i].tracked = true;
		changes[tracked].item = gives[i].item;
		changes[tracked++].quantity = gives[i].quantity;
	}
	write_rows(store, INV_STMT_CHANGE_MANY, changes, tracked, mode);
}
