/*
 * store_rest.c
 *		Stores with which the worker had errors, and owners whose stores ended it, rest.
 *
 * The worker leaves such a store alone, longer after each error, until a round without
 * one.  A store that cannot be stopped ends its worker, which takes longer than its time;
 * after that all stores of its owner are left alone, so that an owner of many such stores
 * does not keep the worker from the stores of others.
 *
 * It is in shared memory because workers take turns, and because a store can end its
 * worker.  inv_shmem->lock guards it.  If there are more of them than places, those that
 * may be tried again first are forgotten, and tried again at once.
 */
#include "postgres.h"

#include "catalog/pg_authid.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"

#include "base/clock.h"
#include "shmem/shmem.h"
#include "shmem/store_rest.h"

#define LONGEST_REST_MS 300000
#define OWNER_REST_MS 30000

/* The rest of a store or owner in this database; null if it has none.  The caller has the lock. */
static InvStoreRest *
find_rest(Oid class, Oid object)
{
	Assert(OidIsValid(object) && LWLockHeldByMe(&inv_shmem->lock));
	for (int i = 0; i < INV_STORE_RESTS; i++)
	{
		InvStoreRest *rest = &inv_shmem->rests[i];

		if (rest->object == object && rest->class == class && rest->database == MyDatabaseId)
			return rest;
	}
	return NULL;
}

/*
 * The rest of a store or owner.  If it has none, its place is a free one, or that of the one
 * whose rest ends first.
 */
static InvStoreRest *
make_rest(Oid class, Oid object)
{
	InvStoreRest *place = find_rest(class, object);

	if (place)
		return place;
	place = &inv_shmem->rests[0];
	for (int i = 0; i < INV_STORE_RESTS; i++)
	{
		InvStoreRest *rest = &inv_shmem->rests[i];

		if (!OidIsValid(rest->database) ||
			(OidIsValid(place->database) && rest->until < place->until))
			place = rest;
	}
	place->database = MyDatabaseId;
	place->class = class;
	place->object = object;
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
	rest = find_rest(RelationRelationId, items);
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
	rest = make_rest(RelationRelationId, items);
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
	rest = find_rest(RelationRelationId, items);
	if (rest)
		memset(rest, 0, sizeof(*rest));
	LWLockRelease(&inv_shmem->lock);
}

/* Are all stores of an owner to be left alone now? */
bool
inv_owner_rests(Oid owner)
{
	const InvStoreRest *rest;
	bool rests;

	LWLockAcquire(&inv_shmem->lock, LW_SHARED);
	rest = find_rest(AuthIdRelationId, owner);
	rests = rest && inv_clock_until(rest->until) > 0;
	LWLockRelease(&inv_shmem->lock);
	return rests;
}

/* Leave all stores of an owner alone for a while: one of them ended the worker. */
void
inv_owner_rest_begin(Oid owner)
{
	LWLockAcquire(&inv_shmem->lock, LW_EXCLUSIVE);
	make_rest(AuthIdRelationId, owner)->until = inv_clock_after(OWNER_REST_MS);
	LWLockRelease(&inv_shmem->lock);
}
