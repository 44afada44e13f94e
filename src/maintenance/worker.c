/*
 * worker.c
 *		The background worker of a database: its rounds over all stores.
 *
 * A database has at most one worker (shmem/worker_slot.c), started by the first
 * session that makes work for it or, where the library is preloaded, when the server
 * starts (launcher.c).  Nothing is wrong while there is none: a session that finds too
 * little gives back the overdue holds of the item itself, and only the stock column of
 * hot items lags.
 *
 * Each round reads the list of stores and serves one after the other
 * (store_task.c).  The stores of one owner together get inventory.worker_timeout in a round,
 * however many they are; those that are left out come first in the next round, which
 * then follows at once.  The worker holds no lock between transactions.  It leaves when its
 * turn is over and other databases have work, when there has been nothing to do for a
 * while, when no store is left, when it keeps too much memory (another one then goes on behind
 * the last store), and when another
 * session needs the database without other sessions in it: in every round it asks
 * for the lock that a session takes to enter the database, and leaves if that is not
 * granted at once.  Then another worker waits outside until the database can be entered.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "base/clock.h"
#include "base/compat.h"
#include "base/guc.h"
#include "shmem/shmem.h"
#include "shmem/store_rest.h"
#include "shmem/worker_slot.h"
#include "store/catalog.h"
#include "maintenance/launcher.h"
#include "maintenance/store_task.h"
#include "maintenance/worker_timeout.h"

#define HOT_ROUND_MS 250 /* from one round to the next while items are hot, or may become hot */
#define IDLE_ROUNDS 30	 /* rounds with nothing to wait for before the worker leaves */
#define PRUNE_ROUND_MS 600000 /* from one pruning to the next */
#define PRUNE_REST_MS                                                                              \
	6000 /* the same, if stores behind those of this worker have not been pruned */
#define MOST_MEMORY ((Size) 256 * 1024 * 1024) /* that a worker keeps */
#define LARGE_STORE (MOST_MEMORY / 4)		   /* the owner of a store that needs more rests */
#define MEMORY_CHECK_US 50000				   /* from one look at the memory to the next */

PGDLLEXPORT void inventory_worker_main(Datum database);

/* What the worker keeps from one round to the next. */
typedef struct WorkerState
{
	List *tasks; /* of InvStoreTask, all of it in the context */
	MemoryContext context;
	int idle_rounds; /* in a row */
	Size memory;	 /* when it was looked at last */
	int64 memory_seen_at;
} WorkerState;

/* ---- the beginning of a round: the stores ---- */

/* A task of the last round, by its store. */
typedef struct KnownTask
{
	Oid items; /* hash key */
	const InvStoreTask *task;
} KnownTask;

/* A hash, because any role can make as many stores as it can make tables. */
static HTAB *
make_known_tasks(List *tasks)
{
	HASHCTL control = { 0 };
	HTAB *known;
	ListCell *cell;

	control.keysize = sizeof(Oid);
	control.entrysize = sizeof(KnownTask);
	control.hcxt = CurrentMemoryContext;
	known = hash_create("inventory tasks", Max(list_length(tasks), 1), &control,
						HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	foreach (cell, tasks)
	{
		const InvStoreTask *task = lfirst(cell);

		((KnownTask *) hash_search(known, &task->items, HASH_ENTER, NULL))->task = task;
	}
	return known;
}

/* A task for a store, which continues where the one of the last round for it is. */
static InvStoreTask *
make_task(char *store_name, Oid items, Oid owner, HTAB *known_tasks)
{
	InvStoreTask *task = palloc0(sizeof(InvStoreTask));
	const KnownTask *known = hash_search(known_tasks, &items, HASH_FIND, NULL);

	task->expiry = inv_first_overdue;
	if (known)
		*task = *known->task;
	task->store_name = store_name;
	task->items = items;
	task->owner = owner;
	return task;
}

/* The list of tasks, from the one behind that of a store on; as it is without such a store. */
static List *
start_behind(List *tasks, Oid items)
{
	int behind = 0;
	List *first;

	for (int i = 0; i < list_length(tasks); i++)
		if (((InvStoreTask *) list_nth(tasks, i))->items == items)
			behind = i + 1;
	first = list_copy_tail(tasks, behind);
	return list_concat(first, list_truncate(tasks, behind));
}

/*
 * The stores of the database, in a context, with what the old list knows of them; first those
 * that were left out of the last round, or those behind the one that ended the last worker.
 * Empty if the extension was dropped.
 */
static List *
read_tasks(List *old, MemoryContext context)
{
	MemoryContext outer = CurrentMemoryContext;
	InvWorkerSlot slot = { 0 };
	HTAB *known = make_known_tasks(old);
	List *left_out = NIL;
	List *tasks = NIL;
	ListCell *cell;

	Assert(IsTransactionState());
	(void) inv_worker_slot_read(&slot);
	foreach (cell, inv_catalog_list())
	{
		const InvCatalogRow *row = lfirst(cell);
		Oid owner = inv_catalog_table_owner(row->items);
		InvStoreTask *task;

		if (!OidIsValid(owner))
			continue;
		MemoryContextSwitchTo(context);
		task = make_task(pstrdup(row->store_name), row->items, owner, known);
		if (task->left_out)
			left_out = lappend(left_out, task);
		else
			tasks = lappend(tasks, task);
		MemoryContextSwitchTo(outer);
	}
	MemoryContextSwitchTo(context);
	tasks = list_concat(left_out, start_behind(tasks, slot.ended_by));
	MemoryContextSwitchTo(outer);
	return tasks;
}

/*
 * Begin a round: find out which stores there are.  False if the worker should leave,
 * because another session wants the database or there is no store.
 */
static bool
begin_round(WorkerState *state)
{
	MemoryContext context;

	Assert(!IsTransactionState());
	inv_worker_slot_begin_round();
	StartTransactionCommand();
	if (inv_is_database_wanted(MyDatabaseId))
	{
		CommitTransactionCommand();
		inv_worker_slot_hand_over(InvalidOid, true);
		return false;
	}
	pgstat_report_activity(STATE_RUNNING, "maintaining stores");
	context = AllocSetContextCreate(TopMemoryContext, "inventory worker", ALLOCSET_SMALL_SIZES);
	PushActiveSnapshot(GetTransactionSnapshot());
	state->tasks = read_tasks(state->tasks, context);
	PopActiveSnapshot();
	CommitTransactionCommand();
	/* since 18 the context of before the transaction is the current one again: the old one */
	MemoryContextSwitchTo(TopMemoryContext);
	if (state->context)
		MemoryContextDelete(state->context);
	state->context = context;
	return state->tasks != NIL;
}

/* ---- the rest of a round ---- */

/* How long the stores of an owner have been served in this round, in microseconds. */
typedef struct OwnerTime
{
	Oid owner; /* hash key */
	int64 used;
} OwnerTime;

static HTAB *
make_owner_times(MemoryContext context)
{
	HASHCTL control = { 0 };

	control.keysize = sizeof(Oid);
	control.entrysize = sizeof(OwnerTime);
	control.hcxt = context;
	return hash_create("inventory owners", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* Serve a store, or leave it out if the time of its owner is over. */
static void
serve_in_time(InvStoreTask *task, bool prune, HTAB *times, InvRoundResult *result)
{
	bool known;
	OwnerTime *time = hash_search(times, &task->owner, HASH_ENTER, &known);
	int64 begun_at = inv_clock_now();

	if (!known)
		time->used = 0;
	task->left_out = inv_worker_timeout > 0 && time->used >= inv_worker_timeout * INT64CONST(1000);
	if (task->left_out)
	{
		result->more_stores = result->has_work = true;
		result->more_to_prune = result->more_to_prune || prune;
		return;
	}
	inv_serve_store(task, prune, result);
	time->used += inv_clock_now() - begun_at;
}

/*
 * Does this worker keep too much memory, of the stores that it has served?  The server keeps
 * definitions of tables and compiled functions as long as the process runs, and their size is
 * up to the owners.  An owner of whose store nearly all of it is rests.
 */
static bool
is_too_large(WorkerState *state, const InvStoreTask *task)
{
	Size before = state->memory;

	if (inv_clock_now() - state->memory_seen_at < MEMORY_CHECK_US)
		return false;
	state->memory = MemoryContextMemAllocated(TopMemoryContext, true);
	state->memory_seen_at = inv_clock_now();
	if (state->memory <= MOST_MEMORY)
		return false;
	if (state->memory > before + LARGE_STORE)
		inv_owner_rest_begin(task->owner);
	elog(DEBUG1, "inventory worker ends with %zu bytes of memory after store \"%s\"", state->memory,
		 task->store_name);
	return true;
}

/*
 * Serve the stores; returns the last one if this worker has to end after it, because it keeps
 * too much memory, and InvalidOid otherwise.
 */
static Oid
serve_all_stores(WorkerState *state, bool prune, InvRoundResult *result)
{
	HTAB *times = make_owner_times(state->context);
	Oid ended_by = InvalidOid;
	ListCell *cell;

	MemoryContextSwitchTo(state->context);
	foreach (cell, state->tasks)
	{
		InvStoreTask *task = lfirst(cell);

		serve_in_time(task, prune, times, result);
		if (!is_too_large(state, task))
			continue;
		ended_by = task->items;
		break;
	}
	inv_worker_slot_ran();
	pgstat_report_stat(false);
	pgstat_report_activity(STATE_IDLE, NULL);
	return ended_by;
}

/* Has there been nothing to wait for in a while, and no session that asked for the worker? */
static bool
should_leave(WorkerState *state, const InvRoundResult *result)
{
	if (result->has_work)
		state->idle_rounds = 0;
	else
		state->idle_rounds++;
	if (state->idle_rounds < IDLE_ROUNDS)
		return false;
	state->idle_rounds = 0;
	return inv_worker_slot_may_leave();
}

/* Has the round left something to do? */
static bool
has_more(const InvRoundResult *result)
{
	return result->more_overdue || result->more_to_prune || result->more_stores;
}

/* Is the turn of this worker over?  Otherwise there may be places for other workers. */
static bool
is_turn_over(const InvRoundResult *result)
{
	long work_in_ms = result->has_work ? result->work_in_ms : -1;

	if (has_more(result))
		work_in_ms = 0;
	if (result->more_to_prune)
		inv_worker_slot_set_next_prune(0);
	if (inv_worker_slot_yield(work_in_ms))
		return true;
	inv_worker_slot_start_waiting();
	return false;
}

/* Is it time to prune?  Notes when it is next. */
static bool
begin_pruning(bool now)
{
	InvWorkerSlot slot = { 0 };

	(void) inv_worker_slot_read(&slot);
	if (!now && inv_clock_until(slot.next_prune) > 0)
		return false;
	inv_worker_slot_set_next_prune(inv_clock_after(PRUNE_ROUND_MS));
	return true;
}

/* Sleep until the next round is due; not at all if this one has left something to do. */
static void
wait_for_next_round(const InvRoundResult *result)
{
	static uint32 wait_event = 0;
	long timeout = result->has_hot ? Min(HOT_ROUND_MS, inv_settle_interval) : INV_ROUND_MS;

	if (!has_more(result))
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, timeout,
						 inv_wait_event(&wait_event, "InventoryWorker"));
	ResetLatch(MyLatch);
}

/* Read the configuration again if the server was told to; true if it was. */
static bool
reload_configuration(void)
{
	if (!ConfigReloadPending)
		return false;
	ConfigReloadPending = false;
	ProcessConfigFile(PGC_SIGHUP);
	return true;
}

/*
 * End this worker, which keeps too much memory, when the next round is due: another one goes
 * on behind a store.
 */
static void
end_behind(Oid items, bool prune, const InvRoundResult *result)
{
	if (prune)
		inv_worker_slot_set_next_prune(inv_clock_after(PRUNE_REST_MS));
	wait_for_next_round(result);
	inv_worker_slot_hand_over(items, false);
}

/* ---- the worker ---- */

/* If a store could not be stopped and its worker has to end, another worker goes on. */
static void
worker_at_exit(int code pg_attribute_unused(), Datum arg pg_attribute_unused())
{
	inv_served_store_ends_worker();
}

/*
 * The owner of a database can set these for it.  A deferrable transaction would wait for those
 * of others before any store is served, and so without a limit, and a server has few workers
 * for all databases.  That the worker may take longer than sessions is what its own timeout is for.
 */
static void
override_settings(void)
{
	static const char timeout[] = "transaction_timeout"; /* since 17 */

	SetConfigOption("role", "none", PGC_SUSET, PGC_S_OVERRIDE);
	SetSessionAuthorization(GetAuthenticatedUserId(), true);
	SetConfigOption("default_transaction_isolation", "read committed", PGC_SUSET, PGC_S_OVERRIDE);
	SetConfigOption("default_transaction_deferrable", "off", PGC_SUSET, PGC_S_OVERRIDE);
	if (GetConfigOption(timeout, true, false))
		SetConfigOption(timeout, "0", PGC_SUSET, PGC_S_OVERRIDE);
}

/* Become the worker of a database; exit if it has one. */
static void
start_as_worker_of(Oid database)
{
	bool kept_out;

	Assert(MyBgworkerEntry != NULL);
	pqsignal(SIGTERM, die);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	BackgroundWorkerUnblockSignals();
	inv_shmem_open();
	if (inv_shmem == NULL || !inv_worker_slot_take(database, &kept_out))
		proc_exit(0);
	if (kept_out)
	{
		inv_wait_for_database(database);
		proc_exit(0);
	}
	before_shmem_exit(worker_at_exit, (Datum) 0);
	BackgroundWorkerInitializeConnectionByOid(database, InvalidOid, 0);
	override_settings();
	inv_worker_timeout_init();
}

void
inventory_worker_main(Datum database)
{
	WorkerState state = { 0 };
	InvRoundResult result = { 0 };

	start_as_worker_of(DatumGetObjectId(database));
	for (;;)
	{
		bool prune;
		Oid ended_by;

		CHECK_FOR_INTERRUPTS();
		/* with another configuration perhaps pruning was switched on */
		prune = begin_pruning(reload_configuration());
		if (!begin_round(&state))
			break;
		memset(&result, 0, sizeof(result));
		ended_by = serve_all_stores(&state, prune, &result);
		if (OidIsValid(ended_by))
		{
			end_behind(ended_by, prune, &result);
			break;
		}
		if (should_leave(&state, &result) || is_turn_over(&result))
			break;
		wait_for_next_round(&result);
	}
	proc_exit(0);
}
