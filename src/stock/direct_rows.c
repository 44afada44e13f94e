/*
 * direct_rows.c
 *		The rows of a cart, read and locked without a statement.
 *
 * Each row is found by its unique index, one after the other, where take_plan.c allows to
 * take from it without a statement: then the condition on what is for sale is compiled.  One
 * snapshot serves all rows.  A row that another transaction has changed is locked in its last
 * version and looked at again, as EvalPlanQual does it.
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

static void
read_cart_row(const DirectRows *rows, InvTake *take)
{
	ScanKeyData key;
	InvLookup lookup;

	take->status = INV_STATUS_ITEM_NOT_FOUND;
	inv_init_item_key(rows->store, &rows->plan->same_item, take->item, &key);
	inv_begin_lookup(&lookup, rows->items, rows->plan->item_index, rows->snapshot, &key, 1);
	if (inv_next_lookup_row(&lookup) && is_for_sale(rows, lookup.slot, take->item) &&
		(!rows->lock ||
		 (lock_row(rows, lookup.slot) && is_for_sale(rows, lookup.slot, take->item))))
		inv_read_take(rows->store, lookup.slot, take);
	inv_end_lookup(&lookup);
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
		for (int i = 0; i < count; i++)
			if (!takes[i].hot)
				read_cart_row(&rows, &takes[i]);
		UnregisterSnapshot(rows.snapshot);
	}
	table_close(rows.items, NoLock);
	return usable;
}
