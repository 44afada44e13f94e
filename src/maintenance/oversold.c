/*
 * oversold.c
 *		What a shop oversells: oversold().
 *
 * A store that records what others write has each order line and each change of stock with
 * its time.  The lines of an item, in the order of time, take from the units that were there;
 * the first that finds too little is one that the engine would have refused.
 *
 * Reads only, by the latest snapshot, and locks no rows.  Acts as the owner, because what a
 * line is worth is an expression of the owner.
 */
#include "postgres.h"

#include "funcapi.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "base/error.h"
#include "store/binding.h"
#include "store/enter.h"
#include "store/query.h"
#include "store/query_text.h"

#define OVERSOLD_COLUMNS 6

PG_FUNCTION_INFO_V1(inventory_oversold);

/* oversold(items, since): a row for each item that was sold more often than it was there. */
Datum
inventory_oversold(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Datum since = PG_ARGISNULL(1) ? TimestampTzGetDatum(DT_NOBEGIN) : PG_GETARG_DATUM(1);
	InvCall call;
	uint64 rows;

	InitMaterializedSRF(fcinfo, 0);
	Assert(result->setDesc->natts == OVERSOLD_COLUMNS);
	inv_store_enter_owned(&call, PG_ARGISNULL(0) ? InvalidOid : PG_GETARG_OID(0));
	if (!OidIsValid(call.store->orders))
		inv_error_value("the store has no orders", "Attach it with a table of orders.");
	rows =
		inv_execute_as_attached(call.store, INV_STMT_OVERSOLD, &since, NULL, INV_SNAPSHOT_LATEST);
	for (uint64 row = 0; row < rows; row++)
	{
		Datum values[OVERSOLD_COLUMNS];
		bool nulls[OVERSOLD_COLUMNS];

		for (int i = 0; i < OVERSOLD_COLUMNS; i++)
			values[i] = inv_result(row, i + 1, &nulls[i]);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	inv_store_leave(&call);
	return (Datum) 0;
}
