/*
 * housekeeping.c
 *		Overdue holds are given back on demand; the ledger schema is kept small.
 *
 * Holds are given back by stock/expiry.c.  This file itself deletes closed
 * reservations and idempotency keys.  Another call waits for it only if it asks for a
 * row that is being deleted.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/error.h"
#include "store/binding.h"
#include "store/enter.h"
#include "store/query.h"
#include "store/query_text.h"
#include "stock/expiry.h"
#include "commands/argument.h"
#include "commands/call.h"
#include "maintenance/housekeeping.h"

/*
 * Delete closed reservations and idempotency keys from before an instant, at most
 * max_rows of each; returns how many rows were deleted.  Expects an entered store.
 */
int64
inv_prune(InvStore *store, TimestampTz before, int64 max_rows)
{
	Datum values[] = { TimestampTzGetDatum(before), Int64GetDatum(max_rows) };
	int64 pruned;

	Assert(GetUserId() == store->owner); /* the store is entered */
	Assert(before <= store->now && max_rows > 0);
	pruned = inv_execute(store, INV_STMT_PRUNE_HOLDS, values, NULL, INV_SNAPSHOT_TRANSACTION);
	pruned += inv_execute(store, INV_STMT_PRUNE_REQUESTS, values, NULL, INV_SNAPSHOT_TRANSACTION);
	return pruned;
}

/* ---- SQL functions ---- */

PG_FUNCTION_INFO_V1(inventory_expire_reservations);
PG_FUNCTION_INFO_V1(inventory_prune);

/*
 * expire_reservations(store_name, max_rows): give back the units of overdue holds,
 * the oldest first; returns how many lines were given back.
 */
Datum
inventory_expire_reservations(PG_FUNCTION_ARGS)
{
	InvExpiryPosition position = inv_first_overdue;
	InvCall call;
	int64 expired = 0, refused;

	inv_call_enter(&call, inv_getarg_store_name(fcinfo), "expire_reservations");
	if (PG_ARGISNULL(1))
		inv_error_null("max_rows");
	if (PG_GETARG_INT32(1) < 1)
		inv_error_quantity("max_rows", PG_GETARG_INT32(1));
	do
		expired += inv_expire_overdue(call.store, PG_GETARG_INT32(1) - expired, false, &position,
									  &refused);
	while (refused > 0 && expired < PG_GETARG_INT32(1));
	inv_store_leave(&call);
	PG_RETURN_INT64(expired);
}

/*
 * prune(store_name, older_than): delete closed reservations and idempotency keys
 * that are older; returns how many rows were deleted.
 */
Datum
inventory_prune(PG_FUNCTION_ARGS)
{
	InvCall call;
	Datum before;
	int64 pruned;

	inv_call_enter(&call, inv_getarg_store_name(fcinfo), "prune");
	if (PG_ARGISNULL(1))
		inv_error_null("older_than");
	/* a day has 24 hours, whatever TimeZone is */
	before = DirectFunctionCall2(timestamp_mi_interval, TimestampTzGetDatum(call.store->now),
								 PG_GETARG_DATUM(1));
	if (DatumGetTimestampTz(before) > call.store->now)
		inv_error_value("older_than must not be negative", NULL);
	pruned = inv_prune(call.store, DatumGetTimestampTz(before), PG_INT64_MAX);
	inv_store_leave(&call);
	PG_RETURN_INT64(pruned);
}
