/*
 * reserve.c
 *		New reservations: reserve_stock, reserve_cart, try_reserve_cart.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/json.h"
#include "utils/uuid.h"

#include "base/compat.h"
#include "base/datum.h"
#include "base/error.h"
#include "store/binding.h"
#include "store/enter.h"
#include "stock/quantity.h"
#include "commands/answer.h"
#include "commands/argument.h"
#include "commands/call.h"
#include "commands/cart.h"
#include "commands/hold.h"
#include "commands/idempotency.h"
#include "commands/new_hold.h"
#include "commands/refusal.h"

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

/* The reservation that has the id which the caller gives as argument "given", if any. */
static bool
find_given(InvStore *store, FunctionCallInfo fcinfo, int given, const InvCart *cart,
		   const InvUser *user, InvHold *hold)
{
	if (PG_ARGISNULL(given))
		return false;
	if (inv_is_part_id(PG_GETARG_DATUM(given)))
		inv_error_value("reservation_id must not be that of a part of a cart",
						"Give a random uuid.");
	return inv_find_repeated(store, cart, user, PG_GETARG_DATUM(given), hold);
}

/* The id of a new reservation: the caller's, or one that is made here. */
static Datum
id_of_new(FunctionCallInfo fcinfo, int given)
{
	return PG_ARGISNULL(given) ? new_uuid() : PG_GETARG_DATUM(given);
}

/* Raise because the reservation that a key was used for has ended (IV005). */
INV_NORETURN static void
error_kept_ended(InvStore *store, Datum id, const InvRequest *request)
{
	InvFacts *facts = inv_reservation_facts(store, id);

	inv_fact_text(facts, "idempotency_key", request->key);
	inv_error_kept_reservation_ended(facts, request->key);
}

PG_FUNCTION_INFO_V1(inventory_reserve_stock);
PG_FUNCTION_INFO_V1(inventory_reserve_cart);
PG_FUNCTION_INFO_V1(inventory_try_reserve_cart);

/*
 * reserve_stock(store_name, user_id, item_id, quantity, ttl, idempotency_key, reservation_id):
 * holds units of one item; returns the reservation's id.
 */
Datum
inventory_reserve_stock(PG_FUNCTION_ARGS)
{
	InvCall call;
	InvStore *store;
	InvUser user;
	InvRequest request;
	Datum id;

	inv_call_enter(&call, inv_getarg_store_name(fcinfo), "reserve_stock");
	store = call.store;
	user = inv_getarg_user(store, fcinfo, 1);
	if (inv_request_begin(&request, store, "reserve_stock", &user, fcinfo, 5, store->item_id.base))
	{
		id = inv_request_value(store, &request, UUIDOID);
		if (inv_hold_has_ended(store, id))
			error_kept_ended(store, id, &request);
	}
	else
	{
		InvCart cart;
		InvHold hold;
		TimestampTz end;

		inv_cart_of_item(store, &cart, inv_getarg_item(store, fcinfo, 2),
						 inv_getarg_quantity(fcinfo, 3, "quantity"), NULL, INV_PURPOSE_HOLD);
		end = inv_hold_end(store, fcinfo, 4, store->now);
		id = id_of_new(fcinfo, 6);
		if (find_given(store, fcinfo, 6, &cart, &user, &hold))
			inv_hold_judge(store, &hold, INV_MOVE_REPEAT);
		else if (!inv_reserve_units(store, &cart, &user, id, &end))
			inv_refuse(store, cart.takes, &user);
		inv_request_end(store, &request, psprintf("\"%s\"", inv_datum_text(UUIDOID, id)));
	}
	id = inv_copy_result(&call, UUIDOID, id);
	inv_store_leave(&call);
	return id;
}

/* ---- carts ---- */

/* The answer of reserve_cart; refusal is INV_STATUS_OK if the reservation was made. */
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

		if (take->status == INV_STATUS_OK)
			continue;
		appendStringInfo(&json, "%s{\"item_id\": ", json.len > 1 ? ", " : "");
		inv_append_id(&json, store->item_id.base, take->item, false);
		appendStringInfo(&json, ", \"status\": \"%s\", \"quantity\": " INT64_FORMAT,
						 inv_status_name(take->status), take->quantity);
		if (take->status != INV_STATUS_ITEM_NOT_FOUND && take->tracked)
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

	if (answer->refusal != INV_STATUS_OK)
		return psprintf("{\"status\": \"%s\", \"short_lines\": %s}", answer->status,
						answer->short_lines);
	/* in ISO 8601, which has one meaning under every DateStyle */
	(void) JsonEncodeDateTime(end, TimestampTzGetDatum(answer->end), TIMESTAMPTZOID, NULL);
	return psprintf("{\"status\": \"ok\", \"reservation_id\": \"%s\", \"expires_at\": \"%s\"}",
					inv_datum_text(UUIDOID, answer->id), end);
}

/* The answer that was kept under the key; try: it can be a refusal. */
static void
replay_answer(InvStore *store, Jsonb *kept, bool try, CartAnswer *answer)
{
	char *id = inv_json_field(kept, "reservation_id");
	char *end = inv_json_field(kept, "expires_at");

	answer->status = inv_json_field(kept, "status");
	answer->refusal = id ? INV_STATUS_OK : INV_STATUS_OUT_OF_STOCK;
	answer->short_lines = inv_json_field(kept, "short_lines");
	if (answer->status == NULL || (id == NULL) != (end == NULL) ||
		(id == NULL && (!try || answer->short_lines == NULL)))
		inv_error_kept_answer(store);
	if (id)
	{
		answer->id = inv_from_text(UUIDOID, id);
		answer->end = DatumGetTimestampTz(inv_from_text(TIMESTAMPTZOID, end));
	}
}

/* The answer to a call that is repeated with the id of its reservation. */
static void
repeat_answer(InvStore *store, const InvHold *hold, bool try, CartAnswer *answer)
{
	answer->end = hold->expires_at;
	if (try && hold->state == INV_HOLD_EXPIRED)
		answer->refusal = INV_STATUS_RESERVATION_EXPIRED;
	else if (try && hold->state == INV_HOLD_RELEASED)
		answer->refusal = INV_STATUS_RESERVATION_RELEASED;
	else
		inv_hold_judge(store, hold, INV_MOVE_REPEAT);
	if (answer->refusal != INV_STATUS_OK)
		answer->short_lines = pstrdup("[]"); /* no line is at fault */
}

/*
 * Hold the lines of a cart until answer->end.  The caller can give an id as argument "given".  try: a
 * refusal is an answer.
 */
static void
hold_cart(InvStore *store, FunctionCallInfo fcinfo, int given, InvCart *cart, const InvUser *user,
		  bool try, CartAnswer *answer)
{
	InvHold hold;

	answer->refusal = INV_STATUS_OK;
	answer->id = id_of_new(fcinfo, given);
	if (find_given(store, fcinfo, given, cart, user, &hold))
		repeat_answer(store, &hold, try, answer);
	else if (!inv_reserve_units(store, cart, user, answer->id, &answer->end))
	{
		if (!try)
			inv_refuse_cart(store, cart->takes, cart->take_count, user);
		answer->refusal = inv_first_refusal(cart->takes, cart->take_count);
		answer->short_lines = short_lines(store, cart);
		inv_count_refusals(cart->takes, cart->take_count);
	}
	answer->status = pstrdup(inv_status_name(answer->refusal));
}

static void
reserve_cart(InvStore *store, FunctionCallInfo fcinfo, const char *operation, bool try,
			 CartAnswer *answer)
{
	Jsonb *lines = PG_ARGISNULL(2) ? NULL : PG_GETARG_JSONB_P(2);
	InvUser user = inv_getarg_user(store, fcinfo, 1);
	InvRequest request;
	InvCart cart;

	if (inv_request_begin(&request, store, operation, &user, fcinfo, 4, InvalidOid))
	{
		replay_answer(store, request.replay, try, answer);
		if (answer->refusal != INV_STATUS_OK || !inv_hold_has_ended(store, answer->id))
			return;
		if (!try)
			error_kept_ended(store, answer->id, &request);
		answer->refusal = INV_STATUS_RESERVATION_EXPIRED;
		answer->status = pstrdup(inv_status_name(answer->refusal));
		return;
	}
	if (lines == NULL)
		inv_error_null("lines");
	inv_cart_of_lines(store, &cart, lines, NULL, INV_PURPOSE_HOLD);
	answer->end = inv_hold_end(store, fcinfo, 3, store->now);
	hold_cart(store, fcinfo, 5, &cart, &user, try, answer);
	inv_request_end(store, &request, answer_json(answer));
}

/*
 * reserve_cart(store_name, user_id, lines, ttl, idempotency_key, reservation_id): holds all
 * lines or none; returns the reservation's id.
 */
Datum
inventory_reserve_cart(PG_FUNCTION_ARGS)
{
	InvCall call;
	CartAnswer answer = { 0 };
	Datum id;

	inv_call_enter(&call, inv_getarg_store_name(fcinfo), "reserve_cart");
	reserve_cart(call.store, fcinfo, "reserve_cart", false, &answer);
	id = inv_copy_result(&call, UUIDOID, answer.id);
	inv_store_leave(&call);
	return id;
}

static const Oid answer_types[] = { TEXTOID, UUIDOID, TIMESTAMPTZOID, JSONBOID };

/* An answer as a row, in the memory of the caller. */
static Datum
answer_row(InvCall *call, TupleDesc desc, const CartAnswer *answer)
{
	Datum values[lengthof(answer_types)] = { 0 };
	bool nulls[lengthof(answer_types)] = { false, true, true, true };

	values[0] = CStringGetTextDatum(answer->status);
	if (answer->refusal == INV_STATUS_OK)
	{
		values[1] = answer->id;
		values[2] = TimestampTzGetDatum(answer->end);
		nulls[1] = nulls[2] = false;
	}
	else if (answer->short_lines)
	{
		values[3] = DirectFunctionCall1(jsonb_in, CStringGetDatum(answer->short_lines));
		nulls[3] = false;
	}
	return inv_copy_result(call, desc->tdtypeid,
						   HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/*
 * try_reserve_cart(store_name, user_id, lines, ttl, idempotency_key, reservation_id,
 * result_type): as reserve_cart, with a refusal as a status instead of an error.
 */
Datum
inventory_try_reserve_cart(PG_FUNCTION_ARGS)
{
	InvCall call;
	CartAnswer answer = { 0 };
	TupleDesc desc;
	Datum result;

	inv_call_enter(&call, inv_getarg_store_name(fcinfo), "try_reserve_cart");
	desc = inv_row_desc(call.store, fcinfo);
	inv_check_row_type(call.store, desc, answer_types, lengthof(answer_types));
	reserve_cart(call.store, fcinfo, "try_reserve_cart", true, &answer);
	result = answer_row(&call, desc, &answer);
	inv_store_leave(&call);
	return result;
}
