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

#include "access/transam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/uuid.h"

#include "base/error.h"
#include "shmem/hot_table.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/query.h"
#include "store/query_text.h"
#include "stock/hot_item.h"

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
	if (inv_hot_table_usable() && (store->hot_store = inv_hot_table_store(store->items)) != NULL)
		inv_hot_table_changed(store->hot_store);
	return store->hot_store;
}

/* What this transaction does to "hot" others learn at its end. */
void
inv_hot_mark_changed(InvStore *store)
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
		inv_hot_table_changed(lfirst(cell));
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
		(void) inv_hot_table_has_room(rows);
		loaded = inv_hot_table_fill(hot_store, keys, numbers, rows, changes);
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
inv_hot_known_none(InvStore *store)
{
	InvHotStore *hot_store = inv_hot_store(store);

	return hot_store ? pg_atomic_read_u32(&hot_store->cold) != 0 : !store->may_be_hot;
}

/* Could any item of the store be hot? */
bool
inv_hot_may_exist(InvStore *store)
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

/* ---- entries ---- */

bool
inv_hot_find_entry(InvStore *store, Datum item, InvCounterRef *counter)
{
	InvHotKey key = hot_key_of(store, item);

	return inv_hot_store(store) && inv_hot_table_find(&key, counter);
}

/* Does an item that is hot have an entry? */
bool
inv_hot_all_have_entries(InvStore *store)
{
	InvHotStore *hot_store = inv_hot_store(store);

	return hot_store && hot_store->loaded && hot_store->left_out == 0;
}

/* Are there items that are hot and have no entry? */
bool
inv_hot_lacks_entries(InvStore *store)
{
	return inv_hot_may_exist(store) && !inv_hot_all_have_entries(store);
}

/*
 * Is it known that this item is not hot?  Without a statement, so for whoever would
 * otherwise have to enter the store.
 */
bool
inv_hot_known_cold(InvStore *store, Datum item)
{
	InvCounterRef counter;

	return inv_hot_known_none(store) ||
		   (inv_hot_all_have_entries(store) && !inv_hot_find_entry(store, item, &counter));
}
