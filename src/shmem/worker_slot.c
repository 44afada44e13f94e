/*
 * worker_slot.c
 *		Which databases need a worker, and whose turn it is.
 *
 * A database that needs a worker has a slot in shared memory, and at most one worker.  At
 * most inventory.max_workers run in the server.  If more databases need one, they take
 * turns: a worker leaves after a turn, if another database has work, and the process that
 * frees a place starts the worker of the database whose work is due for longest.
 * inv_shmem->lock guards the slots.  Durations go by base/clock.h.
 *
 * A session asks for the worker after its work for it is committed, so that the worker
 * sees the work when it looks.  A worker that runs already finds the request in its slot,
 * and does not leave.
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "storage/ipc.h"
#include "utils/timestamp.h"

#include "base/clock.h"
#include "base/guc.h"
#include "base/store_error.h"
#include "shmem/shmem.h"
#include "shmem/worker_slot.h"

#define START_TIMEOUT_US INT64CONST(60000000) /* a worker that does not start by then will not */
#define TURN_US INT64CONST(1000000)			  /* how long a worker runs while others wait */
#define RETRY_US INT64CONST(1000000)		  /* from one refused start to the next attempt */

static bool worker_needed = false;		 /* this transaction makes work for the worker */
static InvWorkerSlot *own_slot = NULL;	 /* that this database had last; it may have another now */
static Oid served_database = InvalidOid; /* if this is a worker */
static bool asked_before_round = false;	 /* a session had asked for it when its round began */

/* ---- slots; the caller has the lock ---- */

/* The slot of a database, or null if it has none. */
static InvWorkerSlot *
find_worker_slot(Oid database)
{
	Assert(LWLockHeldByMe(&inv_shmem->lock));
	for (int i = 0; i < INV_WORKER_SLOTS; i++)
		if (inv_shmem->workers[i].database == database)
			return &inv_shmem->workers[i];
	return NULL;
}

/* The idle slot that has been so for longest; null if there is none. */
static InvWorkerSlot *
find_idle_worker_slot(void)
{
	InvWorkerSlot *oldest = NULL;

	for (int i = 0; i < INV_WORKER_SLOTS; i++)
	{
		InvWorkerSlot *slot = &inv_shmem->workers[i];

		if (slot->state == INV_WORKER_IDLE && (oldest == NULL || slot->since < oldest->since))
			oldest = slot;
	}
	return oldest;
}

/* The slot of a database, which may be made for it; null if all are in use. */
static InvWorkerSlot *
make_worker_slot(Oid database)
{
	InvWorkerSlot *slot = find_worker_slot(database);

	if (slot)
		return slot;
	slot = find_worker_slot(InvalidOid);
	if (slot == NULL)
		slot = find_idle_worker_slot();
	if (slot)
	{
		memset(slot, 0, sizeof(*slot));
		slot->database = database;
	}
	return slot;
}

static void
set_worker_state(InvWorkerSlot *slot, InvWorkerState state)
{
	slot->state = state;
	slot->since = inv_clock_now();
	slot->pid = state == INV_WORKER_RUNNING ? MyProcPid : 0;
}

/* Is there a worker, or will there be one at once? */
static bool
has_worker(const InvWorkerSlot *slot, int64 now)
{
	return slot->state == INV_WORKER_RUNNING ||
		   (slot->state == INV_WORKER_STARTING && now - slot->since < START_TIMEOUT_US);
}

static int
count_workers(int64 now)
{
	int count = 0;

	for (int i = 0; i < INV_WORKER_SLOTS; i++)
		count += has_worker(&inv_shmem->workers[i], now);
	return count;
}

/* The slot whose work is due for longest of those that wait for a worker; null if none is. */
static InvWorkerSlot *
next_waiting_slot(int64 now)
{
	InvWorkerSlot *next = NULL;

	for (int i = 0; i < INV_WORKER_SLOTS; i++)
	{
		InvWorkerSlot *slot = &inv_shmem->workers[i];

		if (slot->state != INV_WORKER_WAITING &&
			(slot->state != INV_WORKER_STARTING || has_worker(slot, now)))
			continue;
		if (slot->due <= now && (next == NULL || slot->due < next->due))
			next = slot;
	}
	return next;
}

/* Note that a database has work for a worker now. */
static void
note_work(InvWorkerSlot *slot)
{
	int64 now = inv_clock_now();

	switch (slot->state)
	{
		case INV_WORKER_IDLE:
			set_worker_state(slot, INV_WORKER_WAITING);
			slot->due = now;
			break;
		case INV_WORKER_WAITING:
			slot->due = Min(slot->due, now);
			break;
		case INV_WORKER_STARTING:
		case INV_WORKER_RUNNING:
			/* the worker itself does not keep itself running */
			if (slot->pid != MyProcPid)
				slot->wanted = true;
	}
}

/* ---- starting workers ---- */

/* Reserve a place for a worker, and say for which database; InvalidOid if there is no need. */
static Oid
reserve_place(void)
{
	Oid database = InvalidOid;
	int64 now = inv_clock_now();

	LWLockAcquire(&inv_shmem->lock, LW_EXCLUSIVE);
	if (count_workers(now) < inv_max_workers &&
		(inv_shmem->refused == 0 || now - inv_shmem->refused >= RETRY_US))
	{
		InvWorkerSlot *slot = next_waiting_slot(now);

		if (slot)
		{
			set_worker_state(slot, INV_WORKER_STARTING);
			slot->wanted = false;
			database = slot->database;
		}
	}
	LWLockRelease(&inv_shmem->lock);
	return database;
}

/* Note whether the server had a slot for the worker of a database; true if it is the first refusal. */
static bool
note_registration(Oid database, bool registered)
{
	bool first = false;

	LWLockAcquire(&inv_shmem->lock, LW_EXCLUSIVE);
	if (registered)
		inv_shmem->refused = 0;
	else
	{
		InvWorkerSlot *slot = find_worker_slot(database);

		if (slot && slot->state == INV_WORKER_STARTING)
			set_worker_state(slot, INV_WORKER_WAITING);
		first = inv_shmem->refused == 0;
		inv_shmem->refused = inv_clock_now();
	}
	LWLockRelease(&inv_shmem->lock);
	return first;
}

static bool
register_worker(Oid database)
{
	BackgroundWorker worker = { 0 };

	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = BGW_NEVER_RESTART;
	worker.bgw_main_arg = ObjectIdGetDatum(database);
	strlcpy(worker.bgw_library_name, "inventory", sizeof(worker.bgw_library_name));
	strlcpy(worker.bgw_function_name, "inventory_worker_main", sizeof(worker.bgw_function_name));
	strlcpy(worker.bgw_name, "inventory worker", sizeof(worker.bgw_name));
	strlcpy(worker.bgw_type, "inventory worker", sizeof(worker.bgw_type));
	return RegisterDynamicBackgroundWorker(&worker, NULL);
}

/*
 * Start workers of databases that wait for one, as far as there are places.  It is no
 * error if the server has no slot for one: sessions do without the worker.
 */
void
inv_worker_slot_start_waiting(void)
{
	Oid database;

	while (OidIsValid(database = reserve_place()))
	{
		bool registered = register_worker(database);

		if (note_registration(database, registered))
			inv_log_no_worker_slot();
		if (!registered)
			return;
	}
}

/* ---- sessions ---- */

/*
 * Start the worker of a database in its turn, unless it runs.  False if there is no slot
 * for the database.
 */
bool
inv_worker_start_in(Oid database)
{
	InvWorkerSlot *slot;

	Assert(OidIsValid(database));
	if (inv_shmem == NULL || RecoveryInProgress())
		return true;
	LWLockAcquire(&inv_shmem->lock, LW_EXCLUSIVE);
	slot = make_worker_slot(database);
	if (slot)
		note_work(slot);
	if (database == MyDatabaseId)
		own_slot = slot;
	LWLockRelease(&inv_shmem->lock);
	if (slot)
		inv_worker_slot_start_waiting();
	else
		inv_log_many_databases(INV_WORKER_SLOTS);
	return slot != NULL;
}

/*
 * The same for this database, which has committed work.  A worker that is known to be
 * wanted makes at least one more round, and finds the work.
 */
void
inv_worker_start(void)
{
	pg_memory_barrier();
	if (own_slot && own_slot->database == MyDatabaseId && own_slot->state == INV_WORKER_RUNNING &&
		own_slot->wanted)
		return;
	(void) inv_worker_start_in(MyDatabaseId);
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

/* ---- the worker ---- */

/* Lock the slots; returns that of this worker, or null if it has left it. */
static InvWorkerSlot *
lock_own_slot(void)
{
	InvWorkerSlot *slot;

	LWLockAcquire(&inv_shmem->lock, LW_EXCLUSIVE);
	slot = find_worker_slot(served_database);
	return slot && slot->pid == MyProcPid ? slot : NULL;
}

/* Leave the slot of this worker, and wait for the next turn; without work if it is negative. */
static void
wait_for_turn(InvWorkerSlot *slot, long work_in_ms)
{
	if (slot->wanted)
		work_in_ms = 0;
	set_worker_state(slot, work_in_ms < 0 ? INV_WORKER_IDLE : INV_WORKER_WAITING);
	slot->due = inv_clock_after(Max(work_in_ms, 0));
	slot->wanted = false;
}

/*
 * A worker that ends without having left its slot was ended by an error or a signal.  Another
 * one does what sessions have asked it for, and ends with its first round if it fares no better.
 */
static void
worker_slot_at_exit(int code pg_attribute_unused(), Datum arg pg_attribute_unused())
{
	InvWorkerSlot *slot = lock_own_slot();

	if (slot)
	{
		slot->wanted = slot->wanted || asked_before_round;
		wait_for_turn(slot, -1);
	}
	LWLockRelease(&inv_shmem->lock);
	inv_worker_slot_start_waiting();
}

/*
 * Take the place that was reserved for a database's worker; false if it is no longer.
 * *kept_out: is the worker to wait outside until the database can be entered?
 */
bool
inv_worker_slot_take(Oid database, bool *kept_out)
{
	InvWorkerSlot *slot;
	bool taken;

	Assert(OidIsValid(database));
	LWLockAcquire(&inv_shmem->lock, LW_EXCLUSIVE);
	slot = find_worker_slot(database);
	taken = slot && slot->state == INV_WORKER_STARTING;
	if (taken)
	{
		set_worker_state(slot, INV_WORKER_RUNNING);
		*kept_out = slot->kept_out;
	}
	LWLockRelease(&inv_shmem->lock);
	if (taken)
	{
		served_database = database;
		before_shmem_exit(worker_slot_at_exit, (Datum) 0);
	}
	return taken;
}

/* A round begins, which finds all work that sessions have committed so far. */
void
inv_worker_slot_begin_round(void)
{
	InvWorkerSlot *slot = lock_own_slot();

	if (slot)
	{
		asked_before_round = slot->wanted;
		slot->wanted = false;
	}
	LWLockRelease(&inv_shmem->lock);
}

/* Leave the slot of this worker, unless a session has asked for it since the round began. */
bool
inv_worker_slot_may_leave(void)
{
	InvWorkerSlot *slot;
	bool wanted;

	slot = lock_own_slot();
	wanted = slot && slot->wanted;
	if (slot && !wanted)
		set_worker_state(slot, INV_WORKER_IDLE);
	LWLockRelease(&inv_shmem->lock);
	return !wanted;
}

/*
 * Is the turn of this worker over, because other databases have work, and no place?  Then
 * its slot is left, and waits until its own database has work again: in so many
 * milliseconds, or not if that is negative.
 */
bool
inv_worker_slot_yield(long work_in_ms)
{
	int64 now = inv_clock_now();
	InvWorkerSlot *slot;
	bool yields = false;

	slot = lock_own_slot();
	if (slot)
	{
		int workers = count_workers(now);

		yields = workers > inv_max_workers ||
				 (workers == inv_max_workers && now - slot->since >= TURN_US &&
				  next_waiting_slot(now) != NULL);
		if (yields)
			wait_for_turn(slot, work_in_ms);
	}
	LWLockRelease(&inv_shmem->lock);
	return yields;
}

/*
 * Leave the slot of this worker to another one.  behind: the store that ends this worker, and
 * behind which the other goes on; or InvalidOid.  kept_out: another session wants the database
 * without other sessions, and the other worker is to wait outside.
 */
void
inv_worker_slot_hand_over(Oid behind, bool kept_out)
{
	InvWorkerSlot *slot = lock_own_slot();

	if (slot)
	{
		wait_for_turn(slot, 0);
		slot->kept_out = kept_out;
		if (OidIsValid(behind))
			slot->ended_by = behind;
	}
	LWLockRelease(&inv_shmem->lock);
}

/* The worker has done a round through all stores. */
void
inv_worker_slot_ran(void)
{
	InvWorkerSlot *slot = lock_own_slot();

	if (slot)
	{
		slot->last_run = GetCurrentTimestamp();
		slot->ended_by = InvalidOid;
	}
	asked_before_round = false;
	LWLockRelease(&inv_shmem->lock);
}

/* When this worker, or a later one, is to prune next. */
void
inv_worker_slot_set_next_prune(int64 instant)
{
	InvWorkerSlot *slot = lock_own_slot();

	if (slot)
		slot->next_prune = instant;
	LWLockRelease(&inv_shmem->lock);
}

/* ---- for both, and the statistics ---- */

/* Copy the slot of this database; false if it has none, as without shared memory. */
bool
inv_worker_slot_read(InvWorkerSlot *copy)
{
	InvWorkerSlot *slot;

	inv_shmem_open();
	if (inv_shmem == NULL)
		return false;
	LWLockAcquire(&inv_shmem->lock, LW_SHARED);
	slot = find_worker_slot(MyDatabaseId);
	if (slot)
		*copy = *slot;
	LWLockRelease(&inv_shmem->lock);
	return slot != NULL;
}
