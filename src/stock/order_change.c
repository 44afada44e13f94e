/*
 * order_change.c
 *		The rows of order lines, and the changes of them that others made.
 *
 * A change is a row of order_changes, with the bound columns before and after it.  sold.c
 * computes from them what was sold on a line.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"

#include "store/binding.h"
#include "store/ledger_schema.h"
#include "store/query.h"
#include "store/query_text.h"
#include "stock/ledger.h"
#include "stock/order_change.h"

/* Are two values the same, as they are stored? */
static bool
same_value(Oid type, Datum a, bool a_null, Datum b, bool b_null)
{
	int16 length;
	bool byval;

	if (a_null || b_null)
		return a_null == b_null;
	get_typlenbyval(type, &length, &byval);
	return datum_image_eq(a, b, byval, length);
}

bool
inv_same_order_key(InvStore *store, const InvOrderRow *a, const InvOrderRow *b)
{
	return same_value(store->order_type, a->order, a->no_order, b->order, b->no_order);
}

bool
inv_same_order_item(InvStore *store, const InvOrderRow *a, const InvOrderRow *b)
{
	return same_value(store->order_item.base, a->item, a->no_item, b->item, b->no_item);
}

bool
inv_same_order_units(const InvOrderRow *a, const InvOrderRow *b)
{
	return a->no_units == b->no_units && (a->no_units || a->units == b->units);
}

bool
inv_same_order_user(InvStore *store, const InvOrderRow *a, const InvOrderRow *b)
{
	return same_value(store->user_type, a->user.value, a->user.isnull, b->user.value,
					  b->user.isnull);
}

/* Do two rows with the same key have the same bound columns? */
bool
inv_same_line(InvStore *store, const InvOrderRow *a, const InvOrderRow *b)
{
	return inv_same_order_units(a, b) && inv_same_order_item(store, a, b) &&
		   inv_same_order_user(store, a, b);
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
