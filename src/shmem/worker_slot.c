/*
 * worker_slot.c
 *		Which database has a worker, and how it is started.
 *
 * Each database has at most one worker.  Its slot in shared memory is reserved before
 * the worker is registered, so that two sessions do not start two workers, and freed
 * when the worker exits.  inv_shmem->lock guards the slots.
 *
 * A session asks for the worker after its work for it is committed, so that the worker
 * sees the work when it looks.  A worker that runs already finds the request in its slot,
 * and does not leave.
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

/* a reserved slot is free again if its worker has not started by then */
#define START_TIMEOUT_MS 60000

static bool worker_needed = false; /* this transaction makes work for the worker */

/* The slot of a database, or null if it has none.  The caller has the lock. */
static InvWorkerSlot *
find_worker_slot(Oid database)
{
	Assert(LWLockHeldByMe(&inv_shmem->lock));
	for (int i = 0; i < INV_WORKER_SLOTS; i++)
		if (inv_shmem->workers[i].database == database)
			return &inv_shmem->workers[i];
	return NULL;
}

/* The same, or a free slot for the database; null if all are in use. */
static InvWorkerSlot *
find_or_free_worker_slot(Oid database)
{
	InvWorkerSlot *slot = find_worker_slot(database);

	return slot ? slot : find_worker_slot(InvalidOid);
}

/*
 * Reserve a slot for a worker of this database; false if there is none, or if a worker
 * has one or is being started.  A worker that has one is asked to stay.
 */
static bool
reserve_worker_slot(void)
{
	TimestampTz now = GetCurrentTimestamp();
	InvWorkerSlot *slot;
	bool reserved = false;

	Assert(OidIsValid(MyDatabaseId));
	LWLockAcquire(&inv_shmem->lock, LW_EXCLUSIVE);
	slot = find_or_free_worker_slot(MyDatabaseId);
	if (slot && slot->database != InvalidOid && slot->pid != 0)
	{
		/* the worker itself does not keep itself running */
		if (slot->pid != MyProcPid)
			slot->wanted = true;
	}
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

/* Free the slot of a database if it is that of this process; pid 0: if none runs yet. */
static void
free_worker_slot(Oid database, pid_t pid)
{
	InvWorkerSlot *slot;

	LWLockAcquire(&inv_shmem->lock, LW_EXCLUSIVE);
	slot = find_worker_slot(database);
	if (slot && slot->pid == pid)
		slot->database = InvalidOid;
	LWLockRelease(&inv_shmem->lock);
}

/*
 * Start the worker of this database, which has committed work, unless it runs.  It is no
 * error if the server has no room for it: sessions do without the worker.
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
inv_worker_start_at_commit(void)
{
	worker_needed = true;
}

static void
worker_slot_at_xact_end(XactEvent event, void *arg pg_attribute_unused())
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
worker_slot_at_exit(int code pg_attribute_unused(), Datum database)
{
	free_worker_slot(DatumGetObjectId(database), MyProcPid);
}

/* Take the slot of a database for this process, until it exits; false if another has it. */
bool
inv_worker_slot_take(Oid database)
{
	InvWorkerSlot *slot;
	bool taken;

	Assert(OidIsValid(database));
	LWLockAcquire(&inv_shmem->lock, LW_EXCLUSIVE);
	slot = find_or_free_worker_slot(database);
	taken = slot && (slot->database == InvalidOid || slot->pid == 0);
	if (taken)
	{
		slot->database = database;
		slot->pid = MyProcPid;
		slot->wanted = false;
	}
	LWLockRelease(&inv_shmem->lock);
	if (taken)
		before_shmem_exit(worker_slot_at_exit, ObjectIdGetDatum(database));
	return taken;
}

/* Free the slot of this worker, unless a session has asked for it since it last tried. */
bool
inv_worker_slot_may_leave(void)
{
	InvWorkerSlot *slot;
	bool wanted;

	LWLockAcquire(&inv_shmem->lock, LW_EXCLUSIVE);
	slot = find_worker_slot(MyDatabaseId);
	wanted = slot && slot->wanted;
	if (wanted)
		slot->wanted = false;
	else if (slot)
		slot->database = InvalidOid;
	LWLockRelease(&inv_shmem->lock);
	return !wanted;
}

/* The worker has done a round through all stores. */
void
inv_worker_slot_ran(void)
{
	InvWorkerSlot *slot;

	LWLockAcquire(&inv_shmem->lock, LW_EXCLUSIVE);
	slot = find_worker_slot(MyDatabaseId);
	if (slot)
		slot->last_run = GetCurrentTimestamp();
	LWLockRelease(&inv_shmem->lock);
}

PG_FUNCTION_INFO_V1(inventory_worker_last_run);

/* worker_last_run(): when the worker of this database last did a round; null if none runs. */
Datum
inventory_worker_last_run(PG_FUNCTION_ARGS)
{
	TimestampTz last_run = 0;
	InvWorkerSlot *slot;

	inv_shmem_open();
	if (inv_shmem == NULL)
		PG_RETURN_NULL();
	LWLockAcquire(&inv_shmem->lock, LW_SHARED);
	slot = find_worker_slot(MyDatabaseId);
	if (slot)
		last_run = slot->last_run;
	LWLockRelease(&inv_shmem->lock);
	if (last_run == 0)
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(last_run);
}
