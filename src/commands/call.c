/*
 * call.c
 *		Calls by the generated functions.
 *
 * The first call of a session on a store also checks whether there is work for the
 * worker of this database.
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"

#include "base/guc.h"
#include "shmem/worker_slot.h"
#include "store/binding.h"
#include "store/enter.h"
#include "store/query.h"
#include "store/query_text.h"
#include "stock/hot_item.h"
#include "commands/call.h"

/*
 * Start the worker if the store has holds or hot items.  They may be older than the
 * server's last start, after which no session has asked for the worker yet.
 */
static void
look_for_work(InvStore *store, InvSnapshotMode mode)
{
	bool none;

	store->just_loaded = false;
	store->hot_mode = inv_hot_mode;
	inv_execute(store, INV_STMT_NEXT_EXPIRY, NULL, NULL, mode);
	(void) inv_result(0, 1, &none);
	if (!none || inv_hot_mode == INV_HOT_MODE_AUTO || inv_hot_may_exist(store))
		inv_worker_start();
}

/*
 * Enter a store as inv_store_enter does, and make sure that the worker runs: also for
 * a call that reads, because after a restart of the server it may be the only one for a while.
 */
void
inv_call_enter(InvCall *call, text *store_name, const char *writer)
{
	InvStore *store;

	inv_store_enter(call, store_name, writer);
	store = call->store;
	if (!store->just_loaded && store->hot_mode == inv_hot_mode)
		return;
	if (!RecoveryInProgress() && !IsInParallelMode())
		look_for_work(store, writer ? INV_SNAPSHOT_LATEST : INV_SNAPSHOT_READ_ONLY);
}
