/*
 * hold.c
 *		A reservation: its state, its end, and what may be done to it.
 *
 * A reservation has a line per item.  One table says what each state allows.
 * Locks: its name and its rows are locked before limits and stock rows, and read
 * with the latest snapshot after that.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/json.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "base/compat.h"
#include "base/datum.h"
#include "base/error.h"
#include "base/guc.h"
#include "base/lock.h"
#include "shmem/counter.h"
#include "store/binding.h"
#include "store/claim.h"
#include "store/column.h"
#include "store/ledger_schema.h"
#include "store/query.h"
#include "store/query_text.h"
#include "stock/ledger.h"
#include "stock/quantity.h"
#include "stock/take.h"
#include "commands/argument.h"
#include "commands/hold.h"
#include "commands/hold_row.h"
#include "commands/idempotency.h"

/* ---- states and legal moves ---- */

static const InvHoldVerdict verdicts[][4] = {
	/*             held        confirmed     released       expired */
	[INV_MOVE_CONFIRM] = { INV_VERDICT_PROCEED, INV_VERDICT_REPLAY, INV_VERDICT_RELEASED,
						   INV_VERDICT_EXPIRED },
	[INV_MOVE_RELEASE] = { INV_VERDICT_PROCEED, INV_VERDICT_CONFIRMED, INV_VERDICT_NOTHING,
						   INV_VERDICT_NOTHING },
	[INV_MOVE_EXTEND] = { INV_VERDICT_PROCEED, INV_VERDICT_CONFIRMED, INV_VERDICT_RELEASED,
						  INV_VERDICT_EXPIRED },
	[INV_MOVE_REPEAT] = { INV_VERDICT_REPLAY, INV_VERDICT_REPLAY, INV_VERDICT_RELEASED,
						  INV_VERDICT_EXPIRED },
	[INV_MOVE_CHANGE] = { INV_VERDICT_PROCEED, INV_VERDICT_CONFIRMED, INV_VERDICT_RELEASED,
						  INV_VERDICT_EXPIRED },
};

/* ---- reading ---- */

/*
 * The state of a reservation by its lines.  A confirmed line makes it confirmed; else
 * one line past its time makes it expired.  A line that was removed from a held
 * reservation is released and does not change its state.
 */
static InvHoldState
reservation_state(InvStore *store, const InvHold *hold)
{
	bool any[INV_HOLD_EXPIRED + 1] = { false };

	Assert(hold->count > 0);
	for (int i = 0; i < hold->count; i++)
		any[hold->lines[i].state] = true;
	if (any[INV_HOLD_CONFIRMED])
		return INV_HOLD_CONFIRMED;
	if (any[INV_HOLD_EXPIRED] || (any[INV_HOLD_HELD] && hold->expires_at <= store->now))
		return INV_HOLD_EXPIRED;
	return any[INV_HOLD_HELD] ? INV_HOLD_HELD : INV_HOLD_RELEASED;
}

static char *
hold_text(const InvHold *hold)
{
	return inv_datum_text(UUIDOID, hold->id);
}

/* The facts about a reservation. */
InvFacts *
inv_reservation_facts(InvStore *store, Datum id)
{
	InvFacts *facts = inv_facts(store->ledger[INV_LEDGER_RESERVATIONS], "reservation_id");

	facts->name = inv_datum_text(UUIDOID, id);
	inv_fact_text(facts, "reservation_id", facts->name);
	return facts;
}

/* Raise IV005. */
INV_NORETURN static void
error_expired(InvStore *store, const InvHold *hold)
{
	InvFacts *facts = inv_reservation_facts(store, hold->id);
	char end[MAXDATELEN + 1];

	(void) JsonEncodeDateTime(end, TimestampTzGetDatum(hold->expires_at), TIMESTAMPTZOID, NULL);
	inv_fact_text(facts, "expires_at", end);
	inv_error_reservation_expired(facts, timestamptz_to_str(hold->expires_at));
}

/* Lock a reservation, and read it as it is then. */
static void
lock_hold(InvStore *store, InvHold *hold)
{
	/* the name first: change_reservation could add a line before those locked here */
	inv_lock_name(store->items, INV_LOCKTAG_RESERVATION, hold_text(hold));
	inv_hold_lock_rows(store, hold);
	/* it may have expired while the lock was waited for */
	store->now = Max(store->now, GetCurrentTimestamp());
}

/*
 * Was an id released before there was a reservation with it?  That is kept among the idempotency
 * keys, for all users, until prune() deletes it.  If it is to be released, it is kept now, if the caller
 * is an operator: a buyer could fill the shop's tables with ids.  Expects the id to be locked.
 */
static bool
was_released_before(InvStore *store, InvHold *hold, InvHoldUse use)
{
	InvRequest request;

	Assert(hold->count == 0);
	if (!inv_request_find(&request, store, "release_reservation", hold_text(hold)))
	{
		if (use != INV_HOLD_TO_FORBID &&
			(use != INV_HOLD_TO_RELEASE || !inv_is_operator(store, GetOuterUserId())))
			return false;
		inv_request_end(store, &request, "false");
	}
	hold->state = INV_HOLD_RELEASED;
	return true;
}

/*
 * Lock the id that a caller gives a reservation, and read the reservation if it exists already,
 * or its state alone if it was released before; else false.
 */
bool
inv_hold_find_given(InvStore *store, InvHold *hold, Datum id)
{
	memset(hold, 0, sizeof(*hold));
	hold->id = id;
	lock_hold(store, hold);
	if (hold->count == 0)
		return was_released_before(store, hold, INV_HOLD_TO_CHANGE);
	hold->state = reservation_state(store, hold);
	return true;
}

/*
 * Read the reservation with an id; raises IV004 if there is none.  One that was released before it
 * was made, or is now, has a state and no lines; it is nothing to read.
 */
void
inv_hold_find_id(InvStore *store, InvHold *hold, Datum id, InvHoldUse use)
{
	memset(hold, 0, sizeof(*hold));
	hold->id = id;
	if (use == INV_HOLD_TO_READ)
		inv_hold_read_rows(store, hold, INV_SNAPSHOT_READ_ONLY);
	else
		lock_hold(store, hold);
	if (hold->count == 0 && use != INV_HOLD_TO_READ && was_released_before(store, hold, use))
		return;
	if (hold->count == 0)
		inv_error_reservation_not_found(inv_reservation_facts(store, hold->id));
	hold->state = reservation_state(store, hold);
}

/*
 * Is it the id of a part of a cart over several databases?  It is a UUID of version 8 with a mark, as
 * attempt_id() of scale/plproxy/node.sql makes it.
 */
bool
inv_is_part_id(Datum id)
{
	const unsigned char *data = DatumGetUUIDP(id)->data;

	return data[6] == 0x8c && data[7] == 0xa7;
}

/*
 * Read the reservation that argument 1 names, as inv_hold_find_id does.  user is the number of the
 * argument with the user, or -1.  Raises IV004 also if it is another user's, or is to be changed and is a
 * part of a cart, which the decision of the cart ends.
 */
void
inv_hold_find(InvStore *store, InvHold *hold, FunctionCallInfo fcinfo, int user, InvHoldUse use)
{
	InvUser named = inv_getarg_named_user(store, fcinfo, user);

	if (PG_ARGISNULL(1))
		inv_error_null("reservation_id");
	if (use != INV_HOLD_TO_READ && inv_is_part_id(PG_GETARG_DATUM(1)))
		inv_error_part_of_cart(inv_reservation_facts(store, PG_GETARG_DATUM(1)));
	inv_hold_find_id(store, hold, PG_GETARG_DATUM(1), use);
	if (hold->count > 0 && !named.isnull &&
		(hold->user.isnull || !inv_same_user(store, named.value, hold->user.value)))
		inv_error_reservation_not_found(inv_reservation_facts(store, hold->id));
}

/* Has the reservation that a call has answered before ended without an order? */
bool
inv_hold_has_ended(InvStore *store, Datum id)
{
	InvHold hold = { .id = id };

	inv_hold_read_rows(store, &hold, INV_SNAPSHOT_LATEST);
	/* prune() has deleted it, and does not delete what is held */
	if (hold.count == 0)
		return true;
	hold.state = reservation_state(store, &hold);
	/* overdue: a transaction that has extended it in time may still be running */
	if (hold.state == INV_HOLD_EXPIRED && inv_hold_count_held(&hold) > 0)
	{
		lock_hold(store, &hold);
		hold.state = reservation_state(store, &hold);
	}
	return hold.state == INV_HOLD_EXPIRED || hold.state == INV_HOLD_RELEASED;
}

/* What the reservation's state says to a move; raises IV005, IV006 or IV007 if it forbids it. */
InvHoldVerdict
inv_hold_judge(InvStore *store, const InvHold *hold, InvHoldMove move)
{
	InvHoldVerdict verdict;

	Assert((size_t) move < lengthof(verdicts));
	verdict = verdicts[move][hold->state];
	switch (verdict)
	{
		case INV_VERDICT_CONFIRMED:
			inv_error_reservation_confirmed(inv_reservation_facts(store, hold->id));
		case INV_VERDICT_RELEASED:
			inv_error_reservation_released(inv_reservation_facts(store, hold->id));
		case INV_VERDICT_EXPIRED:
			error_expired(store, hold);
		default:
			return verdict;
	}
}

/*
 * Raise if a reservation, which this transaction has locked, is not as it was read: a trigger
 * of the shop, fired by what this call has written, can call the engine, and then change,
 * release or expire what is held.
 */
void
inv_hold_check_unchanged(InvStore *store, const InvHold *hold)
{
	InvHold now = { .id = hold->id };
	bool unchanged;

	inv_hold_read_rows(store, &now, INV_SNAPSHOT_LATEST);
	if (now.count == 0)
		inv_error_reservation_not_found(inv_reservation_facts(store, hold->id));
	now.state = reservation_state(store, &now);
	unchanged = now.count == hold->count;
	for (int i = 0; unchanged && i < now.count; i++)
		unchanged = inv_item_compare(store, now.lines[i].item, hold->lines[i].item) == 0 &&
					now.lines[i].state == hold->lines[i].state &&
					now.lines[i].quantity == hold->lines[i].quantity;
	if (unchanged)
		return;
	(void) inv_hold_judge(store, &now, INV_MOVE_CHANGE);
	inv_error_busy(inv_item_facts(store, hold->lines[0].item),
				   "a trigger has changed the reservation");
}

/* ---- times ---- */

/* Without a time zone: the caller could choose one in which a day has any length. */
static TimestampTz
add_interval(TimestampTz instant, Interval *interval)
{
	return DatumGetTimestampTz(DirectFunctionCall2(
		timestamp_pl_interval, TimestampTzGetDatum(instant), IntervalPGetDatum(interval)));
}

/*
 * The end of a reservation that is to last from now for argument "ttl", or for
 * inventory.reservation_ttl where that is null.  It is at most the store's max_ttl
 * after its creation: a longer ttl is refused (22023), the default is shortened.
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
		inv_error_value("ttl must be greater than zero", NULL);
	if (end > latest)
		inv_error_value("ttl is beyond the store's max_ttl",
						"A reservation, extended or not, ends at most max_ttl after its creation.");
	return end;
}

/* ---- taking ---- */

/* Write the movements of units that were taken for a hold until "end". */
void
inv_hold_book(InvStore *store, const InvTake *takes, int count, const InvUser *user, Datum id,
			  TimestampTz end)
{
	InvBook book;

	Assert(count > 0);
	inv_book_init(&book, 2 * count);
	for (int i = 0; i < count; i++)
	{
		InvMovement *hold = inv_book_add(&book, takes[i].item, -takes[i].quantity, INV_KIND_HOLD);

		hold->user = *user;
		hold->reservation = id;
		hold->epoch = takes[i].epoch;
		if (takes[i].hot)
			inv_counter_note_expiry(&takes[i].counter, end);
		if (!takes[i].tracked)
			inv_book_add(&book, takes[i].item, takes[i].quantity, INV_KIND_ADJUSTMENT)->reason =
				INV_REASON_UNTRACKED;
	}
	inv_book_write(store, &book);
}

/*
 * Take units for a hold.  A single untracked item is neither written nor locked by
 * that, so it is locked here, lest it be deleted while it is held.
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
