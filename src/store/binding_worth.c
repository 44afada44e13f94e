/*
 * binding_worth.c
 *		The functions that say what order lines are worth, and what they read.
 *
 * The ledger of a store that follows its orders calls order_units and order_final for every
 * line that changes, with the owner's rights.  A change of a column that neither of them reads
 * does not concern it.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_proc.h"
#include "utils/syscache.h"

#include "base/error.h"
#include "base/store_error.h"
#include "store/binding.h"
#include "store/binding_check.h"
#include "store/binding_worth.h"
#include "store/function_body.h"

/* Find one of the functions. */
static Oid
find_worth_function(InvStore *store, Oid ledger, const char *name)
{
	Oid types[] = { store->order_row, store->header_row };
	HeapTuple tuple =
		inv_binding_find_function(store, ledger, name, types, OidIsValid(store->header) ? 2 : 1);
	Form_pg_proc form = (Form_pg_proc) GETSTRUCT(tuple);
	Oid function = form->oid;

	if (form->provolatile != PROVOLATILE_IMMUTABLE)
		inv_error_broken_store(store->store_name, store->items,
							   psprintf("The function %s of its ledger is not immutable.", name));
	ReleaseSysCache(tuple);
	return function;
}

void
inv_binding_find_worth(InvStore *store, Oid ledger)
{
	InvWorth *worth = &store->worth;
	Bitmapset *columns[] = { NULL, NULL };

	worth->order_units = find_worth_function(store, ledger, "order_units");
	worth->order_final = find_worth_function(store, ledger, "order_final");
	inv_columns_of_arguments(worth->order_units, columns);
	inv_columns_of_arguments(worth->order_final, columns);
	worth->line_columns = columns[0];
	worth->header_columns = columns[1];
}
