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
 * Take a lock on a name, to the end of the (sub)transaction.  The tag is an
 * advisory one whose class SQL cannot reach, so nobody else can hold it.
 */
void
inv_lock_name(Oid items, InvLockTag class, const char *name)
{
	uint64 hash = hash_bytes_extended((const unsigned char *) name, strlen(name), items);
	LOCKTAG tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) (hash >> 32), (uint32) hash, class);
	if (LockAcquire(&tag, ExclusiveLock, false, true) == LOCKACQUIRE_NOT_AVAIL)
	{
		inv_stats_count(INV_STATS_WAITS, 1);
		(void) LockAcquire(&tag, ExclusiveLock, false, false);
	}
}
