/*
 * hot_item.c
 *		Hot items as the tables have them, and how their counters come to be.
 *
 * Durable are the item's row, its movements with an epoch, and its row in "hot",
 * which says up to which epoch the movements are in the stock column.  What can be
 * sold = stock + movements after that - floor.
 *
 * A counter is published by the first session that needs it: under the lock of the
 * item's row, with the latest snapshot, in an internal subtransaction that is then
 * rolled back, so that the lock goes at once.  A transaction that has written the
 * row itself cannot: its own uncommitted units would count for all.  Then, and
 * where there is no room for a counter, the item is folded: its movements are added
 * to its row, under the lock, and it is cold with the commit.
 *
 * Who writes an item's row has its lock, and so has whoever heats, cools, settles,
 * publishes or folds.  What the guard finds under the lock is therefore true.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "common/int.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/uuid.h"

#include "base/error.h"
#include "shmem/counter.h"
#include "shmem/counter_state.h"
#include "shmem/hot_directory.h"
#include "shmem/hot_table.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/query.h"
#include "store/query_text.h"
#include "stock/hot_item.h"
#include "stock/item_row.h"

/* more than ever pass */
#define MAX_EPOCH (PG_INT64_MAX / 2)

/* how often a counter is counted anew because others wrote the row meanwhile */
#define PUBLISH_TRIES 20

static List *changed_stores = NIL; /* of InvHotStore: what this transaction changes there */

/* ---- what is shared of a store ---- */

/*
 * Null if there is no shared memory, or no room in it.  Whoever reads a store anew
 * doubts what is known of it: rows of "hot" may have come from elsewhere.
 */
InvHotStore *
inv_hot_store(InvStore *store)
{
	InvHotStore *hot_store = store->hot_store;

	if (hot_store && hot_store->items == store->items && hot_store->database == MyDatabaseId)
		return hot_store;
	if (inv_hot_table_usable() &&
		(store->hot_store = inv_hot_directory_get_store(store->items)) != NULL)
		inv_hot_directory_invalidate(store->hot_store);
	return store->hot_store;
}

/* What this transaction does to "hot" others learn at its end. */
void
inv_hot_will_change(InvStore *store)
{
	InvHotStore *hot_store = inv_hot_store(store);
	MemoryContext old;

	if (hot_store == NULL || list_member_ptr(changed_stores, hot_store))
		return;
	old = MemoryContextSwitchTo(TopMemoryContext);
	changed_stores = lappend(changed_stores, hot_store);
	MemoryContextSwitchTo(old);
}

static void
hot_item_at_xact_end(XactEvent event, void *arg)
{
	ListCell *cell;

	if (changed_stores == NIL)
		return;
	if (event == XACT_EVENT_PRE_PREPARE)
		inv_error_prepare();
	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT)
		return;
	foreach (cell, changed_stores)
		inv_hot_directory_invalidate(lfirst(cell));
	list_free(changed_stores);
	changed_stores = NIL;
}

void
inv_hot_item_init(void)
{
	RegisterXactCallback(hot_item_at_xact_end, NULL);
}

static InvHotKey
hot_key_of(InvStore *store, Datum item)
{
	InvHotKey key = { MyDatabaseId, store->items, { 0, 0 } };

	switch (store->item_id.base)
	{
		case INT2OID:
			key.key[0] = (uint64) DatumGetInt16(item);
			break;
		case INT4OID:
			key.key[0] = (uint64) DatumGetInt32(item);
			break;
		case INT8OID:
			key.key[0] = (uint64) DatumGetInt64(item);
			break;
		case UUIDOID:
			memcpy(key.key, DatumGetUUIDP(item)->data, UUID_LEN);
			break;
		default:
			/* two hashes of 64 bits stand for a text */
			key.key[0] = inv_item_hash(store, item, 0);
			key.key[1] = inv_item_hash(store, item, 1);
	}
	return key;
}

/* Give each hot item its entry. */
static void
load_hot_entries(InvStore *store, InvHotStore *hot_store)
{
	bool loaded;

	do
	{
		uint32 changes = hot_store->changes;
		uint64 rows;
		InvHotKey *keys;
		int64 *numbers;

		CHECK_FOR_INTERRUPTS();
		pg_read_barrier();
		rows = inv_execute(store, INV_STMT_HOT_ROWS, NULL, NULL, INV_SNAPSHOT_LATEST);
		keys = palloc(sizeof(InvHotKey) * Max(rows, 1));
		numbers = palloc(sizeof(int64) * Max(rows, 1));
		for (uint64 row = 0; row < rows; row++)
		{
			bool isnull;

			keys[row] = hot_key_of(store, inv_result(row, 1, &isnull));
			numbers[row] = inv_result_int64(row, 2);
		}
		(void) inv_hot_directory_has_room(rows);
		loaded = inv_hot_directory_fill(hot_store, keys, numbers, rows, changes);
	} while (!loaded);
}

/*
 * Without shared memory nothing is hot, but something may have been, before the
 * server was started without it.  What is not there in a transaction that has
 * written nothing is not there for good.
 */
static bool
may_have_been_hot(InvStore *store)
{
	if (!store->may_be_hot)
		return false;
	if (inv_execute(store, INV_STMT_HOT_ROWS, NULL, NULL, INV_SNAPSHOT_LATEST) > 0)
		return true;
	store->may_be_hot = TransactionIdIsValid(GetTopTransactionIdIfAny());
	return false;
}

/* Is it known that no item of the store is hot?  Costs nothing. */
bool
inv_hot_none(InvStore *store)
{
	InvHotStore *hot_store = inv_hot_store(store);

	return hot_store ? pg_atomic_read_u32(&hot_store->cold) != 0 : !store->may_be_hot;
}

/* Could any item of the store be hot? */
bool
inv_hot_any(InvStore *store)
{
	InvHotStore *hot_store = inv_hot_store(store);

	if (hot_store == NULL)
		return may_have_been_hot(store);
	if (pg_atomic_read_u32(&hot_store->cold) != 0)
		return false;
	/* what this transaction has changed itself is nothing for others: then rows are asked */
	if (!hot_store->loaded && !list_member_ptr(changed_stores, hot_store))
		load_hot_entries(store, hot_store);
	return pg_atomic_read_u32(&hot_store->cold) == 0;
}

/* ---- rows ---- */

/* The item's row in "hot"; false if it was never hot. */
bool
inv_hot_row(InvStore *store, Datum item, InvSnapshotMode mode, InvHotRow *row)
{
	bool isnull;

	if (inv_execute(store, INV_STMT_HOT_ROW, &item, NULL, mode) == 0)
		return false;
	row->settled = inv_result_int64(0, 1);
	row->hot = DatumGetBool(inv_result(0, 2, &isnull));
	row->own =
		TransactionIdIsCurrentTransactionId(DatumGetTransactionId(inv_result(0, 3, &isnull)));
	return true;
}

/* The sum of the item's movements of some epochs, and the last of these. */
int64
inv_hot_sum(InvStore *store, Datum item, int64 after, int64 upto_epoch, InvSnapshotMode mode,
			int64 *last)
{
	Datum values[] = { item, Int64GetDatum(after), Int64GetDatum(upto_epoch) };

	inv_execute(store, INV_STMT_UNSETTLED, values, NULL, mode);
	*last = inv_result_int64(0, 2);
	return inv_result_int64(0, 1);
}

/*
 * What a hot item has beside its stock column; 0 for others.  A reader with an old
 * snapshot may see as hot what is cold now.
 */
int64
inv_hot_unsettled(InvStore *store, Datum item, InvSnapshotMode mode)
{
	InvHotStore *hot_store = RecoveryInProgress() ? NULL : inv_hot_store(store);
	InvHotRow row;
	int64 last;

	if (hot_store ? !hot_store->was_hot && pg_atomic_read_u32(&hot_store->cold) != 0
				  : !store->may_be_hot)
		return 0;
	if (!inv_hot_row(store, item, mode, &row) || !row.hot)
		return 0;
	return inv_hot_sum(store, item, row.settled, PG_INT64_MAX, mode, &last);
}

/* Add movements to the row of an item, which is locked. */
void
inv_hot_apply_to_row(InvStore *store, Datum item, int64 sum, int64 upto_epoch, bool hot)
{
	Datum settled[] = { item, Int64GetDatum(upto_epoch), BoolGetDatum(hot) };

	if (sum != 0)
		(void) inv_item_row_change(store, item, sum, true, INV_SNAPSHOT_LATEST);
	if (inv_execute(store, INV_STMT_MARK_SETTLED, settled, NULL, INV_SNAPSHOT_LATEST) != 1)
		inv_error_broken_store(store->store_name,
							   "A hot item has no row in its table of hot items.");
}

/* ---- publishing ---- */

typedef enum PublishOutcome
{
	PUBLISH_DONE,
	PUBLISH_NOT_HOT,
	PUBLISH_OWN_ROW, /* this transaction has written it */
	PUBLISH_AGAIN
} PublishOutcome;

/* Count what is above the floor: as much as fits. */
static int64
above_floor(int64 stock, int64 unsettled, int64 floor)
{
	const int64 max_stock = PG_INT64_MAX / 2; /* leaves room for sums with what is in flight */
	int64 above;

	if (pg_add_s64_overflow(stock, unsettled, &above))
		return max_stock;
	if (pg_sub_s64_overflow(above, floor, &above))
		return floor > 0 ? -max_stock : max_stock;
	return Max(Min(above, max_stock), -max_stock);
}

/* Count a locked item with the latest snapshot. */
static bool
count_item(InvStore *store, Datum item, int64 settled, InvCounterValues *counted, bool *own_row,
		   bool *unsettled)
{
	int64 stock, last, sum;
	bool isnull;

	if (inv_execute(store, INV_STMT_READ_HOT, &item, NULL, INV_SNAPSHOT_LATEST) == 0)
		return false;
	stock = DatumGetInt64(inv_result(0, 1, &isnull));
	if (isnull)
		inv_error_broken_store(store->store_name, "A hot item has no number.");
	counted->floor = inv_result_int64(0, 2);
	counted->limit = DatumGetInt64(inv_result(0, 3, &isnull));
	counted->limited = !isnull;
	counted->for_sale = DatumGetBool(inv_result(0, 4, &isnull));
	*own_row =
		TransactionIdIsCurrentTransactionId(DatumGetTransactionId(inv_result(0, 5, &isnull)));
	sum = inv_hot_sum(store, item, settled, PG_INT64_MAX, INV_SNAPSHOT_LATEST, &last);
	*unsettled = last > settled;
	counted->available = above_floor(stock, sum, counted->floor);
	counted->limits_stale = false;
	counted->limits_version = 0;
	counted->max_stock = inv_max_units(store);
	counted->settled = settled;
	/* the tables are their owner's, the counters are everybody's */
	if (settled < 0 || last > MAX_EPOCH)
		inv_error_broken_store(store->store_name,
							   "An epoch of its ledger is not one of the engine's.");
	counted->epoch = Max(settled + 1, last);
	/* who is short finds out, and without what it has written itself */
	counted->next_expiry = DT_NOBEGIN;
	return true;
}

/* Lock, look again, count, publish. */
static PublishOutcome
publish_locked_item(InvStore *store, Datum item, const InvCounterRef *counter)
{
	InvCounterValues counted;
	InvHotRow row;
	bool own_row = false, unsettled = false;
	InvHotState state;

	if (inv_execute(store, INV_STMT_LOCK_ANY, &item, NULL, INV_SNAPSHOT_LATEST) == 0)
		return PUBLISH_NOT_HOT;
	state = inv_counter_read(counter, &counted);
	if (state != INV_HOT_STATE_UNPUBLISHED)
		return state == INV_HOT_STATE_HOT ? PUBLISH_DONE : PUBLISH_AGAIN;
	if (!inv_hot_row(store, item, INV_SNAPSHOT_LATEST, &row) || row.own)
		return PUBLISH_NOT_HOT;
	if (!row.hot)
	{
		inv_hot_directory_invalidate(inv_hot_store(store));
		return PUBLISH_AGAIN;
	}
	if (!count_item(store, item, row.settled, &counted, &own_row, &unsettled))
		return PUBLISH_NOT_HOT;
	if (own_row)
		return PUBLISH_OWN_ROW;
	return inv_counter_publish(counter, &counted, unsettled) ? PUBLISH_DONE : PUBLISH_AGAIN;
}

/* The same in a subtransaction, so that the lock is let go at once. */
static PublishOutcome
publish_counter(InvStore *store, Datum item, const InvCounterRef *counter)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	volatile PublishOutcome outcome = PUBLISH_AGAIN;

	for (volatile int tries = 0; tries < PUBLISH_TRIES; tries++)
	{
		BeginInternalSubTransaction(NULL);
		MemoryContextSwitchTo(context);
		PG_TRY();
		{
			outcome = publish_locked_item(store, item, counter);
			RollbackAndReleaseCurrentSubTransaction();
			MemoryContextSwitchTo(context);
			CurrentResourceOwner = owner;
			tries = PUBLISH_TRIES;
		}
		PG_CATCH();
		{
			ErrorData *error;

			MemoryContextSwitchTo(context);
			error = CopyErrorData();
			FlushErrorState();
			RollbackAndReleaseCurrentSubTransaction();
			MemoryContextSwitchTo(context);
			CurrentResourceOwner = owner;
			/* the row was written while its lock was waited for */
			if (error->sqlerrcode != ERRCODE_T_R_SERIALIZATION_FAILURE)
				ReThrowError(error);
			FreeErrorData(error);
		}
		PG_END_TRY();
		CHECK_FOR_INTERRUPTS();
	}
	return outcome;
}

static bool
find_entry(InvStore *store, Datum item, InvCounterRef *counter)
{
	InvHotKey key = hot_key_of(store, item);

	return inv_hot_store(store) && inv_hot_directory_find(&key, counter);
}

/* Does an item that is hot have an entry? */
static bool
all_have_entries(InvStore *store)
{
	InvHotStore *hot_store = inv_hot_store(store);

	return hot_store && hot_store->loaded && hot_store->left_out == 0;
}

/*
 * Make a hot item that has no counter cold, in this transaction.  False if it has
 * one meanwhile.
 */
bool
inv_hot_demote(InvStore *store, Datum item)
{
	InvHotRow row;
	InvCounterRef counter;
	InvCounterValues counted;
	int64 sum, last;
	uint64 rows = inv_execute(store, INV_STMT_LOCK_ANY, &item, NULL, INV_SNAPSHOT_TRANSACTION);

	if (!inv_hot_row(store, item, INV_SNAPSHOT_LATEST, &row) || !row.hot)
		return true;
	if (find_entry(store, item, &counter) && !inv_counter_is_cooling(&counter) &&
		inv_counter_read(&counter, &counted) != INV_HOT_STATE_UNPUBLISHED)
		return false;
	inv_hot_will_change(store);
	sum = inv_hot_sum(store, item, row.settled, PG_INT64_MAX, INV_SNAPSHOT_LATEST, &last);
	if (rows == 0)
		sum = 0;
	inv_hot_apply_to_row(store, item, sum, Max(last, row.settled), false);
	return true;
}

/* ---- finding ---- */

/* Are there items that are hot and have no entry? */
bool
inv_hot_left_out(InvStore *store)
{
	return inv_hot_any(store) && !all_have_entries(store);
}

/*
 * Is it known that this item is not hot?  Without a statement, so for whoever would
 * otherwise have to enter the store.
 */
bool
inv_hot_not(InvStore *store, Datum item)
{
	InvCounterRef counter;

	return inv_hot_none(store) || (all_have_entries(store) && !find_entry(store, item, &counter));
}

/* The counter of a hot item, published; false if the item is cold, for this transaction. */
bool
inv_hot_find(InvStore *store, Datum item, InvCounterRef *counter)
{
	while (inv_hot_any(store))
	{
		InvCounterValues counted;
		PublishOutcome outcome;

		CHECK_FOR_INTERRUPTS();
		if (!find_entry(store, item, counter))
		{
			InvHotRow row;

			if (all_have_entries(store) || !inv_hot_row(store, item, INV_SNAPSHOT_LATEST, &row) ||
				!row.hot || row.own || inv_hot_demote(store, item))
				return false;
			continue;
		}
		switch (inv_counter_read(counter, &counted))
		{
			case INV_HOT_STATE_HOT:
				return true;
			case INV_HOT_STATE_COOLING:
				return !inv_counter_is_cooling(counter);
			case INV_HOT_STATE_UNPUBLISHED:
				outcome = publish_counter(store, item, counter);
				if (outcome == PUBLISH_DONE)
					return true;
				if (outcome == PUBLISH_NOT_HOT ||
					(outcome == PUBLISH_OWN_ROW && inv_hot_demote(store, item)))
					return false;
				break;
			case INV_HOT_STATE_COLD:
				break;
		}
	}
	return false;
}

/*
 * The state of an item whose row this transaction has written: INV_HOT_STATE_COLD also for
 * what it is cooling itself.  An item without room for a counter is not published.
 */
InvHotState
inv_hot_state(InvStore *store, Datum item, InvCounterRef *counter)
{
	while (inv_hot_any(store))
	{
		InvCounterValues counted;
		InvHotRow row;
		InvHotState state;

		if (!find_entry(store, item, counter))
		{
			if (all_have_entries(store) || !inv_hot_row(store, item, INV_SNAPSHOT_LATEST, &row) ||
				!row.hot)
				return INV_HOT_STATE_COLD;
			return INV_HOT_STATE_UNPUBLISHED;
		}
		state = inv_counter_read(counter, &counted);
		if (state == INV_HOT_STATE_COOLING && inv_counter_is_cooling(counter))
			return INV_HOT_STATE_COLD;
		if (state == INV_HOT_STATE_UNPUBLISHED &&
			(!inv_hot_row(store, item, INV_SNAPSHOT_LATEST, &row) || !row.hot))
			return INV_HOT_STATE_COLD;
		if (state != INV_HOT_STATE_COLD)
			return state;
	}
	return INV_HOT_STATE_COLD;
}

/* ---- checking ---- */

/*
 * Compare a counter with the tables.  False: it is right, or nobody can say, because
 * it changed meanwhile.
 */
bool
inv_hot_differs(InvStore *store, Datum item, int64 *expected, int64 *actual)
{
	InvCounterRef counter;
	InvCounterValues counted, now;
	InvHotRow row;
	uint64 before, after;
	bool own_row, unsettled;

	if (inv_hot_state(store, item, &counter) != INV_HOT_STATE_HOT ||
		!inv_counter_at_rest(&counter, &before) ||
		!inv_hot_row(store, item, INV_SNAPSHOT_LATEST, &row) ||
		!count_item(store, item, row.settled, &counted, &own_row, &unsettled) || own_row ||
		inv_counter_read(&counter, &now) != INV_HOT_STATE_HOT ||
		!inv_counter_at_rest(&counter, &after) || before != after)
		return false;
	*expected = counted.available;
	*actual = now.available;
	/* beyond what is counted they need not agree */
	return now.available != counted.available && counted.available < PG_INT64_MAX / 2 &&
		   counted.available > -(PG_INT64_MAX / 2);
}
