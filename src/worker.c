/*
 * worker.c
 *		The background loop: gives back what is overdue, and prunes.
 *
 * One worker per database, started by the first session that makes work for it,
 * where the library is preloaded.  Nothing is wrong while it is absent: it only
 * makes prompt what buyers do when they are short.  It acts as the owner of each
 * store from the start of a transaction until after its commit, because a
 * deferred trigger of the shop's runs at commit.
 *
 * It leaves when there is nothing to do for a while, when the extension is gone,
 * and when somebody wants the database for himself: every second it asks for the
 * lock that a session takes to enter the database, and goes if it is refused.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_database.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "tcop/tcopprot.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "compat.h"
#include "expiry.h"
#include "setting.h"
#include "shared.h"
#include "stats.h"
#include "store.h"
#include "worker.h"

#define ROUND_MS 1000		   /* how often it looks */
#define BATCH_LINES 1000	   /* overdue lines per transaction */
#define IDLE_ROUNDS 30		   /* rounds without open holds before it leaves */
#define PRUNE_ROUNDS 600	   /* rounds between two prunings */
#define LONGEST_BACKOFF 300	   /* rounds that a store with errors is left alone */
#define START_TIMEOUT_MS 60000 /* a registration that never came to life is void */

PGDLLEXPORT void inventory_worker_main(Datum database);

/* ---- slots ---- */

/* The slot of a database; or, with claim, a free one if it has none.  Holds the lock. */
static InvWorkerSlot *
slot_of(Oid database, bool claim)
{
	InvWorkerSlot *free_slot = NULL;

	for (int i = 0; i < INV_WORKER_SLOTS; i++)
	{
		InvWorkerSlot *slot = &inv_shared->workers[i];

		if (slot->database == database)
			return slot;
		if (free_slot == NULL && slot->database == InvalidOid)
			free_slot = slot;
	}
	return claim ? free_slot : NULL;
}

/* Claim the slot of this database; false if a worker has it or is on its way. */
static bool
claim_slot(void)
{
	TimestampTz now = GetCurrentTimestamp();
	InvWorkerSlot *slot;
	bool claimed = false;

	LWLockAcquire(inv_shared->lock, LW_EXCLUSIVE);
	slot = slot_of(MyDatabaseId, true);
	if (slot &&
		(slot->database == InvalidOid ||
		 (slot->pid == 0 && TimestampDifferenceExceeds(slot->since, now, START_TIMEOUT_MS))))
	{
		slot->database = MyDatabaseId;
		slot->pid = 0;
		slot->since = now;
		slot->last_run = 0;
		claimed = true;
	}
	LWLockRelease(inv_shared->lock);
	return claimed;
}

/* Give the slot back, if it is this process's or was claimed by it. */
static void
free_slot(Oid database, pid_t pid)
{
	InvWorkerSlot *slot;

	LWLockAcquire(inv_shared->lock, LW_EXCLUSIVE);
	slot = slot_of(database, false);
	if (slot && slot->pid == pid)
		slot->database = InvalidOid;
	LWLockRelease(inv_shared->lock);
}

/*
 * There is work for the worker of this database: start it, unless it runs.  If
 * the server has no room for one, that is all right.
 */
void
inv_worker_need(void)
{
	BackgroundWorker worker = { 0 };

	if (inv_shared == NULL || !claim_slot())
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
		free_slot(MyDatabaseId, 0);
}

static void
at_exit(int code, Datum database)
{
	free_slot(DatumGetObjectId(database), MyProcPid);
}

/* ---- the loop ---- */

/* A store as the worker knows it between its transactions. */
typedef struct Task
{
	char *label;
	Oid items;
	Oid owner;
	int errors; /* in a row */
	int rest;	/* rounds to leave it alone */
} Task;

/* Does somebody want the database for himself? */
static bool
unwanted(void)
{
	LOCKTAG tag;
	bool granted;

	SET_LOCKTAG_OBJECT(tag, InvalidOid, DatabaseRelationId, MyDatabaseId, 0);
	granted = LockAcquire(&tag, RowExclusiveLock, false, true) != LOCKACQUIRE_NOT_AVAIL;
	if (granted)
		LockRelease(&tag, RowExclusiveLock, false);
	return !granted;
}

/* The stores of the database, from the old list those that are known; false if none. */
static List *
read_tasks(List *old, MemoryContext context)
{
	Oid schema = get_namespace_oid(INV_SCHEMA, true);
	Oid catalog = OidIsValid(schema) ? get_relname_relid("store", schema) : InvalidOid;
	List *tasks = NIL;
	Relation rel;
	SysScanDesc scan;
	HeapTuple tuple;

	if (!OidIsValid(catalog) || (rel = try_table_open(catalog, AccessShareLock)) == NULL)
		return NIL;
	scan = systable_beginscan(rel, InvalidOid, false, NULL, 0, NULL);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		MemoryContext outer = MemoryContextSwitchTo(context);
		Task *task = palloc0(sizeof(Task));
		HeapTuple class;
		ListCell *cell;
		bool isnull;

		task->label = TextDatumGetCString(heap_getattr(tuple, 1, RelationGetDescr(rel), &isnull));
		task->items = DatumGetObjectId(heap_getattr(tuple, 2, RelationGetDescr(rel), &isnull));
		foreach (cell, old)
		{
			Task *known = lfirst(cell);

			if (known->items == task->items)
			{
				task->errors = known->errors;
				task->rest = known->rest;
			}
		}
		class = SearchSysCache1(RELOID, ObjectIdGetDatum(task->items));
		if (HeapTupleIsValid(class))
		{
			task->owner = ((Form_pg_class) GETSTRUCT(class))->relowner;
			ReleaseSysCache(class);
			tasks = lappend(tasks, task);
		}
		MemoryContextSwitchTo(outer);
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return tasks;
}

/* The path that the store's generated functions have, for the shop's triggers. */
static void
set_path(const Task *task)
{
	char *schema = get_namespace_name(get_rel_namespace(task->items));

	(void) set_config_option("search_path",
							 psprintf("pg_catalog, %s, pg_temp", quote_identifier(schema)),
							 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
}

/* What one transaction on a store found. */
typedef struct Found
{
	int64 expired;
	bool holds; /* there are open ones */
} Found;

/* One transaction as the owner of a store. */
static Found
work_on(const Task *task, bool prune)
{
	Found found = { 0 };
	Oid user;
	int security;
	InvCall call;
	bool isnull;

	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	GetUserIdAndSecContext(&user, &security);
	SetUserIdAndSecContext(task->owner, security | SECURITY_LOCAL_USERID_CHANGE);
	set_path(task);
	inv_store_enter(&call, cstring_to_text(task->label), "worker");
	found.expired = inv_expire_overdue(call.store, BATCH_LINES);
	if (prune && inv_request_retention > 0)
		inv_prune(call.store, TimestampTzPlusMilliseconds(call.store->now,
														  (int64) inv_request_retention * -1000));
	inv_execute(call.store, INV_NEXT_EXPIRY, NULL, NULL, INV_TRANSACTION);
	(void) inv_result(0, 1, &isnull);
	found.holds = !isnull;
	inv_store_leave(&call);
	PopActiveSnapshot();
	CommitTransactionCommand();
	SetUserIdAndSecContext(user, security);
	return found;
}

/* Work on a store until nothing is overdue; an error is logged, and it rests. */
static bool
serve(Task *task, bool prune)
{
	volatile bool holds = true;
	MemoryContext context = CurrentMemoryContext;

	if (task->rest > 0)
	{
		task->rest--;
		return true;
	}
	PG_TRY();
	{
		Found found = work_on(task, prune);

		while (found.expired == BATCH_LINES)
		{
			CHECK_FOR_INTERRUPTS();
			found = work_on(task, false);
		}
		holds = found.holds;
		task->errors = 0;
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		HOLD_INTERRUPTS();
		EmitErrorReport();
		AbortCurrentTransaction();
		FlushErrorState();
		RESUME_INTERRUPTS();
		task->errors++;
		task->rest = Min(1 << Min(task->errors, 10), LONGEST_BACKOFF);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	return holds;
}

/* One round over all stores; false when the worker should leave. */
static bool
work_round(List **tasks, MemoryContext *context, bool prune, bool *holds)
{
	MemoryContext next =
		AllocSetContextCreate(TopMemoryContext, "inventory worker", ALLOCSET_SMALL_SIZES);
	List *old = *tasks;
	ListCell *cell;

	StartTransactionCommand();
	if (unwanted())
	{
		CommitTransactionCommand();
		return false;
	}
	pgstat_report_activity(STATE_RUNNING, "giving back overdue reservations");
	PushActiveSnapshot(GetTransactionSnapshot());
	*tasks = read_tasks(old, next);
	PopActiveSnapshot();
	CommitTransactionCommand();
	if (*context)
		MemoryContextDelete(*context);
	*context = next;
	MemoryContextSwitchTo(next);

	*holds = false;
	foreach (cell, *tasks)
		if (serve(lfirst(cell), prune))
			*holds = true;
	LWLockAcquire(inv_shared->lock, LW_EXCLUSIVE);
	{
		InvWorkerSlot *slot = slot_of(MyDatabaseId, false);

		if (slot)
			slot->last_run = GetCurrentTimestamp();
	}
	LWLockRelease(inv_shared->lock);
	pgstat_report_stat(false);
	pgstat_report_activity(STATE_IDLE, NULL);
	return *tasks != NIL;
}

/* Say that this process has the slot; false if another has it. */
static bool
take_slot(Oid database)
{
	InvWorkerSlot *slot;
	bool mine;

	LWLockAcquire(inv_shared->lock, LW_EXCLUSIVE);
	slot = slot_of(database, true);
	mine = slot && (slot->database == InvalidOid || slot->pid == 0);
	if (mine)
	{
		slot->database = database;
		slot->pid = MyProcPid;
	}
	LWLockRelease(inv_shared->lock);
	return mine;
}

void
inventory_worker_main(Datum database)
{
	List *tasks = NIL;
	MemoryContext context = NULL;
	int idle = 0;

	pqsignal(SIGTERM, die);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	BackgroundWorkerUnblockSignals();
	if (inv_shared == NULL || !take_slot(DatumGetObjectId(database)))
		proc_exit(0);
	before_shmem_exit(at_exit, database);
	BackgroundWorkerInitializeConnectionByOid(DatumGetObjectId(database), InvalidOid, 0);

	for (int round = 0;; round++)
	{
		bool holds;

		CHECK_FOR_INTERRUPTS();
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
		}
		if (!work_round(&tasks, &context, round % PRUNE_ROUNDS == 0, &holds))
			break;
		idle = holds ? 0 : idle + 1;
		if (idle >= IDLE_ROUNDS)
			break;
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, ROUND_MS,
						 PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
	}
	proc_exit(0);
}

PG_FUNCTION_INFO_V1(inventory_worker_last_run);

/* worker_last_run(): when this database's worker last went round; null if none runs. */
Datum
inventory_worker_last_run(PG_FUNCTION_ARGS)
{
	TimestampTz last_run = 0;
	InvWorkerSlot *slot;

	if (inv_shared == NULL)
		PG_RETURN_NULL();
	LWLockAcquire(inv_shared->lock, LW_SHARED);
	slot = slot_of(MyDatabaseId, false);
	if (slot)
		last_run = slot->last_run;
	LWLockRelease(inv_shared->lock);
	if (last_run == 0)
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(last_run);
}
