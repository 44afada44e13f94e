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
 * was set before is rolled back.  Names with one hash share a lock, which only makes
 * their users wait for each other.  A call that waits is counted in the statistics.
 */
void
inv_lock_name(Oid items, InvLockTag class, const char *name)
{
	uint64 hash = hash_bytes_extended((const unsigned char *) name, strlen(name), items);
	LOCKTAG tag;

	Assert(OidIsValid(items) && name);
	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) (hash >> 32), (uint32) hash, class);
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
