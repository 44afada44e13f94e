/*
 * prepared_wait.c
 *		A call does not wait indefinitely for a transaction that is prepared.
 *
 * A prepared transaction keeps its locks until COMMIT PREPARED or ROLLBACK PREPARED, which can
 * take days if its coordinator is lost.  While a call runs, a timer looks at what this process
 * waits for, wherever that is: a row, an index entry, a name.  If a prepared transaction has kept
 * it waiting for inventory.prepared_timeout, the wait is cancelled as a query is, and the error
 * is reported as busy (IV014).
 *
 * The timer's handler is called by a signal, so it takes no lock, and reads of other processes
 * only what is in one word.  What it finds can be a moment old: a call can then be cancelled
 * whose wait has just ended, which is safe, because it can be repeated.
 */
#include "postgres.h"

#include "access/twophase.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/error.h"
#include "base/guc.h"
#include "base/prepared_wait.h"

/* the timer looks so often in the time that is allowed, but not more often than each 5 ms */
#define LOOKS 8
#define SHORTEST_LOOK_MS 5

static TimeoutId timer;
static bool registered = false;

/* how long the call may wait */
static int timeout_ms = 0;

/* the level of the transaction at which the outermost bounded call began, or 0 */
static int bounded_level = 0;

/* What the timer saw when it last looked; written by its handler while it runs. */
static LOCKTAG awaited;
static TransactionId blocker = InvalidTransactionId;
static TimestampTz blocked_since;

/* the transaction for which a wait was cancelled, until that is reported */
static volatile TransactionId cancelled_for = InvalidTransactionId;

/* Has that been reported in the call that is bounded? */
static bool was_cancelled = false;

/* ---- prepared transactions ---- */

/* Is an entry that of a transaction that is prepared?  After its end it keeps the id. */
static bool
is_prepared(const PGPROC *entry)
{
	return TransactionIdIsValid(entry->xid) && ProcGlobal->xids[entry->pgxactoff] == entry->xid;
}

/* Is a transaction id that of the entry's transaction, or of a subtransaction of it? */
static bool
has_xid(const PGPROC *entry, TransactionId xid)
{
	if (entry->xid == xid)
		return true;
	for (int i = 0; i < entry->subxidStatus.count; i++)
		if (entry->subxids.xids[i] == xid)
			return true;
	/* it has more than are noted: one that began after it can be one of them */
	return entry->subxidStatus.overflowed && TransactionIdFollows(xid, entry->xid);
}

/*
 * The prepared transaction that a lock is waited for, or InvalidTransactionId.  The lock on a
 * transaction names it.  Another lock, such as a name or a place in the queue for a row, does
 * not: there it is the first transaction that was prepared in this database, and so the one that
 * was already seen, as long as it lasts.
 */
static TransactionId
find_blocker(const LOCKTAG *lock)
{
	TransactionId first = InvalidTransactionId;

	for (int i = 0; i < max_prepared_xacts; i++)
	{
		const PGPROC *entry = &PreparedXactProcs[i];

		if (!is_prepared(entry))
			continue;
		if (lock->locktag_type == LOCKTAG_TRANSACTION)
		{
			if (has_xid(entry, lock->locktag_field1))
				return entry->xid;
		}
		else if (entry->databaseId == MyDatabaseId &&
				 (!TransactionIdIsValid(first) || TransactionIdPrecedes(entry->xid, first)))
			first = entry->xid;
	}
	return first;
}

/* ---- the timer ---- */

/*
 * Timeout handler.  This process cannot lose the lock that it waits for while it looks: only it
 * can give up a lock that it has been granted.
 */
static void
look_at_wait(void)
{
	const LOCK *lock = MyProc->waitLock;
	TimestampTz now = GetCurrentTimestamp();
	TransactionId found;

	if (TransactionIdIsValid(cancelled_for))
		return;
	found = lock ? find_blocker(&lock->tag) : InvalidTransactionId;
	if (!TransactionIdIsValid(found) || found != blocker ||
		memcmp(&awaited, &lock->tag, sizeof(LOCKTAG)) != 0)
	{
		blocker = found;
		blocked_since = now;
		if (lock)
			awaited = lock->tag;
		return;
	}
	if (now - blocked_since < (int64) timeout_ms * 1000)
		return;
	cancelled_for = found;
	QueryCancelPending = true;
	InterruptPending = true;
}

static void
stop_timer(void)
{
	bounded_level = 0;
	disable_timeout(timer, false);
	if (TransactionIdIsValid(cancelled_for))
		QueryCancelPending = false;
	cancelled_for = InvalidTransactionId;
}

/* ---- the error ---- */

/*
 * The name of a prepared transaction, or null if it has ended, or if the caller may not see it.
 * Read by the function of the view pg_prepared_xacts, because the server has no other way.
 */
static char *
gid_of(TransactionId xid)
{
	ReturnSetInfo result = { .type = T_ReturnSetInfo,
							 .allowedModes = SFRM_ValuePerCall,
							 .returnMode = SFRM_ValuePerCall };
	Oid view = get_relname_relid("pg_prepared_xacts", PG_CATALOG_NAMESPACE);
	FmgrInfo function;
	char *gid = NULL;

	LOCAL_FCINFO(fcinfo, 0);
	if (pg_class_aclcheck(view, GetOuterUserId(), ACL_SELECT) != ACLCHECK_OK)
		return NULL;
	result.econtext = CreateStandaloneExprContext();
	fmgr_info(F_PG_PREPARED_XACT, &function);
	InitFunctionCallInfoData(*fcinfo, &function, 0, InvalidOid, NULL, (Node *) &result);
	for (;;)
	{
		Datum row = FunctionCallInvoke(fcinfo);
		HeapTupleHeader columns;
		bool isnull;

		if (result.isDone != ExprMultipleResult)
			break;
		columns = DatumGetHeapTupleHeader(row);
		if (DatumGetTransactionId(GetAttributeByNum(columns, 1, &isnull)) == xid)
			gid = TextDatumGetCString(GetAttributeByNum(columns, 2, &isnull));
	}
	FreeExprContext(result.econtext, true);
	return gid;
}

/*
 * Error context callback: the cancellation of a wait is reported as busy.  It was raised while
 * this process waited, and so where it may read catalogs.
 */
static void
report_cancelled(void *arg pg_attribute_unused())
{
	InvFacts *facts;
	char *gid;

	if (!TransactionIdIsValid(cancelled_for) || geterrcode() != ERRCODE_QUERY_CANCELED)
		return;
	gid = gid_of(cancelled_for);
	was_cancelled = true;
	cancelled_for = InvalidTransactionId;
	blocker = InvalidTransactionId;
	facts = inv_facts(InvalidOid, NULL);
	inv_fact_number(facts, "waited_ms", timeout_ms);
	if (gid)
		inv_fact_text(facts, "prepared_transaction", gid);
	inv_report_busy(facts, gid ? psprintf("The call has waited for a lock for %d ms, and the "
										  "transaction \"%s\" is prepared.",
										  timeout_ms, gid)
							   : psprintf("The call has waited for a lock for %d ms, and a "
										  "transaction is prepared.",
										  timeout_ms));
}

/* ---- calls ---- */

/* Bound the waits of a call that begins, unless those of a call around it are bounded. */
void
inv_prepared_wait_begin(InvPreparedWait *wait)
{
	int look;

	wait->on = inv_prepared_timeout > 0 && max_prepared_xacts > 0 && bounded_level == 0;
	if (!wait->on)
		return;
	if (!registered)
		timer = RegisterTimeout(USER_TIMEOUT, look_at_wait);
	registered = true;
	blocker = cancelled_for = InvalidTransactionId;
	was_cancelled = false;
	bounded_level = GetCurrentTransactionNestLevel();
	timeout_ms = inv_prepared_timeout;
	wait->context.callback = report_cancelled;
	wait->context.arg = NULL;
	wait->context.previous = error_context_stack;
	error_context_stack = &wait->context;
	look = Max(timeout_ms / LOOKS, SHORTEST_LOOK_MS);
	enable_timeout_every(timer, TimestampTzPlusMilliseconds(GetCurrentTimestamp(), look), look);
}

/* The call ends; if its wait was cancelled in its last moment, it does so with the error. */
void
inv_prepared_wait_end(InvPreparedWait *wait)
{
	if (!wait->on)
		return;
	disable_timeout(timer, false);
	if (TransactionIdIsValid(cancelled_for))
		CHECK_FOR_INTERRUPTS();
	error_context_stack = wait->context.previous;
	stop_timer();
}

/* Was a wait of the call that runs cancelled?  Then its error is not what a row refuses. */
bool
inv_prepared_wait_was_cancelled(void)
{
	return bounded_level > 0 && was_cancelled;
}

/* ---- the end of transactions ---- */

static void
end_with_transaction(XactEvent event, void *arg pg_attribute_unused())
{
	if (event == XACT_EVENT_ABORT && bounded_level > 0)
		stop_timer();
}

static void
end_with_subtransaction(SubXactEvent event, SubTransactionId mine pg_attribute_unused(),
						SubTransactionId parent pg_attribute_unused(),
						void *arg pg_attribute_unused())
{
	if (event == SUBXACT_EVENT_ABORT_SUB && bounded_level > 0 &&
		bounded_level >= GetCurrentTransactionNestLevel())
		stop_timer();
}

void
inv_prepared_wait_init(void)
{
	RegisterXactCallback(end_with_transaction, NULL);
	RegisterSubXactCallback(end_with_subtransaction, NULL);
}
