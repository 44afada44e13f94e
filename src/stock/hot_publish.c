/*
 * hot_publish.c
 *		How the counter of a hot item comes to be.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "shmem/counter.h"
#include "shmem/counter_state.h"
#include "shmem/hot_table.h"
#include "store/binding.h"
#include "store/query.h"
#include "store/query_text.h"
#include "stock/hot_item.h"
#include "stock/hot_publish.h"
#include "stock/hot_row.h"

/* how often a counter is counted anew because others wrote the row meanwhile */
#define PUBLISH_TRIES 20

/* ---- publishing ---- */

typedef enum PublishOutcome
{
	PUBLISH_DONE,
	PUBLISH_NOT_HOT,
	PUBLISH_OWN_ROW, /* this transaction has written it */
	PUBLISH_AGAIN
} PublishOutcome;

/* Lock, look again, count, publish. */
static PublishOutcome
publish_locked_item(InvStore *store, Datum item, const InvCounterRef *counter)
{
	InvCounterValues counted;
	InvHotRow row;
	bool own_row = false, unsettled = false;
	InvHotState state;

	if (inv_execute(store, INV_STMT_LOCK_ANY, &item, NULL, INV_SNAPSHOT_LATEST) == 0)
		return PUBLISH_NOT_HOT;
	state = inv_counter_look(counter, &counted);
	if (state != INV_HOT_STATE_UNPUBLISHED)
		return state == INV_HOT_STATE_HOT ? PUBLISH_DONE : PUBLISH_AGAIN;
	if (!inv_hot_row_read(store, item, INV_SNAPSHOT_LATEST, &row) || row.own)
		return PUBLISH_NOT_HOT;
	if (!row.hot)
	{
		inv_hot_table_changed(inv_hot_store(store));
		return PUBLISH_AGAIN;
	}
	if (!inv_hot_count(store, item, row.settled, &counted, &own_row, &unsettled))
		return PUBLISH_NOT_HOT;
	if (own_row)
		return PUBLISH_OWN_ROW;
	return inv_counter_publish(counter, &counted, unsettled) ? PUBLISH_DONE : PUBLISH_AGAIN;
}

/* The same in a subtransaction, so that the lock is let go at once. */
static PublishOutcome
publish_counter(InvStore *store, Datum item, const InvCounterRef *counter)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	volatile PublishOutcome outcome = PUBLISH_AGAIN;

	for (volatile int tries = 0; tries < PUBLISH_TRIES; tries++)
	{
		BeginInternalSubTransaction(NULL);
		MemoryContextSwitchTo(context);
		PG_TRY();
		{
			outcome = publish_locked_item(store, item, counter);
			RollbackAndReleaseCurrentSubTransaction();
			MemoryContextSwitchTo(context);
			CurrentResourceOwner = owner;
			tries = PUBLISH_TRIES;
		}
		PG_CATCH();
		{
			ErrorData *error;

			MemoryContextSwitchTo(context);
			error = CopyErrorData();
			FlushErrorState();
			RollbackAndReleaseCurrentSubTransaction();
			MemoryContextSwitchTo(context);
			CurrentResourceOwner = owner;
			/* the row was written while its lock was waited for */
			if (error->sqlerrcode != ERRCODE_T_R_SERIALIZATION_FAILURE)
				ReThrowError(error);
			FreeErrorData(error);
		}
		PG_END_TRY();
		CHECK_FOR_INTERRUPTS();
	}
	return outcome;
}

/*
 * Make a hot item that has no counter cold, in this transaction.  False if it has
 * one meanwhile.
 */
bool
inv_hot_demote(InvStore *store, Datum item)
{
	InvHotRow row;
	InvCounterRef counter;
	InvCounterValues counted;
	int64 sum, last;
	uint64 rows = inv_execute(store, INV_STMT_LOCK_ANY, &item, NULL, INV_SNAPSHOT_TRANSACTION);

	if (!inv_hot_row_read(store, item, INV_SNAPSHOT_LATEST, &row) || !row.hot)
		return true;
	if (inv_hot_find_entry(store, item, &counter) && !inv_counter_is_cooling(&counter) &&
		inv_counter_look(&counter, &counted) != INV_HOT_STATE_UNPUBLISHED)
		return false;
	inv_hot_mark_changed(store);
	sum = inv_hot_sum_movements(store, item, row.settled, PG_INT64_MAX, INV_SNAPSHOT_LATEST, &last);
	if (rows == 0)
		sum = 0;
	inv_hot_apply_to_row(store, item, sum, Max(last, row.settled), false);
	return true;
}

/* ---- finding ---- */

/* The counter of a hot item, published; false if the item is cold, for this transaction. */
bool
inv_hot_find_counter(InvStore *store, Datum item, InvCounterRef *counter)
{
	while (inv_hot_may_exist(store))
	{
		InvCounterValues counted;
		PublishOutcome outcome;

		CHECK_FOR_INTERRUPTS();
		if (!inv_hot_find_entry(store, item, counter))
		{
			InvHotRow row;

			if (inv_hot_all_have_entries(store) ||
				!inv_hot_row_read(store, item, INV_SNAPSHOT_LATEST, &row) || !row.hot || row.own ||
				inv_hot_demote(store, item))
				return false;
			continue;
		}
		switch (inv_counter_look(counter, &counted))
		{
			case INV_HOT_STATE_HOT:
				return true;
			case INV_HOT_STATE_COOLING:
				return !inv_counter_is_cooling(counter);
			case INV_HOT_STATE_UNPUBLISHED:
				outcome = publish_counter(store, item, counter);
				if (outcome == PUBLISH_DONE)
					return true;
				if (outcome == PUBLISH_NOT_HOT ||
					(outcome == PUBLISH_OWN_ROW && inv_hot_demote(store, item)))
					return false;
				break;
			case INV_HOT_STATE_COLD:
				break;
		}
	}
	return false;
}

/*
 * The state of an item whose row this transaction has written: INV_HOT_STATE_COLD also for
 * what it is cooling itself.  An item without room for a counter is not published.
 */
InvHotState
inv_hot_state(InvStore *store, Datum item, InvCounterRef *counter)
{
	while (inv_hot_may_exist(store))
	{
		InvCounterValues counted;
		InvHotRow row;
		InvHotState state;

		if (!inv_hot_find_entry(store, item, counter))
		{
			if (inv_hot_all_have_entries(store) ||
				!inv_hot_row_read(store, item, INV_SNAPSHOT_LATEST, &row) || !row.hot)
				return INV_HOT_STATE_COLD;
			return INV_HOT_STATE_UNPUBLISHED;
		}
		state = inv_counter_look(counter, &counted);
		if (state == INV_HOT_STATE_COOLING && inv_counter_is_cooling(counter))
			return INV_HOT_STATE_COLD;
		if (state == INV_HOT_STATE_UNPUBLISHED &&
			(!inv_hot_row_read(store, item, INV_SNAPSHOT_LATEST, &row) || !row.hot))
			return INV_HOT_STATE_COLD;
		if (state != INV_HOT_STATE_COLD)
			return state;
	}
	return INV_HOT_STATE_COLD;
}
