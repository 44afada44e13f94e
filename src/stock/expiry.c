/*
 * expiry.c
 *		Give overdue holds back to the stock (invariant 8).
 *
 * A hold whose time is over is expired, whether it is given back already or not; giving
 * it back makes its units available again.  A take that lacks units of an item does that
 * for the item, oldest hold first, and no more than it needs; the worker and operators do
 * it for all items.
 *
 * Lines are locked with SKIP LOCKED, so no call waits here for a reservation that another
 * session works on, and with the latest snapshot, so none fails because its snapshot is
 * old.  After them stock rows are locked in key order, by inv_give; also where each line is
 * given back by itself, because an item refuses.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"

#include "base/compat.h"
#include "base/error.h"
#include "base/error_class.h"
#include "base/isolated.h"
#include "base/prepared_wait.h"
#include "base/settings.h"
#include "base/stats.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/ledger_schema.h"
#include "store/query.h"
#include "store/query_text.h"
#include "stock/expiry.h"
#include "stock/give.h"
#include "stock/ledger.h"
#include "stock/quantity.h"

/* at most this many lines at a time for a take that lacks units */
#define MAX_EXPIRE_ROWS 100

const InvExpiryPosition inv_first_overdue = { DT_NOBEGIN, 0 };

/* An overdue line of a reservation, locked by this transaction. */
typedef struct OverdueLine
{
	Datum reservation;
	Datum item;
	int64 quantity;
	InvUser user;
	TimestampTz expires_at;
	bool tracked; /* its units were taken from the stock */
	bool refused; /* its item did not take the units back */
} OverdueLine;

/* Copy the lines from the rows of the last statement, which the next one replaces. */
static OverdueLine *
copy_overdue_lines(uint64 count)
{
	OverdueLine *lines = palloc0(sizeof(OverdueLine) * Max(count, 1));

	for (uint64 row = 0; row < count; row++)
	{
		bool isnull;

		lines[row].item = inv_result(row, 1, &isnull);
		lines[row].quantity = inv_result_int64(row, 2);
		lines[row].user.value = inv_result(row, 3, &lines[row].user.isnull);
		lines[row].expires_at = DatumGetTimestampTz(inv_result(row, 5, &isnull));
		lines[row].tracked = DatumGetBool(inv_result(row, 8, &isnull));
		lines[row].reservation = inv_result(row, 9, &isnull);
	}
	return lines;
}

/* The units of the lines, which were taken from the stock: one InvGive per item, in key order. */
static InvGive *
gives_of_lines(InvStore *store, const OverdueLine *lines, uint64 count, int *gives_count)
{
	InvGive *gives = palloc0(sizeof(InvGive) * count);
	int used = 0;

	for (uint64 i = 0; i < count; i++)
	{
		if (!lines[i].tracked)
			continue;
		gives[used].item = lines[i].item;
		gives[used++].quantity = lines[i].quantity;
	}
	*gives_count = inv_merge_gives(store, gives, used, "stock");
	return gives;
}

static void
mark_lines_expired(InvStore *store, const OverdueLine *lines, uint64 count)
{
	Datum *reservations = palloc(sizeof(Datum) * count);
	Datum *items = palloc(sizeof(Datum) * count);
	Datum values[2];

	for (uint64 i = 0; i < count; i++)
	{
		reservations[i] = lines[i].reservation;
		items[i] = lines[i].item;
	}
	values[0] = inv_make_array(UUIDOID, reservations, NULL, count);
	values[1] = inv_make_array(store->item_id.base, items, NULL, count);
	inv_execute_write(store, INV_STMT_EXPIRE, values, NULL, INV_SNAPSHOT_LATEST, count);
	INV_POINT("inventory-after-expire");
}

/* Give the units of lines back, and book that. */
static void
give_lines_back(InvStore *store, const OverdueLine *lines, uint64 count)
{
	int gives_count;
	InvGive *gives = gives_of_lines(store, lines, count, &gives_count);
	InvBook book;

	if (gives_count > 0)
		inv_give(store, gives, gives_count);

	inv_book_init(&book, 2 * count);
	for (uint64 i = 0; i < count; i++)
	{
		const InvGive *give =
			lines[i].tracked ? inv_find_give(store, gives, gives_count, lines[i].item) : NULL;

		inv_book_return(&book, lines[i].item, lines[i].quantity, INV_KIND_EXPIRY, &lines[i].user,
						lines[i].reservation, give && give->tracked, give ? give->epoch : 0);
	}
	inv_book_write(store, &book);
}

/* Mark lines as expired, give their units back, and book that. */
static void
expire_lines(InvStore *store, const OverdueLine *lines, uint64 count)
{
	mark_lines_expired(store, lines, count);
	give_lines_back(store, lines, count);
}

static void
count_expired_lines(InvStore *store, const OverdueLine *lines, uint64 count)
{
	for (uint64 i = 0; i < count; i++)
		inv_stats_add(store->items, "expiry", INV_STATS_UNITS, lines[i].quantity);
	inv_stats_add(store->items, "expiry", INV_STATS_CALLS, count);
}

/* Lines that are expired together. */
typedef struct ExpiryBatch
{
	InvStore *store;
	const OverdueLine *lines;
	uint64 count;
} ExpiryBatch;

/* Work that is kept. */
static bool
expire_batch(void *arg)
{
	const ExpiryBatch *batch = arg;

	expire_lines(batch->store, batch->lines, batch->count);
	return true;
}

/* Work that is rolled back. */
static bool
give_batch(void *arg)
{
	const ExpiryBatch *batch = arg;

	give_lines_back(batch->store, batch->lines, batch->count);
	return false;
}

/*
 * Expire lines, all of them or none; the error if one of their items is to blame, or null.
 *
 * A session that waits for a row that a released subtransaction has written waits for the end
 * of the transaction (XactLockTableWait), although a rollback to a savepoint frees the row
 * earlier; when the transaction then comes back to the row, both can wait for each other.  So
 * after a savepoint the subtransaction is a trial, and what it did is done again without it.
 * The trial does not write the lines, which the transaction has locked: a server with assertions
 * does not expect a row that was locked, written by a subtransaction that was rolled back, and is
 * written again.
 */
static ErrorData *
try_expire_lines(InvStore *store, const OverdueLine *lines, uint64 count, bool skip_locked)
{
	ExpiryBatch batch = { store, lines, count };
	bool trial = IsSubTransaction();
	ErrorData *error = inv_run_isolated(trial ? give_batch : expire_batch, &batch);

	if (error &&
		(!inv_error_is_of_one_row(error->sqlerrcode) || inv_prepared_wait_was_cancelled()) &&
		!(skip_locked && error->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE))
		ReThrowError(error);
	if (error)
		return error;
	if (trial)
		expire_lines(store, lines, count);
	count_expired_lines(store, lines, count);
	return NULL;
}

/* Report that an item does not take units back; that its row is locked is nothing to report. */
static void
report_refused_line(InvStore *store, const OverdueLine *line, const ErrorData *error)
{
	if (error->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE)
		return;
	ereport(WARNING, (errmsg("overdue holds of item \"%s\" of store \"%s\" cannot be given back",
							 inv_item_text(store, line->item), store->store_name),
					  errdetail_internal("%s", inv_error_reason(error))));
}

static int
compare_items_of_lines(const void *a, const void *b, void *store)
{
	return inv_item_compare(store, ((const OverdueLine *) a)->item,
							((const OverdueLine *) b)->item);
}

/* After one wait for a locked row, which others may share, it waits for no other as long. */
static void
stop_waiting(const ErrorData *error)
{
	if (error->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE)
		inv_set_setting("lock_timeout", "10ms", GUC_ACTION_LOCAL);
}

/*
 * Expire lines one by one; returns how many.  An item whose row refuses units, by a CHECK
 * or a trigger, or is locked for long, does not keep those of others: its lines are left
 * out, and stay overdue.  The rows are locked in key order, as everywhere (invariant 10).
 */
static uint64
expire_one_by_one(InvStore *store, OverdueLine *lines, uint64 count, bool skip_locked)
{
	const OverdueLine *refused = NULL;
	uint64 expired = 0;

	qsort_arg(lines, count, sizeof(OverdueLine), compare_items_of_lines, store);
	for (uint64 i = 0; i < count; i++)
	{
		ErrorData *error;

		lines[i].refused = refused && inv_item_compare(store, refused->item, lines[i].item) == 0;
		if (lines[i].refused)
			continue;
		error = try_expire_lines(store, &lines[i], 1, skip_locked);
		if (error == NULL)
			expired++;
		else
		{
			report_refused_line(store, &lines[i], error);
			stop_waiting(error);
			lines[i].refused = true;
			refused = &lines[i];
		}
	}
	return expired;
}

/*
 * Give back overdue holds of an item until they have so many units.  False if there is
 * none that other sessions have not locked.
 */
bool
inv_expire_overdue_of_item(InvStore *store, Datum item, int64 units)
{
	bool any = false;
	int64 rows = 1; /* the oldest may do; if not, a row per unit that is still missing */

	Assert(units > 0);
	while (units > 0)
	{
		Datum values[] = { item, TimestampTzGetDatum(store->now), Int64GetDatum(rows) };
		uint64 count =
			inv_execute(store, INV_STMT_OVERDUE_OF_ITEM, values, NULL, INV_SNAPSHOT_LATEST);
		OverdueLine *lines;

		if (count == 0)
			break;
		lines = copy_overdue_lines(count);
		expire_lines(store, lines, count);
		count_expired_lines(store, lines, count);
		any = true;
		for (uint64 i = 0; i < count; i++)
			units -= lines[i].quantity;
		rows = Min(units, MAX_EXPIRE_ROWS);
	}
	return any;
}

/*
 * Does the item have overdue holds?  Those that remain after inv_expire_overdue_of_item are
 * locked by other sessions.
 */
bool
inv_item_has_overdue(InvStore *store, Datum item)
{
	Datum values[] = { item, TimestampTzGetDatum(store->now) };

	return inv_execute(store, INV_STMT_STILL_OVERDUE, values, NULL, INV_SNAPSHOT_LATEST) > 0;
}

/* Move a position behind lines that ended at an instant, and were given back or refused. */
static void
advance_position(InvExpiryPosition *position, TimestampTz instant, const OverdueLine *lines,
				 uint64 count)
{
	if (position->instant != instant)
		position->refused = 0;
	position->instant = instant;
	for (uint64 i = 0; i < count; i++)
		if (lines[i].refused && lines[i].expires_at == instant)
			position->refused++;
}

/*
 * Expire at most max_rows overdue lines of the store, the oldest from a position on; returns
 * how many, and in *refused how many could not be given back.  Advances the position to where
 * the next batch has to begin: behind lines that were refused; and index entries of lines that
 * expired before it stay until vacuum removes them, and a batch should not read them all again.
 * skip_locked: leave out items whose rows are locked for longer than lock_timeout.
 */
int64
inv_expire_overdue(InvStore *store, int64 max_rows, bool skip_locked, InvExpiryPosition *position,
				   int64 *refused)
{
	Datum values[] = { TimestampTzGetDatum(store->now), Int64GetDatum(max_rows),
					   TimestampTzGetDatum(position->instant), Int64GetDatum(position->refused) };
	uint64 count = inv_execute(store, INV_STMT_OVERDUE, values, NULL, INV_SNAPSHOT_LATEST);
	uint64 expired = count;
	OverdueLine *lines;
	TimestampTz instant;
	ErrorData *error;

	*refused = 0;
	if (count == 0)
		return 0;
	lines = copy_overdue_lines(count);
	instant = lines[count - 1].expires_at;
	error = try_expire_lines(store, lines, count, skip_locked);
	if (error)
	{
		stop_waiting(error);
		expired = expire_one_by_one(store, lines, count, skip_locked);
	}
	advance_position(position, instant, lines, count);
	*refused = count - expired;
	return expired;
}
