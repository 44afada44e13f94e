/*
 * stats_view.c
 *		What the view inventory.stats reads, and reset_stats().
 *
 * All of it is in shared memory.  No table of a store is looked at: the reader of the
 * statistics has other rights than the owners of the stores, and must not depend on
 * their tables.
 */
#include "postgres.h"

#include "access/xlog.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include "base/guc.h"
#include "base/stats.h"
#include "shmem/shmem.h"
#include "shmem/worker_slot.h"

PG_FUNCTION_INFO_V1(inventory_stats_entries);
PG_FUNCTION_INFO_V1(inventory_reset_stats);
PG_FUNCTION_INFO_V1(inventory_overdue_holds);
PG_FUNCTION_INFO_V1(inventory_worker_last_run);
PG_FUNCTION_INFO_V1(inventory_worker_state);

/* stats_entries(): the counters of this database. */
Datum
inventory_stats_entries(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	int number = 0;
	InvStatsRow row;

	InitMaterializedSRF(fcinfo, 0);
	Assert(result->setDesc->natts == 2 + INV_STATS_COUNT);
	inv_shmem_open();
	while (inv_stats_next(&number, &row))
	{
		Datum values[2 + INV_STATS_COUNT];
		bool nulls[2 + INV_STATS_COUNT] = { false };

		values[0] = ObjectIdGetDatum(row.items);
		values[1] = CStringGetTextDatum(row.operation);
		for (int i = 0; i < INV_STATS_COUNT; i++)
			values[2 + i] = Int64GetDatum(row.counters[i]);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* reset_stats(): set the counters of this database to 0. */
Datum
inventory_reset_stats(PG_FUNCTION_ARGS pg_attribute_unused())
{
	inv_shmem_open();
	inv_stats_reset();
	PG_RETURN_VOID();
}

/* When the worker of this database last did a round; 0 if it is idle, or has not done one yet. */
static TimestampTz
worker_last_run(void)
{
	InvWorkerSlot slot;

	if (!inv_worker_slot_read(&slot) || slot.state == INV_WORKER_IDLE)
		return 0;
	return slot.last_run;
}

/*
 * overdue_holds(items): how many lines of holds of a store were overdue and not given
 * back when the worker last looked; null if it is idle.  A store that the worker
 * has not seen since the server started may have work for it.
 */
Datum
inventory_overdue_holds(PG_FUNCTION_ARGS)
{
	int64 lines;

	inv_shmem_open();
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	if (!inv_stats_get_overdue(PG_GETARG_OID(0), &lines))
	{
		if (!RecoveryInProgress())
			inv_worker_start();
		PG_RETURN_NULL();
	}
	if (worker_last_run() == 0)
		PG_RETURN_NULL();
	PG_RETURN_INT64(lines);
}

/* worker_last_run(): when the worker last did a round; null if it is idle, or has not done one yet. */
Datum
inventory_worker_last_run(PG_FUNCTION_ARGS)
{
	TimestampTz last_run = worker_last_run();

	if (last_run == 0)
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(last_run);
}

/*
 * worker_state(): what the worker of this database does.  If none has looked for work yet
 * since the server was started, it is started.
 */
Datum
inventory_worker_state(PG_FUNCTION_ARGS pg_attribute_unused())
{
	static const char *const names[] = {
		[INV_WORKER_IDLE] = "idle",
		[INV_WORKER_WAITING] = "waiting",
		[INV_WORKER_STARTING] = "starting",
		[INV_WORKER_RUNNING] = "running",
	};
	InvWorkerSlot slot = { 0 };
	const char *state;
	bool has_slot = inv_worker_slot_read(&slot);
	bool can_have = inv_shmem != NULL && !RecoveryInProgress();

	if (!has_slot && can_have)
	{
		inv_worker_start();
		has_slot = inv_worker_slot_read(&slot);
	}
	if (inv_shmem == NULL || inv_max_workers == 0)
		state = "off";
	else if ((!has_slot && can_have) ||
			 (slot.state == INV_WORKER_WAITING && inv_shmem->refused != 0))
		state = "no slot";
	else
		state = names[slot.state];
	PG_RETURN_TEXT_P(cstring_to_text(state));
}
