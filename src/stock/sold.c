/*
 * sold.c
 *		What was sold on an order line, and the changes of its row that others made.
 *
 * A line's row says what was sold on it as long as only the engine writes the row.  The
 * guard (orders_guard.c) records what others change, so what was sold is the row without
 * what these changes added: nothing of a line that the shop inserted, all of one that it
 * deleted, and the item and the user of the sale where the row names others by now.  This
 * needs no index on the movements of sales, and it holds for lines that are older than the
 * store, by what their rows were at that time.
 *
 * Expects the row to be locked, if there is one.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "base/store_error.h"
#include "base/error.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/ledger_schema.h"
#include "store/query.h"
#include "store/query_text.h"
#include "stock/ledger.h"
#include "stock/sold.h"

/*
 * Have others changed the row of a line?  If not, the row says what was sold.  If they have,
 * the first change is locked: there may be no row by which calls could wait for each other.
 */
bool
inv_lock_changed_line(InvStore *store, Datum order)
{
	if (!OidIsValid(store->ledger[INV_LEDGER_ORDER_CHANGES]))
		inv_error_broken_store(store->store_name, "A table of its ledger is gone.");
	return inv_execute(store, INV_STMT_LOCK_CHANGES, &order, NULL, INV_SNAPSHOT_LATEST) > 0;
}

/*
 * What was sold on a line whose row is as given, or does not exist.  This is one item, unless
 * the key was used again after the row was deleted.
 */
InvSoldItem *
inv_sold_on_line(InvStore *store, Datum order, const InvOrderRow *row, int *count)
{
	Datum values[] = { order, row->item, Int64GetDatum(row->units), row->user.value };
	char nulls[] = { ' ', row->exists && !row->no_item ? ' ' : 'n',
					 row->exists && !row->no_units ? ' ' : 'n',
					 row->exists && !row->user.isnull ? ' ' : 'n' };
	InvSoldItem *sold;

	*count = inv_execute(store, INV_STMT_SOLD, values, nulls, INV_SNAPSHOT_LATEST);
	sold = palloc(sizeof(InvSoldItem) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
	{
		bool isnull;

		sold[i].item = inv_item_of_order(store, inv_result(i, 1, &isnull));
		sold[i].units = inv_result_int64(i, 2);
		sold[i].user.value = inv_result(i, 3, &sold[i].user.isnull);
	}
	return sold;
}

/* Record that others changed the row of a line. */
void
inv_record_change(InvStore *store, Datum order, const char *operation, const InvOrderRow *before,
				  const InvOrderRow *after)
{
	Datum values[] = { order,
					   CStringGetTextDatum(operation),
					   before->item,
					   after->item,
					   Int64GetDatum(before->units),
					   Int64GetDatum(after->units),
					   before->user.value,
					   after->user.value,
					   inv_ledger_actor(),
					   inv_ledger_time() };
	char nulls[] = { ' ',
					 ' ',
					 before->exists && !before->no_item ? ' ' : 'n',
					 after->exists && !after->no_item ? ' ' : 'n',
					 before->exists && !before->no_units ? ' ' : 'n',
					 after->exists && !after->no_units ? ' ' : 'n',
					 before->exists && !before->user.isnull ? ' ' : 'n',
					 after->exists && !after->user.isnull ? ' ' : 'n',
					 ' ',
					 ' ' };

	inv_execute_write(store, INV_STMT_RECORD_CHANGE, values, nulls, INV_SNAPSHOT_TRANSACTION, 1);
}
