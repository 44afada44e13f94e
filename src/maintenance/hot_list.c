/*
 * hot_list.c
 *		Lists of a store's hot items, in key order.
 *
 * This file only reads: the ledger's table "hot" with the latest snapshot, and the
 * entries of shmem/hot_table.c, under its lock.  It expects an entered store and locks nothing;
 * a transition locks what it changes.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"

#include "base/clock.h"
#include "shmem/hot_table.h"
#include "store/binding.h"
#include "store/query.h"
#include "store/query_text.h"
#include "stock/hot_item.h"
#include "maintenance/hot_list.h"

/* Copy the first column of the last result, because the next statement replaces it. */
static Datum *
copy_item_keys(uint64 rows)
{
	Datum *items = palloc(sizeof(Datum) * Max(rows, 1));
	bool isnull;

	for (uint64 row = 0; row < rows; row++)
		items[row] = inv_result(row, 1, &isnull);
	return items;
}

/* The items that are hot according to the ledger, in key order, with or without a counter. */
Datum *
inv_read_hot_items(InvStore *store, uint64 *count)
{
	Assert(GetUserId() == store->owner); /* the store is entered */
	*count = inv_execute(store, INV_STMT_HOT_ROWS, NULL, NULL, INV_SNAPSHOT_LATEST);
	return copy_item_keys(*count);
}

/* The numbers of the entries of a store for which a condition holds. */
static int64 *
entry_numbers(Oid items, InvHotEntryTest wanted, int64 now, int *count)
{
	int64 *numbers = palloc(sizeof(int64) * Max(inv_hot_table_capacity(), 1));

	*count = 0;
	if (inv_hot_table == NULL)
		return numbers;
	LWLockAcquire(&inv_hot_table->lock, LW_SHARED);
	for (int slot = 0; slot < inv_hot_table->capacity; slot++)
	{
		InvHotEntry *entry = inv_hot_table_entry(slot);

		if (!inv_hot_entry_is_of(entry, MyDatabaseId, items))
			continue;
		SpinLockAcquire(&entry->mutex);
		if (wanted(entry, now))
			numbers[(*count)++] = entry->number;
		SpinLockRelease(&entry->mutex);
	}
	LWLockRelease(&inv_hot_table->lock);
	return numbers;
}

/* The items of the store whose entries pass a test, in key order. */
Datum *
inv_select_hot_items(InvStore *store, InvHotEntryTest test, uint64 *count)
{
	int entries;
	int64 *numbers = entry_numbers(store->items, test, inv_clock_now(), &entries);
	Datum *elements, array;

	Assert(GetUserId() == store->owner); /* the store is entered */
	*count = 0;
	if (entries == 0)
		return NULL;
	elements = palloc(sizeof(Datum) * entries);
	for (int i = 0; i < entries; i++)
		elements[i] = Int64GetDatum(numbers[i]);
	array = inv_make_array(INT8OID, elements, NULL, entries);
	*count = inv_execute(store, INV_STMT_HOT_OF_NUMBERS, &array, NULL, INV_SNAPSHOT_LATEST);
	return copy_item_keys(*count);
}
