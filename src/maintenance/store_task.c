/*
 * store_task.c
 *		What the worker does for one store in a round: expire, prune, settle, heat, cool.
 *
 * Each of these is a transaction of its own.  The worker acts as the owner of the
 * store from the start of the transaction until after its commit, because a deferred
 * trigger of the shop runs at commit.  What the shop's code leaves in the session is
 * removed before the next store (session_reset.c).
 *
 * A row or table that another session keeps locked delays the other stores by about
 * MOST_LOCK_WAIT_MS in each of the transactions, and all that a store does by at most
 * inventory.worker_timeout (worker_timeout.c).  The worker stops waiting before that session looks
 * for a deadlock: a DROP of several tables is not to fail because the worker has locked one.
 * An error ends the work on its store only, which then rests.
 *
 * Expects no transaction and no lock, and leaves none.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/guc.h"
#include "base/settings.h"
#include "base/stats.h"
#include "base/store_error.h"
#include "shmem/store_rest.h"
#include "shmem/worker_slot.h"
#include "store/binding.h"
#include "store/enter.h"
#include "store/query.h"
#include "store/query_text.h"
#include "stock/expiry.h"
#include "stock/hot_item.h"
#include "maintenance/cool.h"
#include "maintenance/heat.h"
#include "maintenance/housekeeping.h"
#include "maintenance/session_reset.h"
#include "maintenance/settle.h"
#include "maintenance/store_task.h"
#include "maintenance/worker_timeout.h"

#define EXPIRE_LINES 100 /* overdue lines given back per transaction; buyers wait for their items */
#define PRUNE_ROWS 1000	 /* rows pruned per transaction */
#define SETTLE_ITEMS 100 /* hot items settled per transaction */
#define UNCOUNTED_ROUNDS 20 /* from one count of overdue lines to the next, while there are many */
#define MOST_LOCK_WAIT_MS 2000
#define REFUSED_REST_MS 10000	 /* after overdue lines whose items do not take their units back */
#define LONGEST_ABSENCE_MS 60000 /* holds are looked at so often, because clocks can be set */

static const InvStoreTask *served = NULL; /* the store whose work is being done */

/* The work of one transaction on an entered store. */
typedef void (*StoreWork)(InvStore *store, InvStoreTask *task, InvRoundResult *result);

/* Note that there will be work in so many milliseconds, but not before the next round. */
static void
note_next_work(InvRoundResult *result, long work_in_ms)
{
	work_in_ms = Min(Max(work_in_ms, INV_ROUND_MS), LONGEST_ABSENCE_MS);
	if (!result->has_work || work_in_ms < result->work_in_ms)
		result->work_in_ms = work_in_ms;
	result->has_work = true;
}

/* ---- the transactions of a round ---- */

/*
 * Tell the statistics how many lines are overdue: those that other transactions have
 * locked, or that the next transactions of the round give back.
 */
static void
report_overdue(InvStore *store, TimestampTz next_expiry)
{
	Datum now = TimestampTzGetDatum(store->now);
	int64 lines = 0;

	if (next_expiry <= store->now)
	{
		inv_execute(store, INV_STMT_COUNT_OVERDUE, &now, NULL, INV_SNAPSHOT_LATEST);
		lines = inv_result_int64(0, 1);
	}
	inv_stats_set_overdue(store->items, lines);
}

static void
expire_holds(InvStore *store, InvStoreTask *task, InvRoundResult *result)
{
	int64 refused;
	int64 expired = inv_expire_overdue(store, EXPIRE_LINES, true, &task->expiry, &refused);
	bool more = expired + refused == EXPIRE_LINES;
	bool no_holds;
	TimestampTz next_expiry;

	task->expire_at = refused > 0 ? inv_clock_after(REFUSED_REST_MS) : 0;
	if (more)
		result->more_overdue = refused == 0;
	else
		task->expiry = inv_first_overdue;
	inv_execute(store, INV_STMT_NEXT_EXPIRY, NULL, NULL, INV_SNAPSHOT_TRANSACTION);
	next_expiry = DatumGetTimestampTz(inv_result(0, 1, &no_holds));
	if (no_holds)
		next_expiry = DT_NOEND;
	/* decided reservations do not expire */
	if (!TIMESTAMP_IS_NOEND(next_expiry))
		note_next_work(result, TimestampDifferenceMilliseconds(store->now, next_expiry));
	/* counting takes long while many lines are overdue: then not after each of the transactions */
	if (!more || task->uncounted == 0)
		report_overdue(store, next_expiry);
	task->uncounted = more ? (task->uncounted + 1) % UNCOUNTED_ROUNDS : 0;
}

static void
prune_ledger(InvStore *store, InvStoreTask *task pg_attribute_unused(), InvRoundResult *result)
{
	TimestampTz before =
		TimestampTzPlusMilliseconds(store->now, (int64) inv_request_retention * -1000);

	if (inv_prune(store, before, PRUNE_ROWS) >= PRUNE_ROWS)
		result->more_to_prune = true;
}

static void
settle_hot_items(InvStore *store, InvStoreTask *task, InvRoundResult *result pg_attribute_unused())
{
	task->settled_at = inv_clock_now();
	if (inv_settle_items(store, SETTLE_ITEMS, false) == SETTLE_ITEMS)
		task->settled_at = 0;
	task->has_hot = !inv_hot_known_none(store);
}

static void
heat_and_cool(InvStore *store, InvStoreTask *task pg_attribute_unused(),
			  InvRoundResult *result pg_attribute_unused())
{
	if (inv_hot_mode == INV_HOT_MODE_AUTO && inv_hot_table_usable())
		inv_heat_contended(store);
	inv_cool_idle(store);
}

/* ---- running them ---- */

/* How long the worker waits for a lock: half the time after which others look for a deadlock. */
static char *
lock_timeout(void)
{
	return psprintf("%d", Max(1, Min(MOST_LOCK_WAIT_MS, DeadlockTimeout / 2)));
}

/* Settings of a transaction on a store whose items are in this schema. */
static void
set_for_transaction(const char *schema)
{
	/* for deferred triggers of the shop, which run after the store was left */
	inv_set_setting("search_path", psprintf("pg_catalog, %s, pg_temp", quote_identifier(schema)),
					GUC_ACTION_LOCAL);
	inv_set_setting("lock_timeout", lock_timeout(), GUC_ACTION_LOCAL);
	/* a crash undoes only what is done again; buyers must not wait here for disk or standby */
	inv_set_setting("synchronous_commit", "off", GUC_ACTION_LOCAL);
}

/* Do one transaction's work as the owner of a store; nothing if its table was dropped. */
static void
run_as_owner(InvStoreTask *task, StoreWork work, InvRoundResult *result)
{
	char *schema;
	Oid user;
	int security;

	Assert(!IsTransactionState() && OidIsValid(task->owner));
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	GetUserIdAndSecContext(&user, &security);
	SetUserIdAndSecContext(task->owner, security | SECURITY_LOCAL_USERID_CHANGE);
	schema = get_namespace_name(get_rel_namespace(task->items));
	if (schema)
	{
		InvCall call;

		set_for_transaction(schema);
		inv_store_enter(&call, cstring_to_text(task->store_name), "worker");
		work(call.store, task, result);
		inv_store_leave(&call);
	}
	PopActiveSnapshot();
	CommitTransactionCommand();
	SetUserIdAndSecContext(user, security);
}

/*
 * All that a store needs in a round.  Each transaction locks rows of items in key
 * order (invariant 10).
 */
static void
run_store_tasks(InvStoreTask *task, bool prune, InvRoundResult *result)
{
	/* first, since items that refuse are left out; and cooling then has little to add */
	if (task->settled_at == 0 ||
		inv_clock_now() - task->settled_at >= inv_settle_interval * INT64CONST(1000))
		run_as_owner(task, settle_hot_items, result);
	if (inv_clock_until(task->expire_at) == 0)
		run_as_owner(task, expire_holds, result);
	else
		note_next_work(result, REFUSED_REST_MS);
	if (prune && inv_request_retention > 0)
		run_as_owner(task, prune_ledger, result);
	if (inv_hot_mode != INV_HOT_MODE_MANUAL)
		run_as_owner(task, heat_and_cool, result);
	if (task->has_hot || inv_hot_mode == INV_HOT_MODE_AUTO)
	{
		result->has_hot = true;
		note_next_work(result, inv_settle_interval);
	}
}

/* Log the error that is being handled, and end its transaction. */
static void
handle_store_error(void)
{
	HOLD_INTERRUPTS();
	EmitErrorReport();
	AbortCurrentTransaction();
	FlushErrorState();
	RESUME_INTERRUPTS();
}

/* Do all that a store needs; false if that ended in an error. */
static bool
try_store_tasks(InvStoreTask *task, bool prune, InvRoundResult *result)
{
	MemoryContext context = CurrentMemoryContext;
	volatile bool done = false;

	PG_TRY();
	{
		run_store_tasks(task, prune, result);
		done = true;
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		handle_store_error();
	}
	PG_END_TRY();
	Assert(!IsTransactionState());
	MemoryContextSwitchTo(context);
	return done;
}

/*
 * Note that the time of the store that is served is over: at the end of its work, or while
 * the worker is being ended because the store could not be stopped.  False if it is not.
 */
static bool
served_store_timed_out(void)
{
	const InvStoreTask *task = served;

	served = NULL;
	if (!inv_worker_timeout_end() || task == NULL)
		return false;
	inv_log_worker_timeout(task->store_name, inv_worker_timeout);
	inv_stats_add(task->items, "worker_timeout", INV_STATS_CALLS, 1);
	inv_store_rest_note_error(task->items);
	return true;
}

/* The store ends this worker, for which another goes on at once; its owner has to rest. */
static void
note_worker_ended_by(const InvStoreTask *task)
{
	inv_owner_rest_begin(task->owner);
	inv_worker_slot_hand_over(task->items, false);
}

/* While the worker is being ended: note if the store that is served is why. */
void
inv_served_store_ends_worker(void)
{
	const InvStoreTask *task = served;

	if (served_store_timed_out())
		note_worker_ended_by(task);
}

/*
 * Remove what the store has left in the session.  If that cannot be done, this worker has
 * to end, which may take until a lock is free; so another worker goes on at once.
 */
static void
clean_session_after(InvStoreTask *task)
{
	PG_TRY();
	{
		inv_session_reset();
	}
	PG_CATCH();
	{
		if (!served_store_timed_out())
			inv_store_rest_note_error(task->items);
		note_worker_ended_by(task);
		inv_worker_slot_start_waiting();
		PG_RE_THROW();
	}
	PG_END_TRY();
}

/*
 * Do a round's work on a store, and note in *result what was found.  After an error
 * the store rests for a while; the worker must not leave before it has tried again.
 */
void
inv_serve_store(InvStoreTask *task, bool prune, InvRoundResult *result)
{
	bool had_errors, done;

	if (inv_store_rests(task->items, &had_errors) || inv_owner_rests(task->owner))
	{
		note_next_work(result, INV_ROUND_MS);
		return;
	}
	served = task;
	inv_worker_timeout_begin(inv_worker_timeout);
	done = try_store_tasks(task, prune, result);
	clean_session_after(task);
	if (served_store_timed_out())
		done = false;
	else if (!done)
		inv_store_rest_note_error(task->items);
	else if (had_errors)
		inv_store_rest_note_success(task->items);
	if (!done)
		note_next_work(result, INV_ROUND_MS);
}
