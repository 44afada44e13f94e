/*
 * lock.c
 *		Locks on names, held to the end of the transaction.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/lock.h"

#include "base/lock.h"
#include "base/stats.h"

/*
 * Lock a name of a store until the end of the transaction, or until a savepoint that
 * was set before is rolled back.  Names of one store with one hash share a lock, which only
 * makes their users wait for each other.  Those of two stores never do: a role could find a
 * name for its own store with the hash of another store's.  A call that waits is counted in
 * the statistics.
 */
void
inv_lock_name(Oid items, InvLockTag class, const char *name)
{
	uint32 hash = hash_bytes((const unsigned char *) name, strlen(name));
	LOCKTAG tag;

	Assert(OidIsValid(items) && name);
	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, items, hash, class);
	if (LockAcquire(&tag, ExclusiveLock, false, true) == LOCKACQUIRE_NOT_AVAIL)
	{
		inv_stats_count(INV_STATS_WAITS, 1);
		(void) LockAcquire(&tag, ExclusiveLock, false, false);
	}
}

/* Lock the names of the stores of an owner, until the end of the transaction. */
void
inv_lock_owner(Oid owner)
{
	LOCKTAG tag;

	Assert(OidIsValid(owner));
	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, owner, 0, INV_LOCKTAG_OWNER);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
}
