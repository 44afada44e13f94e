/*
 * direct_rows.c
 *		The rows of a cart, read and locked without a statement.
 *
 * Each row is found by its unique index, or where it was seen last, one after the other, where
 * take_plan.c allows to take from it without a statement: then the condition on what is for sale
 * is compiled.  One snapshot serves all rows.  A row that another transaction has changed is
 * locked in its last version and looked at again, as EvalPlanQual does it.
 *
 * Expects the store to be entered.  With a lock, locks rows in the order of the takes.
 */
#include "postgres.h"

#include "access/skey.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/error.h"
#include "base/guc.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/condition.h"
#include "store/index_lookup.h"
#include "store/table_check.h"
#include "stock/direct_read.h"
#include "stock/direct_rows.h"
#include "stock/quantity.h"
#include "stock/take_plan.h"

/* The rows of a table that are being read. */
typedef struct DirectRows
{
	InvStore *store;
	InvDirectTakePlan *plan;
	Relation items;
	Snapshot snapshot;
	TupleTableSlot *seen; /* for rows that are where they were seen last */
	InvLookup lookup;	  /* begun with the first row that is not */
	bool begun;
	bool lock;
} DirectRows;

/* Is the row in the slot that of the item, and is that for sale? */
static bool
is_for_sale(const DirectRows *rows, TupleTableSlot *row, Datum item)
{
	bool isnull;
	Datum key = slot_getattr(row, rows->store->item_id.attnum, &isnull);

	return !isnull && inv_item_compare(rows->store, key, item) == 0 &&
		   inv_row_is_sellable(rows->plan, row);
}

/* Lock the row in the slot, in its last version; false if it is deleted. */
static bool
lock_row(const DirectRows *rows, TupleTableSlot *row)
{
	ItemPointerData tid = row->tts_tid;
	TM_FailureData failure;

	switch (
		table_tuple_lock(rows->items, &tid, rows->snapshot, row, GetCurrentCommandId(true),
						 LockTupleNoKeyExclusive, LockWaitBlock,
						 TUPLE_LOCK_FLAG_LOCK_UPDATE_IN_PROGRESS |
							 (IsolationUsesXactSnapshot() ? 0 : TUPLE_LOCK_FLAG_FIND_LAST_VERSION),
						 &failure))
	{
		case TM_Ok:
			return true;
		case TM_Updated:
		case TM_Deleted:
			if (IsolationUsesXactSnapshot())
				inv_error_serialization();
			return false;
		case TM_SelfModified:
			return false;
		default:
			elog(ERROR, "the row of an item could not be locked");
	}
}

/* Find the row by its index; null if there is none. */
static TupleTableSlot *
look_up_row(DirectRows *rows, Datum item)
{
	ScanKeyData key;

	inv_init_item_key(rows->store, &rows->plan->same_item, item, &key);
	if (rows->begun)
		inv_repeat_lookup(&rows->lookup, &key, 1);
	else
		inv_begin_lookup(&rows->lookup, rows->items, rows->plan->item_index, rows->snapshot, &key,
						 1);
	rows->begun = true;
	return inv_next_lookup_row(&rows->lookup) ? rows->lookup.slot : NULL;
}

/*
 * Find the row of an item that is for sale, where it was seen last if it is there; null if there
 * is none.  That the snapshot sees a row with this key there is enough, because keys are unique.
 */
static TupleTableSlot *
find_row(DirectRows *rows, const InvTake *take)
{
	ItemPointerData tid = take->row_tid;
	TupleTableSlot *row;

	if (ItemPointerIsValid(&tid) &&
		table_tuple_fetch_row_version(rows->items, &tid, rows->snapshot, rows->seen) &&
		is_for_sale(rows, rows->seen, take->item))
		return rows->seen;
	row = look_up_row(rows, take->item);
	return row && is_for_sale(rows, row, take->item) ? row : NULL;
}

static void
read_cart_row(DirectRows *rows, InvTake *take)
{
	TupleTableSlot *row = find_row(rows, take);

	take->status = INV_STATUS_ITEM_NOT_FOUND;
	if (row == NULL || (rows->lock && !(lock_row(rows, row) && is_for_sale(rows, row, take->item))))
		return;
	inv_read_take(rows->store, row, take);
	take->row_tid = row->tts_tid;
}

/*
 * Read the rows of the cold items of a cart, as they are committed now; or lock them, and read
 * what is locked.  A row that does not exist, or is not for sale, is INV_STATUS_ITEM_NOT_FOUND.
 * False, and nothing read, if that needs a statement.
 */
bool
inv_direct_read_rows(InvStore *store, InvTake *takes, int count, bool lock)
{
	DirectRows rows = { .store = store, .lock = lock };
	bool usable;

	Assert(GetUserId() == store->owner);
	if (!inv_may_access_directly() || !inv_condition_settings_are_current(store->sellable))
		return false;
	rows.items = table_open(store->items, NoLock);
	rows.plan = inv_take_plan(store, rows.items);
	usable = rows.plan->usable &&
			 inv_owner_may(store, store->items, lock ? ACL_SELECT | ACL_UPDATE : ACL_SELECT);
	if (usable)
	{
		/* the snapshot shows what the call has written so far */
		CommandCounterIncrement();
		rows.snapshot = RegisterSnapshot(lock ? GetTransactionSnapshot() : GetLatestSnapshot());
		rows.seen = table_slot_create(rows.items, NULL);
		for (int i = 0; i < count; i++)
			if (!takes[i].hot)
				read_cart_row(&rows, &takes[i]);
		ExecDropSingleTupleTableSlot(rows.seen);
		if (rows.begun)
			inv_end_lookup(&rows.lookup);
		UnregisterSnapshot(rows.snapshot);
	}
	table_close(rows.items, NoLock);
	return usable;
}
