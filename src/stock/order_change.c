/*
 * order_change.c
 *		The changes of order lines that others made.
 *
 * A change is a row of order_changes, with the bound columns before and after it.  sold.c
 * computes from them what was sold on a line.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "store/binding.h"
#include "store/query.h"
#include "store/query_text.h"
#include "stock/ledger.h"
#include "stock/order_change.h"

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
