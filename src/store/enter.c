/*
 * enter.c
 *		A call enters a store and leaves it.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "base/error.h"
#include "base/stats.h"
#include "store/binding.h"
#include "store/enter.h"
#include "store/store.h"

/*
 * From here to inv_store_leave the engine acts as the tables' owner, and under
 * the path of the generated functions.  They have set it; a direct write that
 * fires the guard, and an owner who calls the engine, come with their own.
 */
static void
become_owner(InvCall *call, InvStore *store)
{
	call->store = store;
	store->now = GetCurrentTimestamp();
	call->outer_stats = inv_stats_current();
	call->caller = CurrentMemoryContext;
	GetUserIdAndSecContext(&call->user, &call->security);
	SPI_connect();
	SetUserIdAndSecContext(store->owner,
						   call->security | SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);
	call->nest = 0;
	if (strcmp(namespace_search_path, store->path) != 0)
	{
		call->nest = NewGUCNestLevel();
		(void) set_config_option("search_path", store->path, PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
	}
}

static void
require_owner(InvStore *store)
{
	if (GetUserId() != store->owner && !has_privs_of_role(GetUserId(), store->owner))
		inv_error_not_the_owner(store->store_name, store->owner);
}

/*
 * Enter a store by its label, for a call by its generated functions or by its
 * owner.  writer names the operation for the refusal in a read-only
 * transaction; null for one that only reads.
 */
void
inv_store_enter(InvCall *call, text *store_name, const char *writer)
{
	InvStore *store;

	if (writer && (XactReadOnly || IsInParallelMode()))
	{
		PreventCommandIfReadOnly(psprintf("%s()", writer));
		PreventCommandIfParallelMode(psprintf("%s()", writer));
	}
	if (store_name == NULL)
		inv_error_null("store_name");
	store = inv_store_by_name(store_name, writer ? RowExclusiveLock : AccessShareLock);
	if (store == NULL)
		inv_error_not_a_store(psprintf("Store \"%s\"", text_to_cstring(store_name)));
	require_owner(store);
	become_owner(call, store);
	inv_stats_begin(store->items, writer ? writer : "read");
}

/* Enter the store of an items table, if it is one, from a trigger on it. */
bool
inv_store_enter_items(InvCall *call, Oid items)
{
	InvStore *store = inv_store_by_items(items, NoLock);

	if (store == NULL)
		return false;
	become_owner(call, store);
	return true;
}

/* Enter the store of an items table, for its owner to look at. */
void
inv_store_enter_owned(InvCall *call, Oid items)
{
	InvStore *store;

	if (!OidIsValid(items))
		inv_error_null("items");
	store = inv_store_by_items(items, AccessShareLock);
	if (store == NULL)
		inv_error_not_a_store(
			psprintf("Table \"%s\"", get_rel_name(items) ? get_rel_name(items) : "?"));
	require_owner(store);
	become_owner(call, store);
}

void
inv_store_leave(InvCall *call)
{
	inv_stats_end(call->outer_stats);
	SPI_finish();
	if (call->nest)
		AtEOXact_GUC(true, call->nest);
	SetUserIdAndSecContext(call->user, call->security);
}
