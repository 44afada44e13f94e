/*
 * call.c
 *		Calls by the generated functions.
 *
 * The first writing call of a session on a store also checks whether there is work
 * for the worker of this database.
 */
#include "postgres.h"

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
look_for_work(InvStore *store)
{
	bool none;

	store->just_loaded = false;
	store->hot_mode = inv_hot_mode;
	inv_execute(store, INV_STMT_NEXT_EXPIRY, NULL, NULL, INV_SNAPSHOT_LATEST);
	(void) inv_result(0, 1, &none);
	if (!none || inv_hot_mode == INV_HOT_MODE_AUTO || inv_hot_may_exist(store))
		inv_worker_start();
}

/* Enter a store as inv_store_enter does; a writer also makes sure that the worker runs. */
void
inv_call_enter(InvCall *call, text *store_name, const char *writer)
{
	inv_store_enter(call, store_name, writer);
	if (writer && (call->store->just_loaded || call->store->hot_mode != inv_hot_mode))
		look_for_work(call->store);
}
