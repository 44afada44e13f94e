/*
 * enter.h
 *		A call enters a store and leaves it.
 */
#ifndef INV_ENTER_H
#define INV_ENTER_H

#include "base/prepared_wait.h"
#include "base/stats.h"
#include "store/binding.h"

/* What is restored when a caller who is not the owner has had work done as the owner. */
typedef struct InvGuest
{
	Oid user;
	int security;
	int nest; /* level of settings */
} InvGuest;

/* A call of the engine on a store, with what is restored when it ends. */
typedef struct InvCall
{
	InvStore *store;
	MemoryContext caller;		/* where results go */
	InvStatsEntry *outer_stats; /* statistics of the call around this one, or NULL */
	Oid user;
	int security;
	int nest;	/* level of the settings that the call changed */
	bool guest; /* the caller is not the owner */
	InvPreparedWait wait;
} InvCall;

extern void inv_guest_begin(InvGuest *guest, Oid owner);
extern void inv_guest_end(InvGuest *guest);

extern InvStore *inv_store_find(text *store_name, LOCKMODE lock);
extern void inv_store_enter(InvCall *call, text *store_name, const char *writer);
extern bool inv_store_enter_items(InvCall *call, Oid items);
extern bool inv_store_enter_to_follow(InvCall *call, Oid items);
extern void inv_store_enter_owned(InvCall *call, Oid items);
extern void inv_store_leave(InvCall *call);

extern void inv_pin_path(const InvStore *store);

extern int inv_lift_policies(const InvStore *store);
extern void inv_restore_policies(const InvStore *store, int security);

#endif /* INV_ENTER_H */
