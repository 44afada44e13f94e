/*
 * session_reset.c
 *		What code of a shop leaves in the session of the worker is removed.
 *
 * Triggers and functions of a shop run in the worker as the shop's owner.  What they leave
 * behind must not be there when the worker serves the store of another owner: a temporary
 * table with a trigger would run the one's code as the other, and an advisory lock would
 * stop the other's sales.  This is what DISCARD ALL does, except that the plans of the
 * engine are kept.
 *
 * Runs no code of a shop.  If it raises an error, the worker has to end.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "commands/async.h"
#include "commands/prepare.h"
#include "commands/sequence.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/portal.h"
#include "utils/snapmgr.h"

#include "base/error.h"
#include "base/settings.h"
#include "maintenance/session_reset.h"

#define RESET_LOCK_TIMEOUT "1s"

/* Give random() a new seed: one that a shop has set would tell its numbers in the next store. */
static void
reset_random(void)
{
	uint32 random;

	if (!pg_strong_random(&random, sizeof(random)))
		inv_error_no_random();
	(void) DirectFunctionCall1(setseed, Float8GetDatum((double) random / PG_UINT32_MAX));
}

/*
 * Remove what a session can keep between transactions: settings, cursors, prepared
 * statements, advisory locks, listens, temporary objects, last values of sequences and the
 * seed of random numbers.  Expects no transaction.
 */
void
inv_session_reset(void)
{
	Assert(!IsTransactionState() && GetUserId() == GetAuthenticatedUserId());
	ResetAllOptions();
	StartTransactionCommand();
	/* the owner of a temporary table can lock it, by DROP OWNED in another session */
	inv_set_setting("lock_timeout", RESET_LOCK_TIMEOUT, GUC_ACTION_LOCAL);
	PortalHashTableDeleteAll();
	DropAllPreparedStatements();
	Async_UnlistenAll();
	LockReleaseAll(USER_LOCKMETHOD, true);
	/* rows of catalogs can have toasted values, which are deleted by a snapshot */
	PushActiveSnapshot(GetTransactionSnapshot());
	ResetTempTableNamespace();
	PopActiveSnapshot();
	ResetSequenceCaches();
	reset_random();
	CommitTransactionCommand();
}
