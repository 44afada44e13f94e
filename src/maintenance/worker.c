/*
 * worker.c
 *		The background loop: gives back what is overdue, prunes, settles, heats, cools.
 *
 * One worker per database, started by the first session that makes work for it,
 * where there is shared memory.  Nothing is wrong while it is absent: it only
 * makes prompt what buyers do when they are short.  It acts as the owner of each
 * store from the start of a transaction until after its commit, because a
 * deferred trigger of the shop's runs at commit.  What such a trigger sets for
 * its session is forgotten before the next store has its turn, and a row that
 * somebody keeps locked holds up no other store for long.
 *
 * A session asks for the worker when what it held is committed, so that a worker
 * which finds nothing to do has not looked too early; and it leaves its wish in
 * the slot, so that none leaves at that moment.
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

#include "base/guc.h"
#include "shmem/shmem.h"
#include "shmem/worker_slot.h"
#include "store/binding.h"
#include "store/enter.h"
#include "store/query.h"
#include "store/query_text.h"
#include "stock/expiry.h"
#include "stock/hot_item.h"
#include "maintenance/heat.h"
#include "maintenance/housekeeping.h"

#define ROUND_MS 1000		/* how often it looks */
#define EXPIRE_LINES 100	/* overdue lines per transaction, whose items buyers wait for */
#define PRUNE_ROWS 1000		/* rows pruned per transaction */
#define SETTLE_ITEMS 100	/* hot items settled per transaction */
#define HEAT_MS 250			/* how often it looks while items are hot, or may become so */
#define IDLE_ROUNDS 30		/* rounds without open holds before it leaves */
#define PRUNE_ROUNDS 600	/* rounds between two prunings */
#define LONGEST_BACKOFF 300 /* rounds that a store with errors is left alone */
#define LOCK_TIMEOUT "5s"	/* for a row that somebody keeps locked */

PGDLLEXPORT void inventory_worker_main(Datum database);

/* A store as the worker knows it between its transactions. */
typedef struct StoreTask
{
	char *store_name;
	Oid items;
	Oid owner;
	int errors;			 /* in a row */
	int rest;			 /* rounds to leave it alone */
	TimestampTz from;	 /* where to go on with what is overdue */
	TimestampTz settled; /* when its hot items were */
	bool hot;			 /* there were some */
} StoreTask;

/* Does somebody want the database for himself? */
static bool
database_is_wanted(void)
{
	LOCKTAG tag;
	bool granted;

	SET_LOCKTAG_OBJECT(tag, InvalidOid, DatabaseRelationId, MyDatabaseId, 0);
	granted = LockAcquire(&tag, RowExclusiveLock, false, true) != LOCKACQUIRE_NOT_AVAIL;
	if (granted)
		LockRelease(&tag, RowExclusiveLock, false);
	return !granted;
}

/* The stores of the database, with what the old list knows of them. */
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
		StoreTask *task = palloc0(sizeof(StoreTask));
		HeapTuple class;
		ListCell *cell;
		bool isnull;

		task->store_name =
			TextDatumGetCString(heap_getattr(tuple, 1, RelationGetDescr(rel), &isnull));
		task->items = DatumGetObjectId(heap_getattr(tuple, 2, RelationGetDescr(rel), &isnull));
		task->from = DT_NOBEGIN;
		foreach (cell, old)
		{
			StoreTask *known = lfirst(cell);

			if (known->items == task->items)
			{
				task->errors = known->errors;
				task->rest = known->rest;
				task->from = known->from;
				task->settled = known->settled;
				task->hot = known->hot;
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

static void
set_local(const char *setting, const char *value)
{
	(void) set_config_option(setting, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0,
							 false);
}

/* What a round found. */
typedef struct RoundResult
{
	bool holds;	  /* there are open ones */
	bool overdue; /* there may be more to give back than one transaction does */
	bool old;	  /* and more to prune */
	bool hot;	  /* items are hot, or may become so */
} RoundResult;

/* A transaction's work on a store that is entered. */
typedef void (*StoreWork)(InvStore *store, StoreTask *task, RoundResult *result);

/* One transaction as the owner of a store, if it is still there, under its own path. */
static void
in_transaction(StoreTask *task, StoreWork work, RoundResult *result)
{
	char *schema;
	Oid user;
	int security;

	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	GetUserIdAndSecContext(&user, &security);
	SetUserIdAndSecContext(task->owner, security | SECURITY_LOCAL_USERID_CHANGE);
	schema = get_namespace_name(get_rel_namespace(task->items));
	if (schema)
	{
		InvCall call;

		/* that which the shop's triggers have */
		set_local("search_path", psprintf("pg_catalog, %s, pg_temp", quote_identifier(schema)));
		set_local("lock_timeout", LOCK_TIMEOUT);
		/* what a crash undoes is done again, and no buyer has to wait for the disk or a standby */
		set_local("synchronous_commit", "off");
		inv_store_enter(&call, cstring_to_text(task->store_name), "worker");
		work(call.store, task, result);
		inv_store_leave(&call);
	}
	PopActiveSnapshot();
	CommitTransactionCommand();
	SetUserIdAndSecContext(user, security);
}

static void
run_expiry(InvStore *store, StoreTask *task, RoundResult *result)
{
	bool isnull;

	if (inv_expire_overdue(store, EXPIRE_LINES, &task->from) == EXPIRE_LINES)
		result->overdue = true;
	else
		task->from = DT_NOBEGIN;
	inv_execute(store, INV_STMT_NEXT_EXPIRY, NULL, NULL, INV_SNAPSHOT_TRANSACTION);
	(void) inv_result(0, 1, &isnull);
	result->holds = result->holds || !isnull;
}

static void
run_prune(InvStore *store, StoreTask *task, RoundResult *result)
{
	TimestampTz before =
		TimestampTzPlusMilliseconds(store->now, (int64) inv_request_retention * -1000);

	if (inv_prune(store, before, PRUNE_ROWS) >= PRUNE_ROWS)
		result->old = true;
}

/* Settle first, so that what cools has little to be settled under its lock. */
static void
run_settle(InvStore *store, StoreTask *task, RoundResult *result)
{
	task->settled = store->now;
	if (inv_settle_some(store, SETTLE_ITEMS) == SETTLE_ITEMS)
		task->settled = 0;
	task->hot = !inv_hot_known_none(store);
}

static void
run_heat_or_cool(InvStore *store, StoreTask *task, RoundResult *result)
{
	if (inv_hot_mode == INV_HOT_MODE_AUTO && inv_hot_store(store))
		inv_heat_contended(store);
	if (inv_hot_mode != INV_HOT_MODE_MANUAL)
		inv_cool_idle(store);
}

/* Everything that a store needs in a round; rows are locked in key order within each part. */
static void
work_on_store(StoreTask *task, bool prune, RoundResult *result)
{
	in_transaction(task, run_expiry, result);
	if (prune && inv_request_retention > 0)
		in_transaction(task, run_prune, result);
	if (TimestampDifferenceExceeds(task->settled, GetCurrentTimestamp(), inv_settle_interval))
		in_transaction(task, run_settle, result);
	if (inv_hot_mode != INV_HOT_MODE_MANUAL)
		in_transaction(task, run_heat_or_cool, result);
	if (task->hot || inv_hot_mode == INV_HOT_MODE_AUTO)
		result->hot = true;
}

/* Work on a store; an error is logged, and it rests. */
static void
serve_store(StoreTask *task, bool prune, RoundResult *result)
{
	MemoryContext context = CurrentMemoryContext;

	if (task->rest > 0)
	{
		task->rest--;
		result->holds = true;
		return;
	}
	PG_TRY();
	{
		work_on_store(task, prune, result);
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
		result->holds = true;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	/* what a shop's trigger set for its session is not for the next store's */
	ResetAllOptions();
}

/* One round over all stores; false when the worker should leave. */
static bool
work_round(List **tasks, MemoryContext *context, bool prune, RoundResult *result)
{
	MemoryContext next =
		AllocSetContextCreate(TopMemoryContext, "inventory worker", ALLOCSET_SMALL_SIZES);
	List *old = *tasks;
	ListCell *cell;

	StartTransactionCommand();
	if (database_is_wanted())
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

	foreach (cell, *tasks)
		serve_store(lfirst(cell), prune, result);
	inv_worker_slot_ran();
	pgstat_report_stat(false);
	pgstat_report_activity(STATE_IDLE, NULL);
	return *tasks != NIL;
}

void
inventory_worker_main(Datum database)
{
	List *tasks = NIL;
	MemoryContext context = NULL;
	int idle = 0;
	bool old = false; /* the last round left some to prune */

	pqsignal(SIGTERM, die);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	BackgroundWorkerUnblockSignals();
	inv_shmem_open();
	if (inv_shmem == NULL || !inv_worker_slot_take(DatumGetObjectId(database)))
		proc_exit(0);
	BackgroundWorkerInitializeConnectionByOid(DatumGetObjectId(database), InvalidOid, 0);

	for (int round = 0;; round++)
	{
		bool prune = old || round % PRUNE_ROUNDS == 0;
		RoundResult result = { 0 };

		CHECK_FOR_INTERRUPTS();
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
			prune = true; /* perhaps it is pruning that was asked for */
		}
		if (!work_round(&tasks, &context, prune, &result))
			break;
		idle = result.holds || result.hot ? 0 : idle + 1;
		if (idle >= IDLE_ROUNDS)
		{
			if (inv_worker_slot_may_leave())
				break;
			idle = 0;
		}
		old = result.old;
		if (!result.overdue && !old)
			(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
							 result.hot ? Min(HEAT_MS, inv_settle_interval) : ROUND_MS,
							 PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
	}
	proc_exit(0);
}
