/*
 * hot_list.c
 *		Lists of a store's hot items, in key order.
 *
 * This file only reads: the ledger's table "hot" with the latest snapshot, and the
 * entries through shmem/hot_directory.c.  It expects an entered store and locks nothing;
 * a transition locks what it changes.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"

#include "shmem/hot_directory.h"
#include "base/clock.h"
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

/* The items of the store whose entries pass a test, in key order. */
static Datum *
select_hot_items(InvStore *store, InvHotEntryTest test, uint64 *count)
{
	int entries;
	int64 *numbers = inv_hot_directory_get_numbers(store->items, test, inv_clock_now(), &entries);
	Datum *elements, array;

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

/*
 * Apply a transition to the items of the store whose entries pass a test, in key
 * order, until it has changed max_items; returns how many it has changed.
 */
int64
inv_apply_to_hot_items(InvStore *store, InvHotEntryTest test, InvItemTransition transition,
					   int64 max_items)
{
	uint64 count;
	Datum *items;
	int64 changed = 0;

	Assert(GetUserId() == store->owner); /* the store is entered */
	if (!inv_hot_may_exist(store))
		return 0;
	items = select_hot_items(store, test, &count);
	for (uint64 i = 0; i < count && changed < max_items; i++)
		changed += transition(store, items[i]);
	return changed;
}
