/*
 * locked_row.c
 *		The row of an item that is heated, settled or cooled.
 *
 * Expects an entered store.  Locks the row, to the end of the transaction; writes nothing.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "base/error.h"
#include "base/store_error.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/query.h"
#include "store/query_text.h"
#include "maintenance/locked_row.h"

/*
 * Lock an item's row, for sale or not.  If it exists, no other transaction writes it,
 * and none heats, publishes, settles or cools the item, until this one ends.
 */
InvLockedRow
inv_lock_stock_row(InvStore *store, Datum item)
{
	InvLockedRow row = { 0 };
	bool isnull;

	Assert(GetUserId() == store->owner); /* the store is entered */
	row.exists = inv_execute(store, INV_STMT_LOCK_ANY, &item, NULL, INV_SNAPSHOT_LATEST) > 0;
	if (!row.exists)
		return row;
	row.stock = DatumGetInt64(inv_result(0, 1, &isnull));
	row.tracked = !isnull;
	row.floor = inv_result_int64(0, 2);
	return row;
}

/* Raise an error if the locked row cannot belong to a hot item. */
void
inv_check_stock_row(InvStore *store, Datum item, const InvLockedRow *row)
{
	if (!row->exists)
		inv_error_no_item(inv_item_key_facts(store, item));
	if (!row->tracked)
		inv_error_untracked(inv_item_text(store, item));
}
