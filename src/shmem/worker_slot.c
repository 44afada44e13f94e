/*
 * worker_slot.c
 *		Which database has a worker, and its start.
 *
 * Each database has at most one worker.  Its slot in shared memory is reserved
 * before the worker is registered, so that two sessions do not start two, and
 * freed when the worker exits.  inv_shmem->lock guards the slots.
 *
 * A session asks for the worker when what it held is committed, so that a worker
 * that finds nothing to do has not looked too early.  The request stays in the
 * slot, so that no worker leaves at that moment.
 */
#include "postgres.h"

#include "access/xact.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "storage/ipc.h"
#include "utils/timestamp.h"

#include "shmem/shmem.h"
#include "shmem/worker_slot.h"

#define START_TIMEOUT_MS 60000 /* a registration whose worker never started is void */

static bool worker_needed = false; /* this transaction makes work for the worker */


/* The slot of a database; or, with or_free, a free one if it has none.  Holds the lock. */
static InvWorkerSlot *
find_worker_slot(Oid database, bool or_free)
{
	InvWorkerSlot *free_worker_slot = NULL;

	for (int i = 0; i < INV_WORKER_SLOTS; i++)
	{
		InvWorkerSlot *slot = &inv_shmem->workers[i];

		if (slot->database == database)
			return slot;
		if (free_worker_slot == NULL && slot->database == InvalidOid)
			free_worker_slot = slot;
	}
	return or_free ? free_worker_slot : NULL;
}

/*
 * Reserve the slot of this database; false if a worker has it or is on its way.
 * One that has it is asked to stay.
 */
static bool
reserve_worker_slot(void)
{
	TimestampTz now = GetCurrentTimestamp();
	InvWorkerSlot *slot;
	bool reserved = false;

	LWLockAcquire(&inv_shmem->lock, LW_EXCLUSIVE);
	slot = find_worker_slot(MyDatabaseId, true);
	if (slot && slot->database != InvalidOid && slot->pid != 0)
		slot->wanted = slot->wanted || slot->pid != MyProcPid;
	else if (slot && (slot->database == InvalidOid ||
					  TimestampDifferenceExceeds(slot->since, now, START_TIMEOUT_MS)))
	{
		slot->database = MyDatabaseId;
		slot->pid = 0;
		slot->since = now;
		slot->last_run = 0;
		reserved = true;
	}
	LWLockRelease(&inv_shmem->lock);
	return reserved;
}

/* Give the slot back, if it is this process's or was reserved by it. */
static void
free_worker_slot(Oid database, pid_t pid)
{
	InvWorkerSlot *slot;

	LWLockAcquire(&inv_shmem->lock, LW_EXCLUSIVE);
	slot = find_worker_slot(database, false);
	if (slot && slot->pid == pid)
		slot->database = InvalidOid;
	LWLockRelease(&inv_shmem->lock);
}

/*
 * There is work for the worker of this database, and committed: start it, unless
 * it runs.  If the server has no room for one, that is all right.
 */
void
inv_worker_start(void)
{
	BackgroundWorker worker = { 0 };

	if (inv_shmem == NULL || !reserve_worker_slot())
		return;
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = BGW_NEVER_RESTART;
	worker.bgw_main_arg = ObjectIdGetDatum(MyDatabaseId);
	strlcpy(worker.bgw_library_name, "inventory", sizeof(worker.bgw_library_name));
	strlcpy(worker.bgw_function_name, "inventory_worker_main", sizeof(worker.bgw_function_name));
	strlcpy(worker.bgw_name, "inventory worker", sizeof(worker.bgw_name));
	strlcpy(worker.bgw_type, "inventory worker", sizeof(worker.bgw_type));
	if (!RegisterDynamicBackgroundWorker(&worker, NULL))
		free_worker_slot(MyDatabaseId, 0);
}

/* There will be work for the worker once this transaction is committed. */
void
inv_worker_need(void)
{
	worker_needed = true;
}

static void
worker_slot_at_xact_end(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_ABORT)
		worker_needed = false;
	if (!worker_needed || (event != XACT_EVENT_COMMIT && event != XACT_EVENT_PREPARE))
		return;
	worker_needed = false;
	inv_worker_start();
}

void
inv_worker_slot_init(void)
{
	RegisterXactCallback(worker_slot_at_xact_end, NULL);
}

static void
worker_slot_at_exit(int code, Datum database)
{
	free_worker_slot(DatumGetObjectId(database), MyProcPid);
}

/* Say that this process has the slot; false if another has it. */
bool
inv_worker_slot_take(Oid database)
{
	InvWorkerSlot *slot;
	bool mine;

	LWLockAcquire(&inv_shmem->lock, LW_EXCLUSIVE);
	slot = find_worker_slot(database, true);
	mine = slot && (slot->database == InvalidOid || slot->pid == 0);
	if (mine)
	{
		slot->database = database;
		slot->pid = MyProcPid;
		slot->wanted = false;
	}
	LWLockRelease(&inv_shmem->lock);
	if (mine)
		before_shmem_exit(worker_slot_at_exit, ObjectIdGetDatum(database));
	return mine;
}

/* Give the slot back, unless a session has asked for this worker since it last tried. */
bool
inv_worker_slot_may_leave(void)
{
	InvWorkerSlot *slot;
	bool wanted;

	LWLockAcquire(&inv_shmem->lock, LW_EXCLUSIVE);
	slot = find_worker_slot(MyDatabaseId, false);
	wanted = slot && slot->wanted;
	if (wanted)
		slot->wanted = false;
	else if (slot)
		slot->database = InvalidOid;
	LWLockRelease(&inv_shmem->lock);
	return !wanted;
}

/* The worker has gone through all stores. */
void
inv_worker_slot_ran(void)
{
	InvWorkerSlot *slot;

	LWLockAcquire(&inv_shmem->lock, LW_EXCLUSIVE);
	slot = find_worker_slot(MyDatabaseId, false);
	if (slot)
		slot->last_run = GetCurrentTimestamp();
	LWLockRelease(&inv_shmem->lock);
}

PG_FUNCTION_INFO_V1(inventory_worker_last_run);

/* worker_last_run(): when this database's worker last went round; null if none runs. */
Datum
inventory_worker_last_run(PG_FUNCTION_ARGS)
{
	TimestampTz last_run = 0;
	InvWorkerSlot *slot;

	inv_shmem_open();
	if (inv_shmem == NULL)
		PG_RETURN_NULL();
	LWLockAcquire(&inv_shmem->lock, LW_SHARED);
	slot = find_worker_slot(MyDatabaseId, false);
	if (slot)
		last_run = slot->last_run;
	LWLockRelease(&inv_shmem->lock);
	if (last_run == 0)
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(last_run);
}
