/*
 * store_rest.c
 *		Stores with which the worker had errors rest for a while.
 *
 * The worker leaves such a store alone, longer after each error, until a round without
 * one.  It is in shared memory because workers take turns, and because a store can end its
 * worker.  inv_shmem->lock guards it.  If there are more such stores than places, those
 * that may be tried again first are forgotten, and tried again at once.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "base/clock.h"
#include "shmem/shmem.h"
#include "shmem/store_rest.h"

#define LONGEST_REST_MS 300000

/* The rest of a store of this database; null if it has none.  The caller has the lock. */
static InvStoreRest *
find_rest(Oid items)
{
	Assert(OidIsValid(items) && LWLockHeldByMe(&inv_shmem->lock));
	for (int i = 0; i < INV_STORE_RESTS; i++)
	{
		InvStoreRest *rest = &inv_shmem->rests[i];

		if (rest->items == items && rest->database == MyDatabaseId)
			return rest;
	}
	return NULL;
}

/* A place for the rest of a store: a free one, or the one whose rest ends first. */
static InvStoreRest *
make_rest(Oid items)
{
	InvStoreRest *place = &inv_shmem->rests[0];

	for (int i = 0; i < INV_STORE_RESTS; i++)
	{
		InvStoreRest *rest = &inv_shmem->rests[i];

		if (!OidIsValid(rest->database) ||
			(OidIsValid(place->database) && rest->until < place->until))
			place = rest;
	}
	place->database = MyDatabaseId;
	place->items = items;
	place->errors = 0;
	return place;
}

/* Is the store to be left alone now?  *had_errors: did its last round end in an error? */
bool
inv_store_rests(Oid items, bool *had_errors)
{
	const InvStoreRest *rest;
	bool rests;

	LWLockAcquire(&inv_shmem->lock, LW_SHARED);
	rest = find_rest(items);
	*had_errors = rest != NULL;
	rests = rest && inv_clock_until(rest->until) > 0;
	LWLockRelease(&inv_shmem->lock);
	return rests;
}

/* Leave the store alone: for 2 s after the first error, and twice as long after each other. */
void
inv_store_rest_note_error(Oid items)
{
	InvStoreRest *rest;

	LWLockAcquire(&inv_shmem->lock, LW_EXCLUSIVE);
	rest = find_rest(items);
	if (rest == NULL)
		rest = make_rest(items);
	rest->errors++;
	rest->until = inv_clock_after(Min(1000L << Min(rest->errors, 10), LONGEST_REST_MS));
	LWLockRelease(&inv_shmem->lock);
}

/* The store had no error. */
void
inv_store_rest_note_success(Oid items)
{
	InvStoreRest *rest;

	LWLockAcquire(&inv_shmem->lock, LW_EXCLUSIVE);
	rest = find_rest(items);
	if (rest)
		memset(rest, 0, sizeof(*rest));
	LWLockRelease(&inv_shmem->lock);
}
