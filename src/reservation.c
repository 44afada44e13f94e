/*
 * reservation.c
 *		Holds: units set aside for a user, for a time.
 *
 * A hold takes from the stock at once; confirming it inserts the order rows and
 * takes nothing more.  A reservation has a line per item.  What may be done to
 * it in which state stands in one table.  Its rows are locked before limits and
 * stock; they are read after the lock, with the latest snapshot.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/int.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/json.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "argument.h"
#include "ledger.h"
#include "order.h"
#include "request.h"
#include "setting.h"
#include "stats.h"
#include "stock.h"
#include "worker.h"

/* ---- states and legal moves ---- */

typedef enum State
{
	HELD,
	CONFIRMED,
	RELEASED,
	EXPIRED
} State;

typedef enum Move
{
	CONFIRM,
	RELEASE,
	EXTEND,
	CHANGE
} Move;

typedef enum Verdict
{
	GO_ON,
	ANSWER_AGAIN, /* it was done already */
	NOTHING_TO_DO,
	IS_CONFIRMED,
	IS_RELEASED,
	IS_EXPIRED
} Verdict;

static const Verdict verdicts[][4] = {
	/*             held        confirmed     released       expired */
	[CONFIRM] = { GO_ON, ANSWER_AGAIN, IS_RELEASED, IS_EXPIRED },
	[RELEASE] = { GO_ON, IS_CONFIRMED, NOTHING_TO_DO, NOTHING_TO_DO },
	[EXTEND] = { GO_ON, IS_CONFIRMED, IS_RELEASED, IS_EXPIRED },
	[CHANGE] = { GO_ON, IS_CONFIRMED, IS_RELEASED, IS_EXPIRED },
};

static const char *const state_names[] = {
	[HELD] = "held",
	[CONFIRMED] = "confirmed",
	[RELEASED] = "released",
	[EXPIRED] = "expired",
};

static State
state_of_name(const char *name)
{
	for (int state = HELD; state < EXPIRED; state++)
		if (strcmp(state_names[state], name) == 0)
			return state;
	return EXPIRED;
}

/* ---- a reservation as it stands ---- */

typedef struct HoldLine
{
	Datum item;
	int64 quantity;
	State state;
	Datum order;
	bool no_order;
	bool tracked; /* the stock was lowered for it */
} HoldLine;

typedef struct Hold
{
	Datum id;
	InvUser user;
	TimestampTz created_at;
	TimestampTz expires_at;
	State state; /* of the whole */
	HoldLine *lines;
	int count;
} Hold;

/*
 * The state of the whole: what was sold stays sold; one line past its time makes
 * the reservation dead; a line taken out of a living one does not.
 */
static State
whole_state(InvStore *store, const Hold *hold)
{
	bool any[4] = { false };

	for (int i = 0; i < hold->count; i++)
		any[hold->lines[i].state] = true;
	if (any[CONFIRMED])
		return CONFIRMED;
	if (any[EXPIRED] || (any[HELD] && hold->expires_at <= store->now))
		return EXPIRED;
	return any[HELD] ? HELD : RELEASED;
}

/* Copy a reservation from the rows of the last statement. */
static void
fill_hold(InvStore *store, Hold *hold, uint64 rows)
{
	bool isnull;

	hold->count = rows;
	hold->lines = palloc0(sizeof(HoldLine) * rows);
	hold->user.value = inv_result(0, 3, &hold->user.isnull);
	hold->created_at = DatumGetTimestampTz(inv_result(0, 7, &isnull));
	hold->expires_at = DatumGetTimestampTz(inv_result(0, 5, &isnull));
	for (uint64 row = 0; row < rows; row++)
	{
		HoldLine *line = &hold->lines[row];

		line->item = inv_result(row, 1, &isnull);
		line->quantity = inv_result_int64(row, 2);
		line->state = state_of_name(TextDatumGetCString(inv_result(row, 4, &isnull)));
		line->order = inv_result(row, 6, &line->no_order);
		line->tracked = DatumGetBool(inv_result(row, 8, &isnull));
		if (line->state == HELD)
			hold->expires_at = DatumGetTimestampTz(inv_result(row, 5, &isnull));
	}
	hold->state = whole_state(store, hold);
}

static char *
hold_text(const Hold *hold)
{
	return inv_datum_text(UUIDOID, hold->id);
}

/* Read the reservation that an argument names; argument "user" may be -1. */
static void
find_hold(InvStore *store, Hold *hold, FunctionCallInfo fcinfo, int user, bool lock, InvView view)
{
	InvUser named = inv_named_user(store, fcinfo, user);
	uint64 locked = 0, rows;

	if (PG_ARGISNULL(1))
		inv_error_null("reservation_id");
	hold->id = PG_GETARG_DATUM(1);
	do
	{
		/* whom we waited for may have added a line: once more, to lock that too */
		if (lock)
			locked = inv_execute(store, INV_LOCK_HOLD, &hold->id, NULL, view);
		rows = inv_execute(store, INV_READ_HOLD, &hold->id, NULL, view);
	} while (lock && rows != locked);
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
static Verdict
judge(const Hold *hold, Move move)
{
	Verdict verdict = verdicts[move][hold->state];

	switch (verdict)
	{
		case IS_CONFIRMED:
			inv_error_reservation_confirmed(hold_text(hold));
		case IS_RELEASED:
			inv_error_reservation_released(hold_text(hold));
		case IS_EXPIRED:
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
static TimestampTz
end_of_hold(InvStore *store, FunctionCallInfo fcinfo, int ttl, TimestampTz created_at)
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

/* ---- reserving ---- */

static Datum
new_uuid(void)
{
	pg_uuid_t *uuid = palloc(UUID_LEN);

	if (!pg_strong_random(uuid, UUID_LEN))
		inv_error_no_random();
	uuid->data[6] = (uuid->data[6] & 0x0f) | 0x40; /* version 4 */
	uuid->data[8] = (uuid->data[8] & 0x3f) | 0x80; /* variant 1 */
	return UUIDPGetDatum(uuid);
}

/* The movements of a hold that was taken. */
static void
book_hold(InvStore *store, const InvTake *takes, int count, const InvUser *user, Datum id)
{
	InvBook book;

	inv_book_init(&book, 2 * count);
	for (int i = 0; i < count; i++)
	{
		InvMovement *hold = inv_book_add(&book, takes[i].item, -takes[i].quantity, "hold");

		hold->user = *user;
		hold->reservation = id;
		if (!takes[i].tracked)
			inv_book_add(&book, takes[i].item, takes[i].quantity, "adjustment")->reason =
				"untracked";
	}
	inv_book_write(store, &book);
}

/*
 * Take for a hold.  A single item without a number is not written, and its row
 * not locked: it could be deleted under the hold.
 */
static bool
take_units(InvStore *store, InvTake *takes, int count, const InvUser *user)
{
	if (!inv_take(store, takes, count, user))
		return false;
	if (count == 1 && !takes->tracked &&
		inv_execute(store, INV_PIN, &takes->item, NULL, INV_LATEST) == 0)
		takes->status = INV_ITEM_NOT_FOUND;
	return takes->status == INV_OK;
}

/* Take the stock and write the reservation; false if the stock refuses. */
static bool
reserve(InvStore *store, InvCart *cart, const InvUser *user, Datum *id, TimestampTz end)
{
	int count = cart->take_count;
	Datum *items = palloc(sizeof(Datum) * count);
	Datum *quantities = palloc(sizeof(Datum) * count);
	Datum *tracked = palloc(sizeof(Datum) * count);
	char nulls[] = { ' ', ' ', ' ', ' ', user->isnull ? 'n' : ' ', ' ', ' ' };
	Datum values[7];

	if (!take_units(store, cart->takes, count, user))
		return false;
	inv_stats_count(INV_UNITS, inv_cart_units(cart));
	inv_worker_need();
	*id = new_uuid();
	for (int i = 0; i < count; i++)
	{
		items[i] = cart->takes[i].item;
		quantities[i] = Int64GetDatum(cart->takes[i].quantity);
		tracked[i] = BoolGetDatum(cart->takes[i].tracked);
	}
	values[0] = *id;
	values[1] = inv_array(store->item_id.base, items, NULL, count);
	values[2] = inv_array(INT8OID, quantities, NULL, count);
	values[3] = inv_array(BOOLOID, tracked, NULL, count);
	values[4] = user->value;
	values[5] = TimestampTzGetDatum(end);
	values[6] = TimestampTzGetDatum(store->now);
	inv_execute(store, INV_HOLD, values, nulls, INV_TRANSACTION);
	book_hold(store, cart->takes, count, user, *id);
	inv_check_limits(store, cart->takes, count, user);
	return true;
}

/* An interval argument in a text that no IntervalStyle changes. */
static char *
interval_text(FunctionCallInfo fcinfo, int argument)
{
	Interval *interval;

	if (PG_ARGISNULL(argument))
		return NULL;
	interval = PG_GETARG_INTERVAL_P(argument);
	return psprintf("%d %d " INT64_FORMAT, interval->month, interval->day, interval->time);
}

PG_FUNCTION_INFO_V1(inventory_reserve_stock);
PG_FUNCTION_INFO_V1(inventory_reserve_cart);
PG_FUNCTION_INFO_V1(inventory_try_reserve_cart);

/*
 * reserve_stock(store_name, user_id, item_id, quantity, ttl, idempotency_key):
 * hold one item; returns the reservation's id.
 */
Datum
inventory_reserve_stock(PG_FUNCTION_ARGS)
{
	InvCall call;
	InvStore *store;
	InvUser user;
	InvRequest request;
	Datum id;

	inv_store_enter(&call, PG_ARGISNULL(0) ? NULL : PG_GETARG_TEXT_PP(0), "reserve_stock");
	store = call.store;
	user = inv_user(store, fcinfo, 1);
	inv_request_init(&request, "reserve_stock", &user, fcinfo, 5);
	if (request.key)
	{
		const char *arguments[] = { PG_ARGISNULL(2)
										? NULL
										: inv_item_text(store, inv_item(store, fcinfo, 2)),
									inv_int64_text(fcinfo, 3), interval_text(fcinfo, 4) };

		inv_request_arguments(&request, arguments, lengthof(arguments));
	}
	if (inv_request_begin(store, &request))
		id = inv_from_text(UUIDOID, inv_request_scalar(&request));
	else
	{
		InvCart cart;

		inv_cart_of_item(store, &cart, inv_item(store, fcinfo, 2),
						 inv_quantity(fcinfo, 3, "quantity"), NULL, INV_FOR_HOLD);
		if (!reserve(store, &cart, &user, &id, end_of_hold(store, fcinfo, 4, store->now)))
			inv_refuse(store, cart.takes, cart.take_count);
		inv_request_end(store, &request, psprintf("\"%s\"", inv_datum_text(UUIDOID, id)));
	}
	id = inv_return(&call, UUIDOID, id);
	inv_store_leave(&call);
	return id;
}

/* ---- reserving a cart ---- */

/* What a cart's reservation answers; refusal is INV_OK if it was made. */
typedef struct CartAnswer
{
	InvStatus refusal;
	char *status;
	Datum id;
	TimestampTz end;
	char *short_lines; /* JSON */
} CartAnswer;

/* The items that were refused, as JSON. */
static char *
short_lines(InvStore *store, const InvCart *cart)
{
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfoChar(&json, '[');
	for (int i = 0; i < cart->take_count; i++)
	{
		const InvTake *take = &cart->takes[i];

		if (take->status == INV_OK)
			continue;
		appendStringInfo(&json, "%s{\"item_id\": ", json.len > 1 ? ", " : "");
		inv_append_id(&json, store->item_id.base, take->item, false);
		appendStringInfo(&json, ", \"status\": \"%s\", \"quantity\": " INT64_FORMAT,
						 inv_status_name(take->status), take->quantity);
		if (take->status != INV_ITEM_NOT_FOUND && take->tracked)
			appendStringInfo(&json, ", \"available\": " INT64_FORMAT,
							 inv_available(take->stock, take->floor));
		appendStringInfoChar(&json, '}');
	}
	appendStringInfoChar(&json, ']');
	return json.data;
}

/* The answer as JSON, for the idempotency key. */
static char *
answer_json(const CartAnswer *answer)
{
	char end[MAXDATELEN + 1];

	if (answer->refusal != INV_OK)
		return psprintf("{\"status\": \"%s\", \"short_lines\": %s}", answer->status,
						answer->short_lines);
	/* in ISO 8601, which every DateStyle reads alike */
	(void) JsonEncodeDateTime(end, TimestampTzGetDatum(answer->end), TIMESTAMPTZOID, NULL);
	return psprintf("{\"status\": \"ok\", \"reservation_id\": \"%s\", \"expires_at\": \"%s\"}",
					inv_datum_text(UUIDOID, answer->id), end);
}

/* The answer again from what was kept. */
static void
replay_answer(Jsonb *kept, CartAnswer *answer)
{
	char *id = inv_json_field(kept, "reservation_id");

	answer->status = inv_json_field(kept, "status");
	answer->refusal = id ? INV_OK : INV_OUT_OF_STOCK;
	answer->short_lines = inv_json_field(kept, "short_lines");
	if (id)
	{
		answer->id = inv_from_text(UUIDOID, id);
		answer->end =
			DatumGetTimestampTz(inv_from_text(TIMESTAMPTZOID, inv_json_field(kept, "expires_at")));
	}
}

/* The first of existence, limits, stock that was refused. */
static InvStatus
first_refusal(const InvCart *cart)
{
	InvStatus first = INV_OUT_OF_STOCK;

	for (int i = 0; i < cart->take_count; i++)
		if (cart->takes[i].status != INV_OK)
			first = Min(first, cart->takes[i].status);
	return first;
}

static void
reserve_cart(InvStore *store, FunctionCallInfo fcinfo, const char *operation, bool try,
			 CartAnswer *answer)
{
	Jsonb *lines = PG_ARGISNULL(2) ? NULL : PG_GETARG_JSONB_P(2);
	InvUser user = inv_user(store, fcinfo, 1);
	InvRequest request;
	InvCart cart;

	inv_request_init(&request, operation, &user, fcinfo, 4);
	if (request.key)
	{
		const char *arguments[] = { inv_jsonb_text(lines), interval_text(fcinfo, 3) };

		inv_request_arguments(&request, arguments, lengthof(arguments));
	}
	if (inv_request_begin(store, &request))
	{
		replay_answer(request.replay, answer);
		return;
	}
	if (lines == NULL)
		inv_error_null("lines");
	inv_cart_of_lines(store, &cart, lines, NULL, INV_FOR_HOLD);
	answer->end = end_of_hold(store, fcinfo, 3, store->now);
	answer->refusal = INV_OK;
	if (!reserve(store, &cart, &user, &answer->id, answer->end))
	{
		if (!try)
			inv_refuse(store, cart.takes, cart.take_count);
		answer->refusal = first_refusal(&cart);
		answer->short_lines = short_lines(store, &cart);
		inv_count_refusals(cart.takes, cart.take_count);
	}
	answer->status = pstrdup(inv_status_name(answer->refusal));
	inv_request_end(store, &request, answer_json(answer));
}

/*
 * reserve_cart(store_name, user_id, lines, ttl, idempotency_key): hold all lines
 * or none; returns the reservation's id.
 */
Datum
inventory_reserve_cart(PG_FUNCTION_ARGS)
{
	InvCall call;
	CartAnswer answer = { 0 };
	Datum id;

	inv_store_enter(&call, PG_ARGISNULL(0) ? NULL : PG_GETARG_TEXT_PP(0), "reserve_cart");
	reserve_cart(call.store, fcinfo, "reserve_cart", false, &answer);
	id = inv_return(&call, UUIDOID, answer.id);
	inv_store_leave(&call);
	return id;
}

/*
 * try_reserve_cart(store_name, user_id, lines, ttl, idempotency_key, witness): the
 * same, with a refusal as a status.
 */
Datum
inventory_try_reserve_cart(PG_FUNCTION_ARGS)
{
	InvCall call;
	CartAnswer answer = { 0 };
	TupleDesc desc;
	Datum values[4] = { 0 }, result;
	bool nulls[4] = { false, true, true, true };
	static const Oid types[] = { TEXTOID, UUIDOID, TIMESTAMPTZOID, JSONBOID };

	inv_store_enter(&call, PG_ARGISNULL(0) ? NULL : PG_GETARG_TEXT_PP(0), "try_reserve_cart");
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		inv_error_broken_store(call.store->label, "The caller's type of an answer is no row.");
	inv_check_row_type(call.store, desc, types, 4);
	reserve_cart(call.store, fcinfo, "try_reserve_cart", true, &answer);
	values[0] = CStringGetTextDatum(answer.status);
	if (answer.refusal == INV_OK)
	{
		values[1] = answer.id;
		values[2] = TimestampTzGetDatum(answer.end);
		nulls[1] = nulls[2] = false;
	}
	else
	{
		values[3] = DirectFunctionCall1(jsonb_in, CStringGetDatum(answer.short_lines));
		nulls[3] = false;
	}
	result = HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
	result = inv_return(&call, desc->tdtypeid, result);
	inv_store_leave(&call);
	return result;
}

/* ---- giving back ---- */

/* Give units of a line back to the stock, and book it. */
static void
give_line(InvStore *store, const Hold *hold, const HoldLine *line, int64 quantity)
{
	InvGive give = { line->item, quantity, false };
	InvBook book;

	if (line->tracked)
		inv_give(store, &give, 1, INV_LATEST);
	inv_stats_count(INV_UNITS, quantity);
	inv_book_init(&book, 2);
	inv_book_return(&book, line->item, quantity, "release", &hold->user, hold->id, give.tracked);
	inv_book_write(store, &book);
}

/* Release the held lines, which stand in key order. */
static void
release(InvStore *store, const Hold *hold)
{
	Datum values[] = { hold->id, (Datum) 0 };
	char nulls[] = { ' ', 'n' };
	InvGive *gives = palloc(sizeof(InvGive) * hold->count);
	InvBook book;
	int count = 0, given = 0;

	inv_execute(store, INV_RELEASE_HOLD, values, nulls, INV_LATEST);
	for (int i = 0; i < hold->count; i++)
		if (hold->lines[i].state == HELD && hold->lines[i].tracked)
		{
			gives[count].item = hold->lines[i].item;
			gives[count++].quantity = hold->lines[i].quantity;
		}
	if (count > 0)
		inv_give(store, gives, count, INV_LATEST);
	inv_book_init(&book, 2 * hold->count);
	for (int i = 0; i < hold->count; i++)
	{
		const HoldLine *line = &hold->lines[i];

		if (line->state != HELD)
			continue;
		inv_stats_count(INV_UNITS, line->quantity);
		inv_book_return(&book, line->item, line->quantity, "release", &hold->user, hold->id,
						line->tracked && gives[given++].tracked);
	}
	inv_book_write(store, &book);
}

PG_FUNCTION_INFO_V1(inventory_release_reservation);
PG_FUNCTION_INFO_V1(inventory_extend_reservation);
PG_FUNCTION_INFO_V1(inventory_change_reservation);
PG_FUNCTION_INFO_V1(inventory_confirm_reservation);
PG_FUNCTION_INFO_V1(inventory_get_reservation);

/*
 * release_reservation(store_name, reservation_id, user_id): true if this call gave
 * it back, false if it was released or expired already.
 */
Datum
inventory_release_reservation(PG_FUNCTION_ARGS)
{
	InvCall call;
	Hold hold;
	bool released;

	inv_store_enter(&call, PG_ARGISNULL(0) ? NULL : PG_GETARG_TEXT_PP(0), "release_reservation");
	find_hold(call.store, &hold, fcinfo, 2, true, INV_LATEST);
	released = judge(&hold, RELEASE) == GO_ON;
	if (released)
		release(call.store, &hold);
	inv_store_leave(&call);
	PG_RETURN_BOOL(released);
}

/*
 * extend_reservation(store_name, reservation_id, ttl, user_id): let a hold last
 * ttl from now, never shorter than it would; returns when it ends.
 */
Datum
inventory_extend_reservation(PG_FUNCTION_ARGS)
{
	InvCall call;
	Hold hold;
	TimestampTz end;

	inv_store_enter(&call, PG_ARGISNULL(0) ? NULL : PG_GETARG_TEXT_PP(0), "extend_reservation");
	find_hold(call.store, &hold, fcinfo, 3, true, INV_LATEST);
	judge(&hold, EXTEND);
	end = end_of_hold(call.store, fcinfo, 2, hold.created_at);
	if (end > hold.expires_at)
	{
		Datum values[] = { hold.id, TimestampTzGetDatum(end) };

		inv_execute(call.store, INV_EXTEND_HOLD, values, NULL, INV_LATEST);
	}
	inv_store_leave(&call);
	PG_RETURN_TIMESTAMPTZ(Max(end, hold.expires_at));
}

/* ---- changing ---- */

static HoldLine *
line_of_item(InvStore *store, Hold *hold, Datum item)
{
	for (int i = 0; i < hold->count; i++)
		if (inv_item_compare(store, hold->lines[i].item, item) == 0)
			return &hold->lines[i];
	return NULL;
}

/* Set a line's quantity in the reservation. */
static void
put_line(InvStore *store, const Hold *hold, Datum item, int64 quantity, bool tracked)
{
	Datum values[] = { hold->id,
					   item,
					   Int64GetDatum(quantity),
					   BoolGetDatum(tracked),
					   hold->user.value,
					   TimestampTzGetDatum(hold->expires_at),
					   TimestampTzGetDatum(hold->created_at) };
	char nulls[] = { ' ', ' ', ' ', ' ', hold->user.isnull ? 'n' : ' ', ' ', ' ' };

	inv_execute(store, INV_PUT_HOLD, values, nulls, INV_LATEST);
}

/* Hold more of an item. */
static void
enlarge(InvStore *store, Hold *hold, const HoldLine *line, Datum item, int64 more, int64 quantity)
{
	InvTake take = { 0 };

	take.item = item;
	take.quantity = more;
	if (!take_units(store, &take, 1, &hold->user))
		inv_refuse(store, &take, 1);
	if (line && line->state == HELD && line->tracked != take.tracked)
		inv_error_value("the item's stock began or ceased to be tracked since it was reserved",
						"Release the reservation and make a new one.");
	inv_stats_count(INV_UNITS, more);
	book_hold(store, &take, 1, &hold->user, hold->id);
	put_line(store, hold, item, quantity, take.tracked);
}

/* Hold less of an item, or nothing. */
static void
reduce(InvStore *store, const Hold *hold, const HoldLine *line, int64 less, int64 quantity)
{
	if (quantity > 0)
		put_line(store, hold, line->item, quantity, line->tracked);
	else
	{
		Datum values[] = { hold->id, line->item };

		inv_execute(store, INV_RELEASE_HOLD, values, NULL, INV_LATEST);
	}
	give_line(store, hold, line, less);
}

/*
 * change_reservation(store_name, reservation_id, item_id, quantity, user_id): hold
 * so many units of an item, 0 for none; returns when the reservation ends.
 */
Datum
inventory_change_reservation(PG_FUNCTION_ARGS)
{
	InvCall call;
	InvStore *store;
	Hold hold;
	HoldLine *line;
	Datum item;
	int64 quantity, held;

	inv_store_enter(&call, PG_ARGISNULL(0) ? NULL : PG_GETARG_TEXT_PP(0), "change_reservation");
	store = call.store;
	item = inv_item(store, fcinfo, 2);
	if (PG_ARGISNULL(3))
		inv_error_null("quantity");
	quantity = PG_GETARG_INT64(3);
	if (quantity < 0)
		inv_error_value(psprintf("quantity must not be negative, as " INT64_FORMAT " is", quantity),
						"0 removes the line.");
	find_hold(store, &hold, fcinfo, 4, true, INV_LATEST);
	judge(&hold, CHANGE);
	if (quantity > 0)
		inv_check_held(store, quantity);
	line = line_of_item(store, &hold, item);
	held = line && line->state == HELD ? line->quantity : 0;
	if (held == 0 && quantity > 0 && hold.count >= INV_MAX_LINES)
		inv_error_too_many_lines(hold.count + 1, INV_MAX_LINES);
	if (quantity > held)
		enlarge(store, &hold, line, item, quantity - held, quantity);
	else if (quantity < held)
		reduce(store, &hold, line, held - quantity, quantity);
	inv_store_leave(&call);
	PG_RETURN_TIMESTAMPTZ(hold.expires_at);
}

/* ---- confirming ---- */

/* The held lines as what a cart takes, without taking. */
static InvTake *
held_takes(const Hold *hold, State state, int *count)
{
	InvTake *takes = palloc0(sizeof(InvTake) * hold->count);

	*count = 0;
	for (int i = 0; i < hold->count; i++)
	{
		if (hold->lines[i].state != state)
			continue;
		takes[*count].item = hold->lines[i].item;
		takes[(*count)++].quantity = hold->lines[i].quantity;
	}
	return takes;
}

/* What was held becomes what is sold: the stock has it already. */
static void
book_confirmed(InvStore *store, const InvCart *cart, const Hold *hold)
{
	InvBook book;

	inv_book_init(&book, 2 * cart->line_count);
	for (int i = 0; i < cart->line_count; i++)
	{
		const InvLine *line = &cart->lines[i];
		InvMovement *held = inv_book_add(&book, line->item, line->quantity, "release");
		InvMovement *sale = inv_book_add(&book, line->item, -line->quantity, "sale");

		held->user = sale->user = hold->user;
		held->reservation = sale->reservation = hold->id;
		sale->order = line->order;
		sale->no_order = line->no_order;
	}
	inv_book_write(store, &book);
}

static void
confirm(InvStore *store, InvCart *cart, const Hold *hold)
{
	Datum *items = palloc(sizeof(Datum) * cart->line_count);
	Datum *orders = palloc(sizeof(Datum) * cart->line_count);
	bool *no_order = palloc(sizeof(bool) * cart->line_count);
	Datum values[3];

	inv_stats_count(INV_UNITS, inv_cart_units(cart));
	inv_insert_cart(store, cart, &hold->user);
	for (int i = 0; i < cart->line_count; i++)
	{
		items[i] = cart->lines[i].item;
		orders[i] = cart->lines[i].order;
		no_order[i] = cart->lines[i].no_order;
	}
	values[0] = hold->id;
	values[1] = inv_array(store->item_id.base, items, NULL, cart->line_count);
	values[2] = inv_array(store->order_type, orders, no_order, cart->line_count);
	inv_execute(store, INV_CONFIRM_HOLD, values, NULL, INV_LATEST);
	book_confirmed(store, cart, hold);
}

/*
 * confirm_reservation(store_name, reservation_id, user_id, order_data, witness):
 * insert the order rows of what is held; returns a row per line, and the same
 * again when called again.
 */
Datum
inventory_confirm_reservation(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Jsonb *order_data = PG_ARGISNULL(3) ? NULL : PG_GETARG_JSONB_P(3);
	InvCall call;
	InvStore *store;
	Hold hold;
	InvCart cart = { 0 };
	bool replayed;

	InitMaterializedSRF(fcinfo, 0);
	inv_store_enter(&call, PG_ARGISNULL(0) ? NULL : PG_GETARG_TEXT_PP(0), "confirm_reservation");
	store = call.store;
	inv_check_line_type(store, result->setDesc);
	find_hold(store, &hold, fcinfo, 2, true, INV_LATEST);
	replayed = judge(&hold, CONFIRM) == ANSWER_AGAIN;
	cart.takes = held_takes(&hold, hold.state, &cart.take_count);
	if (replayed)
	{
		cart.line_count = 0;
		cart.lines = palloc0(sizeof(InvLine) * hold.count);
		for (int i = 0; i < hold.count; i++)
		{
			InvLine *line = &cart.lines[cart.line_count];

			if (hold.lines[i].state != CONFIRMED)
				continue;
			line->item = hold.lines[i].item;
			line->quantity = hold.lines[i].quantity;
			line->order = hold.lines[i].order;
			line->no_order = hold.lines[i].no_order;
			line->take = cart.line_count++;
		}
	}
	else
	{
		inv_cart_of_hold(store, &cart, cart.takes, cart.take_count, order_data);
		confirm(store, &cart, &hold);
	}
	inv_row_read_many(store, cart.takes, cart.take_count, false);
	for (int i = 0; i < cart.take_count; i++)
	{
		/* sold is sold, also if the item is for sale no longer */
		cart.takes[i].tracked &= cart.takes[i].status == INV_OK;
		cart.takes[i].status = INV_OK;
	}
	inv_return_lines(store, &cart, true, replayed, result);
	inv_store_leave(&call);
	return (Datum) 0;
}

/* ---- looking ---- */

/*
 * get_reservation(store_name, reservation_id, witness): a row per line, with the
 * state as it is at this instant.
 */
Datum
inventory_get_reservation(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	InvCall call;
	InvStore *store;
	Hold hold;
	Oid types[] = { TEXTOID, TIMESTAMPTZOID, InvalidOid, InvalidOid, InvalidOid };

	InitMaterializedSRF(fcinfo, 0);
	inv_store_enter(&call, PG_ARGISNULL(0) ? NULL : PG_GETARG_TEXT_PP(0), NULL);
	store = call.store;
	types[2] = store->item_id.base;
	types[3] = store->stock.base;
	types[4] = store->order_type;
	inv_check_row_type(store, result->setDesc, types, 5);
	find_hold(store, &hold, fcinfo, -1, false, INV_READ_ONLY);
	for (int i = 0; i < hold.count; i++)
	{
		HoldLine *line = &hold.lines[i];
		Datum values[] = { CStringGetTextDatum(state_names[hold.state]),
						   TimestampTzGetDatum(hold.expires_at), line->item,
						   inv_quantity_datum(store, line->quantity), line->order };
		bool nulls[] = { false, false, false, false, line->no_order };

		/* a line that was taken out of a living reservation is no part of it */
		if (line->state == RELEASED && hold.state != RELEASED)
			continue;
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	inv_store_leave(&call);
	return (Datum) 0;
}
