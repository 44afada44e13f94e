/*
 * lock.h
 *		Locks on names, held to the end of the transaction.
 */
#ifndef INV_LOCK_H
#define INV_LOCK_H

/*
 * Classes of named locks: the fourth field of an advisory lock tag.  SQL functions
 * make only tags with 1 and 2 there, so no other code takes these locks.
 */
typedef enum InvLockTag
{
	INV_LOCKTAG_REQUEST = 3,
	INV_LOCKTAG_LIMIT,
	INV_LOCKTAG_ORDER_REFERENCE,
	INV_LOCKTAG_RESERVATION,
	INV_LOCKTAG_STOCK,
	INV_LOCKTAG_OWNER
} InvLockTag;

extern void inv_lock_owner(Oid owner);
extern void inv_lock_name(Oid items, InvLockTag class, const char *name);

#endif /* INV_LOCK_H */
