/*
 * order_lookup.c
 *		Order rows and refunds, found without a statement, or in the result of one.
 *
 * Where a table needs a statement, the answer of each function is false; so it is where there
 * is something that the statement would raise an error for.  Expects the store to be entered.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/int.h"
#include "utils/builtins.h"

#include "base/store_error.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/key_lookup.h"
#include "store/ledger_schema.h"
#include "store/query.h"
#include "stock/ledger.h"
#include "stock/order_fact.h"
#include "stock/order_lookup.h"

/* Copy what the row of an order says; false if its quantity is not of an integer type. */
static bool
copy_order_row(InvStore *store, InvKeyLookup *lookup, InvOrderRow *row)
{
	Oid type = store->order_quantity.base;

	if (store->order_quantity.attnum != InvalidAttrNumber && type != INT2OID && type != INT4OID &&
		type != INT8OID)
		return false;
	inv_order_row_read(store, lookup->table, lookup->rows.slot, row);
	inv_order_row_copy(store, row);
	return true;
}

/* Lock the row of an order, and read it; row->exists tells if there is one. */
bool
inv_direct_lock_order_row(InvStore *store, Datum order, InvOrderRow *row)
{
	const bool not_null = false;
	InvKeyLookup lookup;
	bool known = true;

	row->exists = false;
	/* its user is in another row */
	if (store->order_user.attnum == InvalidAttrNumber &&
		store->header_user.attnum != InvalidAttrNumber)
		return false;
	/* code of the shop that the call has run can have changed the columns of orders */
	if (!store->valid || !inv_begin_key_lookup(&lookup, store, INV_KEY_ORDER, &order, &not_null, 1))
		return false;
	while (known && inv_next_key_row(&lookup))
		/* a second row is an error */
		known = !row->exists && inv_lock_key_row(&lookup) && copy_order_row(store, &lookup, row);
	inv_end_key_lookup(&lookup);
	return known;
}

/* Sum the refunds of an order. */
bool
inv_direct_sum_refunds(InvStore *store, Datum order, int64 *units)
{
	const bool not_null = false;
	InvKeyLookup lookup;
	bool known = true;

	*units = 0;
	if (!inv_begin_key_lookup(&lookup, store, INV_KEY_REFUND, &order, &not_null, 1))
		return false;
	while (known && inv_next_key_row(&lookup))
	{
		Datum values[INV_KEY_READ_COLUMNS];
		bool nulls[INV_KEY_READ_COLUMNS];

		known = inv_read_key_row(&lookup, values, nulls);
		if (known && strcmp(TextDatumGetCString(values[0]), INV_KIND_REFUND) == 0)
			known = !pg_add_s64_overflow(*units, DatumGetInt64(values[1]), units);
	}
	inv_end_key_lookup(&lookup);
	return known;
}

/*
 * Find the row of an order in the result of a statement, whose first column is its key, in key
 * order.  "next" is where to look, and then the place behind it.  Raises 21000 if there are two.
 */
bool
inv_find_order_row(InvStore *store, uint64 rows, uint64 *next, Datum order, uint64 *found)
{
	bool isnull;

	*found = *next;
	while (*next < rows && inv_order_compare(store, inv_result(*next, 1, &isnull), order) == 0)
		(*next)++;
	if (*next - *found > 1)
		inv_error_order_not_unique(store->orders_name, inv_order_text(store, order),
								   *next - *found);
	return *next > *found;
}
