/*
 * store_task.c
 *		What the worker does for one store in a round: expire, prune, settle, heat, cool.
 *
 * Each of these is a transaction of its own.  The worker acts as the owner of the
 * store from the start of the transaction until after its commit, because a deferred
 * trigger of the shop runs at commit.  Settings that a trigger makes for its session
 * are reset before the next store.  A row that another session keeps locked delays
 * the other stores by at most LOCK_TIMEOUT, and an error ends the work on its store
 * only.
 *
 * Expects no transaction and no lock, and leaves none.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

#include "base/guc.h"
#include "store/binding.h"
#include "store/enter.h"
#include "store/query.h"
#include "store/query_text.h"
#include "stock/expiry.h"
#include "stock/hot_item.h"
#include "maintenance/heat.h"
#include "maintenance/housekeeping.h"
#include "maintenance/store_task.h"

#define EXPIRE_LINES 100 /* overdue lines given back per transaction; buyers wait for their items */
#define PRUNE_ROWS 1000	 /* rows pruned per transaction */
#define SETTLE_ITEMS 100 /* hot items settled per transaction */
#define LONGEST_BACKOFF 300 /* rounds in which a store that had errors is left alone, at most */
#define LOCK_TIMEOUT "5s"

/* The work of one transaction on an entered store. */
typedef void (*StoreWork)(InvStore *store, InvStoreTask *task, InvRoundResult *result);

/* ---- the transactions of a round ---- */

static void
expire_holds(InvStore *store, InvStoreTask *task, InvRoundResult *result)
{
	bool no_holds;

	if (inv_expire_overdue(store, EXPIRE_LINES, &task->expiry) == EXPIRE_LINES)
		result->more_overdue = true;
	else
		task->expiry = DT_NOBEGIN;
	inv_execute(store, INV_STMT_NEXT_EXPIRY, NULL, NULL, INV_SNAPSHOT_TRANSACTION);
	(void) inv_result(0, 1, &no_holds);
	if (!no_holds)
		result->has_holds = true;
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
	task->settled_at = store->now;
	if (inv_settle_items(store, SETTLE_ITEMS) == SETTLE_ITEMS)
		task->settled_at = 0;
	task->has_hot = !inv_hot_known_none(store);
}

static void
heat_and_cool(InvStore *store, InvStoreTask *task pg_attribute_unused(),
			  InvRoundResult *result pg_attribute_unused())
{
	if (inv_hot_mode == INV_HOT_MODE_AUTO && inv_hot_store(store))
		inv_heat_contended(store);
	inv_cool_idle(store);
}

/* ---- running them ---- */

static void
set_local(const char *setting, const char *value)
{
	(void) set_config_option(setting, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0,
							 false);
}

/* Settings of a transaction on a store whose items are in this schema. */
static void
set_for_transaction(const char *schema)
{
	/* for deferred triggers of the shop, which run after the store was left */
	set_local("search_path", psprintf("pg_catalog, %s, pg_temp", quote_identifier(schema)));
	set_local("lock_timeout", LOCK_TIMEOUT);
	/* a crash undoes only what is done again; buyers must not wait here for disk or standby */
	set_local("synchronous_commit", "off");
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
	run_as_owner(task, expire_holds, result);
	if (prune && inv_request_retention > 0)
		run_as_owner(task, prune_ledger, result);
	/* before cooling, which then has little to add under its locks */
	if (TimestampDifferenceExceeds(task->settled_at, GetCurrentTimestamp(), inv_settle_interval))
		run_as_owner(task, settle_hot_items, result);
	if (inv_hot_mode != INV_HOT_MODE_MANUAL)
		run_as_owner(task, heat_and_cool, result);
	if (task->has_hot || inv_hot_mode == INV_HOT_MODE_AUTO)
		result->has_hot = true;
}

/* Log the error that is being handled, end its transaction, and let the store rest. */
static void
handle_store_error(InvStoreTask *task)
{
	HOLD_INTERRUPTS();
	EmitErrorReport();
	AbortCurrentTransaction();
	FlushErrorState();
	RESUME_INTERRUPTS();
	task->errors++;
	task->rounds_to_rest = Min(1 << Min(task->errors, 10), LONGEST_BACKOFF);
}

/*
 * Do a round's work on a store, and note in *result what was found.  After an error
 * the store rests for a while, which counts as having holds: the worker must not
 * leave before it has tried again.
 */
void
inv_serve_store(InvStoreTask *task, bool prune, InvRoundResult *result)
{
	MemoryContext context = CurrentMemoryContext;

	if (task->rounds_to_rest > 0)
	{
		task->rounds_to_rest--;
		result->has_holds = true;
		return;
	}
	PG_TRY();
	{
		run_store_tasks(task, prune, result);
		task->errors = 0;
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		handle_store_error(task);
		result->has_holds = true;
	}
	PG_END_TRY();
	Assert(!IsTransactionState());
	MemoryContextSwitchTo(context);
	/* what a trigger of this shop set for its session is not for the next store */
	ResetAllOptions();
}
