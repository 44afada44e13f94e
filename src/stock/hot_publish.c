/*
 * hot_publish.c
 *		The counter of a hot item is published, or the item is demoted.
 *
 * A counter is published by the first session that needs it: under the lock of the item's
 * row, with the latest snapshot, in an internal subtransaction that is then rolled back,
 * so that the lock is released at once.  A transaction that has written the row itself
 * cannot publish, because its uncommitted units would count for all sessions.  It demotes
 * the item instead, as any transaction does where there is no room for a counter: the
 * item's movements are added to its row, under the lock, and it is cold from the commit on.
 *
 * Callers need no lock; what they get can change as soon as they have it.  The counter's
 * own functions tell when it is gone.
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "miscadmin.h"

#include "base/compat.h"
#include "base/isolated.h"
#include "shmem/counter.h"
#include "shmem/counter_state.h"
#include "shmem/hot_directory.h"
#include "shmem/hot_room.h"
#include "shmem/hot_table.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/query.h"
#include "store/query_text.h"
#include "stock/hot_item.h"
#include "stock/hot_publish.h"
#include "stock/hot_row.h"
#include "stock/row_proof.h"

/* how often to lock the row again that others have written while its lock was waited for */
#define PUBLISH_TRIES 20

typedef enum PublishOutcome
{
	PUBLISH_DONE,
	PUBLISH_NOT_HOT, /* no such item, or a cold one, or this transaction has changed its row in "hot" */
	PUBLISH_OWN_ROW, /* this transaction has written the item's row */
	PUBLISH_REFUSED, /* the row could refuse what the counter would allow */
	PUBLISH_AGAIN	 /* the entry is out of date: find it again */
} PublishOutcome;

/* An attempt to publish a counter. */
typedef struct Publishing
{
	InvStore *store;
	Datum item;
	const InvCounterRef *counter;
	PublishOutcome outcome;
	const char *refusal; /* if it is PUBLISH_REFUSED */
} Publishing;

/* ---- publishing ---- */

/*
 * Lock the item's row, then read everything again with the latest snapshot, count and
 * publish.  Changes of the row that were committed before the lock are counted.  Any
 * other waits for the lock, and the guard reports it to the counter (I4).
 */
static PublishOutcome
publish_locked_item(Publishing *publishing)
{
	InvStore *store = publishing->store;
	Datum item = publishing->item;
	const InvCounterRef *counter = publishing->counter;
	InvCounterValues now;
	InvHotCount count;
	InvHotRow row;
	InvHotState state;

	if (inv_execute(store, INV_STMT_LOCK_ANY, &item, NULL, INV_SNAPSHOT_LATEST) == 0)
		return PUBLISH_NOT_HOT;
	state = inv_counter_read(counter, &now);
	if (state != INV_HOT_STATE_UNPUBLISHED)
		return state == INV_HOT_STATE_HOT ? PUBLISH_DONE : PUBLISH_AGAIN;
	if (!inv_hot_row_read(store, item, INV_SNAPSHOT_LATEST, &row) || row.own)
		return PUBLISH_NOT_HOT;
	if (!row.hot)
	{
		/* the entry is out of date, and this transaction may be one that cannot read them again */
		inv_hot_directory_invalidate(inv_hot_store(store));
		return PUBLISH_NOT_HOT;
	}
	if (!inv_hot_count(store, item, &row, &count))
		return PUBLISH_NOT_HOT;
	if (count.own_row)
		return PUBLISH_OWN_ROW;
	publishing->refusal = inv_row_refusal(store, item, Min(count.values.floor, count.values.stock),
										  NULL, &count.values.max_stock);
	if (publishing->refusal)
		return PUBLISH_REFUSED;
	INV_POINT("inventory-before-publish");
	if (!inv_counter_publish(counter, &count.values, count.unsettled))
		return PUBLISH_AGAIN;
	INV_POINT("inventory-after-publish");
	return PUBLISH_DONE;
}

/* Work that is rolled back. */
static bool
publish_once(void *arg)
{
	Publishing *publishing = arg;

	publishing->outcome = publish_locked_item(publishing);
	return false;
}

/* Publish in a subtransaction that is rolled back at once, so as not to keep the lock. */
static PublishOutcome
publish_counter(InvStore *store, Datum item, const InvCounterRef *counter, const char **refusal)
{
	Publishing publishing = { store, item, counter, PUBLISH_AGAIN, NULL };

	Assert(!RecoveryInProgress());
	for (int tries = 1;; tries++)
	{
		ErrorData *error = inv_run_isolated(publish_once, &publishing);

		if (error == NULL)
			break;
		/*
		 * In REPEATABLE READ: the row was written while its lock was waited for.  A transaction
		 * that the server has chosen to fail gets this error each time.
		 */
		if (error->sqlerrcode != ERRCODE_T_R_SERIALIZATION_FAILURE || tries == PUBLISH_TRIES)
			ReThrowError(error);
		FreeErrorData(error);
		CHECK_FOR_INTERRUPTS();
	}
	*refusal = publishing.refusal;
	return publishing.outcome;
}

/* ---- demoting ---- */

/*
 * Make a hot item that has no published counter cold, in this transaction: settle all its
 * movements.  The row's lock is kept.  False if it has a counter by now.
 */
bool
inv_hot_demote(InvStore *store, Datum item)
{
	InvHotRow row;
	InvCounterRef counter;
	InvCounterValues now;
	bool has_entry;
	uint64 rows = inv_execute(store, INV_STMT_LOCK_ANY, &item, NULL, INV_SNAPSHOT_LATEST);

	if (!inv_hot_row_read(store, item, INV_SNAPSHOT_LATEST, &row) || !row.hot)
		return true;
	has_entry = inv_hot_find_entry(store, item, &counter) && !inv_counter_is_cooling(&counter);
	if (has_entry && inv_counter_read(&counter, &now) != INV_HOT_STATE_UNPUBLISHED)
		return false;
	inv_hot_mark_changed(store);
	if (has_entry)
		inv_hot_room_free(&counter);
	inv_hot_apply_all(store, item, &row, row.settled, rows > 0);
	return true;
}

/* Demote an item whose row could refuse what its counter would allow.  False as above. */
static bool
demote_refused(InvStore *store, Datum item, const char *refusal)
{
	if (!inv_hot_demote(store, item))
		return false;
	ereport(LOG, (errmsg("item \"%s\" of store \"%s\" is not hot any more",
						 inv_item_text(store, item), store->store_name),
				  errdetail_internal("Its row could refuse to be written with what was sold. %s",
									 refusal)));
	return true;
}

/* ---- finding ---- */

/*
 * An item has no entry: make sure that it is cold for this transaction, by demoting it if
 * it is hot and there is no room for it.  False if it has an entry by now.
 */
static bool
ensure_cold(InvStore *store, Datum item)
{
	InvHotRow row;

	return inv_hot_all_have_entries(store) ||
		   !inv_hot_row_read(store, item, INV_SNAPSHOT_LATEST, &row) || !row.hot || row.own ||
		   inv_hot_demote(store, item);
}

/*
 * If a counter was counted with another version of the items table, rows may have been
 * written since that the guard did not see: make it unpublished, so that it is counted again
 * (I4).  False if that is not so; or if something is in flight, and the counter's functions
 * make their callers wait.  A change of triggers waits for the transactions of others, so
 * that is this transaction's own, or the change was of another kind.
 */
static bool
unpublish_if_stale(const InvCounterRef *counter, const InvCounterValues *now)
{
	return now->table_version != counter->table_version && inv_counter_unpublish(counter);
}

/*
 * The counter of a hot item, published if it was not.  False if the item is cold for this
 * transaction, also if it is so because it was demoted here.
 */
bool
inv_hot_find_counter(InvStore *store, Datum item, InvCounterRef *counter)
{
	while (inv_hot_may_exist(store))
	{
		InvCounterValues now;
		PublishOutcome outcome;
		const char *refusal;

		CHECK_FOR_INTERRUPTS();
		if (!inv_hot_find_entry(store, item, counter))
		{
			if (ensure_cold(store, item))
				return false;
			continue;
		}
		switch (inv_counter_read(counter, &now))
		{
			case INV_HOT_STATE_HOT:
				if (unpublish_if_stale(counter, &now))
					break;
				return true;
			case INV_HOT_STATE_COOLING:
				return !inv_counter_is_cooling(counter);
			case INV_HOT_STATE_UNPUBLISHED:
				outcome = publish_counter(store, item, counter, &refusal);
				if (outcome == PUBLISH_DONE)
					return true;
				if (outcome == PUBLISH_NOT_HOT ||
					(outcome == PUBLISH_OWN_ROW && inv_hot_demote(store, item)) ||
					(outcome == PUBLISH_REFUSED && demote_refused(store, item, refusal)))
					return false;
				break;
			case INV_HOT_STATE_COLD:
				/* the entry was freed after it was found */
				break;
		}
	}
	return false;
}

/*
 * The state of an item, without publishing or demoting it; COLD also if this transaction
 * is cooling it.  With the item's row locked the state lasts to the end of the
 * transaction, except COOLING by another session, which can end at any time.
 */
InvHotState
inv_hot_state(InvStore *store, Datum item, InvCounterRef *counter)
{
	while (inv_hot_may_exist(store))
	{
		InvCounterValues now;
		InvHotRow row;
		InvHotState state;

		if (!inv_hot_find_entry(store, item, counter))
		{
			if (inv_hot_all_have_entries(store) ||
				!inv_hot_row_read(store, item, INV_SNAPSHOT_LATEST, &row) || !row.hot)
				return INV_HOT_STATE_COLD;
			return INV_HOT_STATE_UNPUBLISHED;
		}
		state = inv_counter_read(counter, &now);
		if (state == INV_HOT_STATE_COOLING && inv_counter_is_cooling(counter))
			return INV_HOT_STATE_COLD;
		if (state == INV_HOT_STATE_UNPUBLISHED &&
			(!inv_hot_row_read(store, item, INV_SNAPSHOT_LATEST, &row) || !row.hot))
			return INV_HOT_STATE_COLD;
		if (state == INV_HOT_STATE_HOT && unpublish_if_stale(counter, &now))
			continue;
		if (state != INV_HOT_STATE_COLD)
			return state;
	}
	return INV_HOT_STATE_COLD;
}
