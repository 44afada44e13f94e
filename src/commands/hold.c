/*
 * hold.c
 *		A reservation as it stands: its state, its time, what may be done to it.
 *
 * A reservation has a line per item.  What may be done to it in which state
 * stands in one table.  Its rows are locked before limits and stock, and read
 * after the lock, with the latest snapshot.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/datum.h"
#include "base/error.h"
#include "base/guc.h"
#include "base/lock.h"
#include "shmem/counter.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/ledger_schema.h"
#include "store/query.h"
#include "store/query_text.h"
#include "stock/ledger.h"
#include "stock/quantity.h"
#include "stock/take.h"
#include "commands/argument.h"
#include "commands/hold.h"

/* ---- states and legal moves ---- */

static const InvHoldVerdict verdicts[][4] = {
	/*             held        confirmed     released       expired */
	[INV_HOLD_MOVE_CONFIRM] = { INV_HOLD_VERDICT_PROCEED, INV_HOLD_VERDICT_REPLAY,
								INV_HOLD_VERDICT_RELEASED, INV_HOLD_VERDICT_EXPIRED },
	[INV_HOLD_MOVE_RELEASE] = { INV_HOLD_VERDICT_PROCEED, INV_HOLD_VERDICT_CONFIRMED,
								INV_HOLD_VERDICT_NOTHING, INV_HOLD_VERDICT_NOTHING },
	[INV_HOLD_MOVE_EXTEND] = { INV_HOLD_VERDICT_PROCEED, INV_HOLD_VERDICT_CONFIRMED,
							   INV_HOLD_VERDICT_RELEASED, INV_HOLD_VERDICT_EXPIRED },
	[INV_HOLD_MOVE_CHANGE] = { INV_HOLD_VERDICT_PROCEED, INV_HOLD_VERDICT_CONFIRMED,
							   INV_HOLD_VERDICT_RELEASED, INV_HOLD_VERDICT_EXPIRED },
};

const char *const inv_hold_state_names[] = {
	[INV_HOLD_STATE_HELD] = INV_RESERVATION_HELD,
	[INV_HOLD_STATE_CONFIRMED] = INV_RESERVATION_CONFIRMED,
	[INV_HOLD_STATE_RELEASED] = INV_RESERVATION_RELEASED,
	[INV_HOLD_STATE_EXPIRED] = INV_RESERVATION_EXPIRED,
};

static InvHoldState
state_of_name(const char *name)
{
	for (int state = INV_HOLD_STATE_HELD; state < INV_HOLD_STATE_EXPIRED; state++)
		if (strcmp(inv_hold_state_names[state], name) == 0)
			return state;
	return INV_HOLD_STATE_EXPIRED;
}

/* ---- a reservation as it stands ---- */

/*
 * The state of the whole: what was sold stays sold; one line past its time makes
 * the reservation dead; a line taken out of a living one does not.
 */
static InvHoldState
reservation_state(InvStore *store, const InvHold *hold)
{
	bool any[4] = { false };

	for (int i = 0; i < hold->count; i++)
		any[hold->lines[i].state] = true;
	if (any[INV_HOLD_STATE_CONFIRMED])
		return INV_HOLD_STATE_CONFIRMED;
	if (any[INV_HOLD_STATE_EXPIRED] || (any[INV_HOLD_STATE_HELD] && hold->expires_at <= store->now))
		return INV_HOLD_STATE_EXPIRED;
	return any[INV_HOLD_STATE_HELD] ? INV_HOLD_STATE_HELD : INV_HOLD_STATE_RELEASED;
}

/* Copy a reservation from the rows of the last statement. */
static void
fill_hold(InvStore *store, InvHold *hold, uint64 rows)
{
	bool isnull;

	hold->count = rows;
	hold->lines = palloc0(sizeof(InvHoldLine) * rows);
	hold->user.value = inv_result(0, 3, &hold->user.isnull);
	hold->created_at = DatumGetTimestampTz(inv_result(0, 7, &isnull));
	hold->expires_at = DatumGetTimestampTz(inv_result(0, 5, &isnull));
	for (uint64 row = 0; row < rows; row++)
	{
		InvHoldLine *line = &hold->lines[row];

		line->item = inv_result(row, 1, &isnull);
		line->quantity = inv_result_int64(row, 2);
		line->state = state_of_name(TextDatumGetCString(inv_result(row, 4, &isnull)));
		line->order = inv_result(row, 6, &line->no_order);
		line->tracked = DatumGetBool(inv_result(row, 8, &isnull));
		if (line->state == INV_HOLD_STATE_HELD)
			hold->expires_at = DatumGetTimestampTz(inv_result(row, 5, &isnull));
	}
	hold->state = reservation_state(store, hold);
}

static char *
hold_text(const InvHold *hold)
{
	return inv_datum_text(UUIDOID, hold->id);
}

/* Read the reservation that an argument names; argument "user" may be -1. */
void
inv_hold_find(InvStore *store, InvHold *hold, FunctionCallInfo fcinfo, int user, bool lock,
			  InvSnapshotMode mode)
{
	InvUser named = inv_getarg_named_user(store, fcinfo, user);
	uint64 rows;

	if (PG_ARGISNULL(1))
		inv_error_null("reservation_id");
	hold->id = PG_GETARG_DATUM(1);
	if (lock)
	{
		/* first its name: whoever changes it could add a line before those we hold by then */
		inv_lock_name(store->items, INV_LOCKTAG_RESERVATION, hold_text(hold));
		inv_execute(store, INV_STMT_LOCK_HOLD, &hold->id, NULL, mode);
	}
	rows = inv_execute(store, INV_STMT_READ_HOLD, &hold->id, NULL, mode);
	if (rows == 0)
		inv_error_reservation_not_found(hold_text(hold));
	/* expiry may have come due while we waited for the lock */
	if (lock)
		store->now = Max(store->now, GetCurrentTimestamp());
	fill_hold(store, hold, rows);
	if (!named.isnull &&
		(hold->user.isnull || !inv_same_user(store, named.value, hold->user.value)))
		inv_error_reservation_not_found(hold_text(hold));
}

/* What the state allows; raises what it forbids. */
InvHoldVerdict
inv_hold_judge(const InvHold *hold, InvHoldMove move)
{
	InvHoldVerdict verdict = verdicts[move][hold->state];

	switch (verdict)
	{
		case INV_HOLD_VERDICT_CONFIRMED:
			inv_error_reservation_confirmed(hold_text(hold));
		case INV_HOLD_VERDICT_RELEASED:
			inv_error_reservation_released(hold_text(hold));
		case INV_HOLD_VERDICT_EXPIRED:
			inv_error_reservation_expired(hold_text(hold), timestamptz_to_str(hold->expires_at));
		default:
			return verdict;
	}
}

/* ---- times ---- */

static TimestampTz
add_interval(TimestampTz instant, Interval *interval)
{
	return DatumGetTimestampTz(DirectFunctionCall2(
		timestamptz_pl_interval, TimestampTzGetDatum(instant), IntervalPGetDatum(interval)));
}

/*
 * When a hold that was created then ends, if it is to last ttl from now: never
 * later than the store's max_ttl after its creation.
 */
TimestampTz
inv_hold_end(InvStore *store, FunctionCallInfo fcinfo, int ttl, TimestampTz created_at)
{
	TimestampTz latest = add_interval(created_at, &store->max_ttl);
	TimestampTz end;

	if (PG_ARGISNULL(ttl))
		return Min(latest,
				   TimestampTzPlusMilliseconds(store->now, (int64) inv_reservation_ttl * 1000));
	end = add_interval(store->now, PG_GETARG_INTERVAL_P(ttl));
	if (end <= store->now)
		inv_error_value("ttl must be more than nothing", NULL);
	if (end > latest)
		inv_error_value("ttl is beyond the store's max_ttl",
						"A hold, extended or not, lasts no longer than that from its creation.");
	return end;
}

/* ---- taking ---- */

/* The movements of a hold that was taken, until "end"; counters are told of that. */
void
inv_hold_book(InvStore *store, const InvTake *takes, int count, const InvUser *user, Datum id,
			  TimestampTz end)
{
	InvBook book;

	inv_book_init(&book, 2 * count);
	for (int i = 0; i < count; i++)
	{
		InvMovement *hold = inv_book_add(&book, takes[i].item, -takes[i].quantity, INV_KIND_HOLD);

		hold->user = *user;
		hold->reservation = id;
		hold->epoch = takes[i].epoch;
		if (takes[i].hot)
			inv_counter_expires(&takes[i].counter, end);
		if (!takes[i].tracked)
			inv_book_add(&book, takes[i].item, takes[i].quantity, INV_KIND_ADJUSTMENT)->reason =
				INV_REASON_UNTRACKED;
	}
	inv_book_write(store, &book);
}

/*
 * Take for a hold.  A single item without a number is not written, and its row
 * not locked: it could be deleted under the hold.
 */
bool
inv_hold_take(InvStore *store, InvTake *takes, int count, const InvUser *user)
{
	if (!inv_take(store, takes, count, user))
		return false;
	if (count == 1 && !takes->tracked &&
		inv_execute(store, INV_STMT_PIN, &takes->item, NULL, INV_SNAPSHOT_LATEST) == 0)
		takes->status = INV_STATUS_ITEM_NOT_FOUND;
	return takes->status == INV_STATUS_OK;
}
