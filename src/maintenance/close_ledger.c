/*
 * close_ledger.c
 *		Old movements are replaced by their sums: close_ledger.
 *
 * One pass over the movements finds those to be closed, sorted by item and user.  They are
 * deleted in batches, and the sum of each item and user is inserted as a carried movement
 * once it is complete.  What is summed up is what a batch has deleted: a movement that
 * another session deletes at the same time is in one of the sums only.
 *
 * All of it is one transaction, so that the sum of an item's movements never changes
 * (invariant 1).  Memory is bounded by the batches, and pg_stat_activity shows how far
 * the call is.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/int.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "tcop/tcopprot.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/error.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/enter.h"
#include "store/query.h"
#include "store/query_cursor.h"
#include "store/query_text.h"
#include "stock/ledger.h"
#include "commands/argument.h"
#include "commands/call.h"

#define BATCH_MOVEMENTS 20000 /* movements deleted by one statement */
#define MAX_SUMS (BATCH_MOVEMENTS + 1)

/* The sum of the closed movements of an item, and of a user where purchases are limited. */
typedef struct CarriedSum
{
	Datum item;
	InvUser user;
	int64 delta;
} CarriedSum;

/* A call of close_ledger. */
typedef struct Closing
{
	InvStore *store;
	Datum before;
	MemoryContext context; /* of the sums */
	CarriedSum *sums;	   /* MAX_SUMS; not inserted yet, and the last one may grow */
	int count;
	int64 closed;  /* movements deleted */
	int64 carried; /* movements inserted */
} Closing;

/* ---- carried movements ---- */

/* Copy a value of a type into the memory of the sums. */
static Datum
copy_for_sum(Closing *closing, Datum value, Oid type)
{
	MemoryContext old = MemoryContextSwitchTo(closing->context);
	int16 length;
	bool byval;

	get_typlenbyval(type, &length, &byval);
	value = datumCopy(value, byval, length);
	MemoryContextSwitchTo(old);
	return value;
}

/* Forget the sums but the last one, which goes on. */
static void
keep_last_sum(Closing *closing)
{
	MemoryContext done = closing->context;
	CarriedSum last = closing->sums[closing->count - 1];

	closing->context = AllocSetContextCreate(done->parent, "close_ledger", ALLOCSET_DEFAULT_SIZES);
	closing->sums = MemoryContextAlloc(closing->context, sizeof(CarriedSum) * MAX_SUMS);
	last.item = copy_for_sum(closing, last.item, closing->store->item_id.base);
	if (!last.user.isnull)
		last.user.value = copy_for_sum(closing, last.user.value, closing->store->user_type);
	closing->sums[0] = last;
	closing->count = 1;
	MemoryContextDelete(done);
}

/*
 * Insert the first sums as carried movements.  A user who has bought and given back the
 * same number of units needs none.
 */
static void
insert_carried(Closing *closing, int sums)
{
	InvStore *store = closing->store;
	Datum *items = palloc(sizeof(Datum) * sums);
	Datum *deltas = palloc(sizeof(Datum) * sums);
	Datum *users = palloc(sizeof(Datum) * sums);
	bool *guests = palloc(sizeof(bool) * sums);
	int count = 0;

	for (int i = 0; i < sums; i++)
	{
		const CarriedSum *sum = &closing->sums[i];

		if (!sum->user.isnull && sum->delta == 0)
			continue;
		items[count] = sum->item;
		deltas[count] = Int64GetDatum(sum->delta);
		guests[count] = sum->user.isnull;
		users[count++] = sum->user.value;
	}
	if (count > 0)
	{
		Datum values[] = { inv_make_array(store->item_id.base, items, NULL, count),
						   inv_make_array(INT8OID, deltas, NULL, count),
						   inv_make_array(store->user_type, users, guests, count),
						   inv_ledger_actor(), closing->before };

		inv_execute(store, INV_STMT_CARRY, values, NULL, INV_SNAPSHOT_TRANSACTION);
		closing->carried += count;
	}
	pfree(items);
	pfree(deltas);
	pfree(users);
	pfree(guests);
}

static bool
is_sum_of(Closing *closing, const CarriedSum *sum, Datum item, const InvUser *user)
{
	if (inv_item_compare(closing->store, sum->item, item) != 0 || sum->user.isnull != user->isnull)
		return false;
	return user->isnull || inv_same_user(closing->store, sum->user.value, user->value);
}

/*
 * Add to the sum of an item and user.  They come in order, so one that differs from the
 * last sum begins a new sum.
 */
static void
add_to_sum(Closing *closing, Datum item, int64 delta, const InvUser *user)
{
	CarriedSum *last = closing->count > 0 ? &closing->sums[closing->count - 1] : NULL;

	if (last && is_sum_of(closing, last, item, user))
	{
		if (pg_add_s64_overflow(last->delta, delta, &last->delta))
			inv_error_overflow("delta");
		return;
	}
	Assert(closing->count < MAX_SUMS);
	last = &closing->sums[closing->count++];
	last->item = copy_for_sum(closing, item, closing->store->item_id.base);
	last->user = *user;
	if (!user->isnull)
		last->user.value = copy_for_sum(closing, user->value, closing->store->user_type);
	last->delta = delta;
}

/* ---- batches ---- */

/*
 * Lock the lines whose movements are to be deleted against those who refund or edit them, who lock
 * the first movement of the line before they add to it (stock/follow_line.c).  This does not wait
 * for them: they may wait for a line that is locked here.
 */
static void
lock_batch(Closing *closing, Datum list)
{
	int64 missed;

	inv_execute(closing->store, INV_STMT_LOCK_CLOSABLE, &list, NULL, INV_SNAPSHOT_LATEST);
	missed = inv_result_int64(0, 1);
	inv_result_free();
	if (missed > 0)
		inv_error_busy_otherwise(
			psprintf("Order lines whose movements are to be closed are being changed: " INT64_FORMAT
					 ".",
					 missed),
			"Nothing was closed. Call close_ledger again.");
}

/*
 * Delete the movements that the cursor has read, unless the line has changed since then; the
 * result has their sums.
 */
static uint64
delete_batch(Closing *closing, uint64 rows)
{
	Datum *places = palloc(sizeof(Datum) * rows);
	Datum values[2] = { closing->before };
	uint64 sums;
	bool isnull;

	for (uint64 row = 0; row < rows; row++)
		places[row] = inv_result(row, 1, &isnull);
	values[1] = inv_make_array(TIDOID, places, NULL, rows);
	pfree(places);
	inv_result_free();
	if (inv_follows_orders(closing->store))
		lock_batch(closing, values[1]);
	sums = inv_execute(closing->store, INV_STMT_CLOSE_MOVEMENTS, values, NULL, INV_SNAPSHOT_LATEST);
	pfree(DatumGetPointer(values[1]));
	return sums;
}

/* Close the movements that the cursor has read. */
static void
close_batch(Closing *closing, uint64 rows)
{
	uint64 sums = delete_batch(closing, rows);

	for (uint64 row = 0; row < sums; row++)
	{
		InvUser user;
		bool isnull;
		Datum item = inv_result(row, 1, &isnull);

		user.value = inv_result(row, 3, &user.isnull);
		add_to_sum(closing, item, inv_result_int64(row, 2), &user);
		closing->closed += inv_result_int64(row, 4);
	}
	inv_result_free();
	if (closing->count > 1)
	{
		insert_carried(closing, closing->count - 1);
		keep_last_sum(closing);
	}
}

/* Show in pg_stat_activity how far the call is. */
static void
report_progress(const Closing *closing)
{
	char *text = psprintf("close_ledger of store %s: " INT64_FORMAT " movements closed",
						  closing->store->store_name, closing->closed);

	pgstat_report_activity(STATE_RUNNING, text);
	pfree(text);
}

/* Close the movements before an instant; returns how many carried movements there are. */
static int64
close_movements(InvStore *store, Datum before)
{
	Closing closing = { .store = store, .before = before };
	Portal cursor = inv_cursor_open(store, INV_STMT_CLOSABLE, &before);
	uint64 rows;

	closing.context =
		AllocSetContextCreate(CurrentMemoryContext, "close_ledger", ALLOCSET_DEFAULT_SIZES);
	closing.sums = MemoryContextAlloc(closing.context, sizeof(CarriedSum) * MAX_SUMS);
	while ((rows = inv_cursor_fetch(cursor, BATCH_MOVEMENTS)) > 0)
	{
		CHECK_FOR_INTERRUPTS();
		close_batch(&closing, rows);
		report_progress(&closing);
	}
	inv_cursor_close(cursor);
	if (closing.count > 0)
		insert_carried(&closing, closing.count);
	pgstat_report_activity(STATE_RUNNING, debug_query_string);
	return closing.carried;
}

PG_FUNCTION_INFO_V1(inventory_close_ledger);

/*
 * close_ledger(store_name, before): replace older movements by their sum, one
 * carried movement per item (and per user where purchases are limited); returns how
 * many carried movements were written.
 */
Datum
inventory_close_ledger(PG_FUNCTION_ARGS)
{
	InvCall call;
	int64 carried;

	inv_call_enter(&call, inv_getarg_store_name(fcinfo), "close_ledger");
	if (PG_ARGISNULL(1))
		inv_error_null("before");
	if (PG_GETARG_TIMESTAMPTZ(1) > call.store->now)
		inv_error_value("before must not be in the future", NULL);
	carried = close_movements(call.store, PG_GETARG_DATUM(1));
	inv_store_leave(&call);
	PG_RETURN_INT64(carried);
}
