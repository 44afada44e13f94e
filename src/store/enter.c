/*
 * enter.c
 *		A call enters a store and leaves it.
 *
 * In between, the engine acts as the owner of the tables, with row security on, connected to
 * SPI, and under the search_path of the store where code of the shop can run.  Calls nest: a
 * trigger of a table that the engine writes may call the engine.  After an error
 * nothing is put back here, because the abort of the transaction, or of the
 * subtransaction, restores the user, the settings and SPI.
 *
 * The store is locked by store.c as the call asks for.
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
#include "utils/rls.h"
#include "utils/timestamp.h"

#include "base/error.h"
#include "base/settings.h"
#include "base/stats.h"
#include "store/binding.h"
#include "store/enter.h"
#include "store/store.h"

/*
 * Work as the owner of a store for a caller who is another role, and may have more
 * rights: what the owner's code does must not reach the caller.  In a restricted
 * operation it cannot leave deferred triggers, cursors, temporary tables or prepared
 * statements for the caller's transaction and session, and settings go back to what
 * they were.
 */
void
inv_guest_begin(InvGuest *guest, Oid owner)
{
	GetUserIdAndSecContext(&guest->user, &guest->security);
	Assert(guest->user != owner);
	SetUserIdAndSecContext(owner, guest->security | SECURITY_LOCAL_USERID_CHANGE |
									  SECURITY_RESTRICTED_OPERATION);
	guest->nest = NewGUCNestLevel();
}

void
inv_guest_end(InvGuest *guest)
{
	AtEOXact_GUC(false, guest->nest);
	SetUserIdAndSecContext(guest->user, guest->security);
}

/* The search_path stays that of the caller, until inv_pin_path(). */
static void
become_owner(InvCall *call, InvStore *store, bool guest)
{
	call->store = store;
	inv_store_use(store);
	store->now = GetCurrentTimestamp();
	call->outer_stats = inv_stats_current();
	call->caller = CurrentMemoryContext;
	call->guest = guest;
	GetUserIdAndSecContext(&call->user, &call->security);
	SPI_connect();
	SetUserIdAndSecContext(store->owner, call->security | SECURITY_LOCAL_USERID_CHANGE |
											 (guest ? SECURITY_RESTRICTED_OPERATION : 0));
	call->nest = NewGUCNestLevel();
	/* with it off, no policy would bind the owner in what the shop runs */
	if (!row_security)
		inv_set_setting("row_security", "on", GUC_ACTION_SAVE);
}

/*
 * Set the search_path of the store until the call leaves it, or the subtransaction ends.  To be
 * called before each statement and whatever else can run code of the shop, which may have
 * changed it: a level of settings remembers a plain SET, so this has its own.
 */
void
inv_pin_path(const InvStore *store)
{
	if (strcmp(namespace_search_path, store->path) == 0)
		return;
	(void) NewGUCNestLevel();
	inv_set_setting("search_path", store->path, GUC_ACTION_SAVE);
}

/* Raise unless the current user has the rights of the owner. */
static void
require_owner(InvStore *store)
{
	if (GetUserId() != store->owner && !has_privs_of_role(GetUserId(), store->owner))
		inv_error_not_the_owner(store->store_name, store->items, store->owner);
}

/* The store of this name, of whose owner the current user has the rights; raises if there is none. */
InvStore *
inv_store_find(text *store_name, LOCKMODE lock)
{
	InvStore *store = inv_store_by_name(store_name, lock);

	if (store == NULL)
		inv_error_not_a_store(inv_store_facts("Store", text_to_cstring(store_name)));
	require_owner(store);
	return store;
}

/*
 * Enter a store by its name, for a call by its generated functions or by its
 * owner.  "writer" is the name of an operation that writes: it locks the store as a
 * write does, and is refused in a read-only transaction.  It is null for one that
 * only reads.
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
	call->wait.on = false;
	if (writer)
		inv_prepared_wait_begin(&call->wait);
	store = inv_store_find(store_name, writer ? RowExclusiveLock : AccessShareLock);
	become_owner(call, store, GetUserId() != store->owner);
	inv_stats_begin(store->items, writer ? writer : "read");
}

/*
 * Enter the store of an items table, without a lock; false if it is none.  For a
 * trigger on items, whose statement has locked it, and for statistics.
 */
bool
inv_store_enter_items(InvCall *call, Oid items)
{
	InvStore *store = inv_store_by_items(items, NoLock);

	call->wait.on = false;
	if (store == NULL)
		return false;
	/* a direct write fires the guard as it fires the owner's own triggers */
	become_owner(call, store, false);
	return true;
}

/*
 * Enter the store of an items table to write, for a trigger on its orders, whose statement has
 * locked these alone; false if it is none.
 */
bool
inv_store_enter_to_follow(InvCall *call, Oid items)
{
	InvStore *store = inv_store_by_items(items, RowExclusiveLock);

	call->wait.on = false;
	if (store == NULL)
		return false;
	become_owner(call, store, false);
	inv_stats_begin(store->items, INV_STATS_FOLLOW);
	return true;
}

/* Enter the store of an items table, to read, for a call by its owner. */
void
inv_store_enter_owned(InvCall *call, Oid items)
{
	InvStore *store;

	if (!OidIsValid(items))
		inv_error_null("items");
	call->wait.on = false;
	store = inv_store_by_items(items, AccessShareLock);
	if (store == NULL)
		inv_error_not_a_store(inv_store_facts("Table", get_rel_name(items)));
	require_owner(store);
	become_owner(call, store, GetUserId() != store->owner);
}

/* Leave a store: restore what entering it changed. */
void
inv_store_leave(InvCall *call)
{
	Assert(GetUserId() == call->store->owner);
	inv_prepared_wait_end(&call->wait);
	inv_stats_end(call->outer_stats);
	SPI_finish();
	/* a guest's settings are restored, also those that the owner's code changed */
	AtEOXact_GUC(!call->guest, call->nest);
	SetUserIdAndSecContext(call->user, call->security);
	inv_store_unuse(call->store);
}

/*
 * Lift policies that are forced on the owner of the tables, while a plan is made.
 * Returns what inv_restore_policies() needs.
 */
int
inv_lift_policies(const InvStore *store)
{
	Oid user;
	int security;

	GetUserIdAndSecContext(&user, &security);
	Assert(user == store->owner); /* the store is entered */
	if (store->forces_policies)
		SetUserIdAndSecContext(user, security | SECURITY_NOFORCE_RLS);
	return security;
}

void
inv_restore_policies(const InvStore *store, int security)
{
	if (store->forces_policies)
		SetUserIdAndSecContext(store->owner, security);
}
