/*
 * part.c
 *		Parts of carts over several databases: reserve_part, finish_part.
 *
 * A part is a reservation that is decided when it is made: only the decision of its cart ends it.
 * Routers call this through functions of the owner.  An error would end the router's connection, and
 * leave the other parts of the cart as they are.  So errors are returned, except for one that cancels
 * the query.
 *
 * Arguments are arrays, because PL/Proxy divides arrays among nodes: an element for each line of a part,
 * or one for the part.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "base/compat.h"
#include "base/error.h"
#include "base/isolated.h"
#include "base/store_error.h"
#include "store/binding.h"
#include "store/enter.h"
#include "store/query.h"
#include "store/query_text.h"
#include "commands/answer.h"
#include "commands/argument.h"
#include "commands/call.h"
#include "commands/cart.h"
#include "commands/confirm.h"
#include "commands/hold.h"
#include "commands/may_refuse.h"
#include "commands/new_hold.h"
#include "commands/order.h"
#include "commands/refusal.h"
#include "commands/reservation.h"

/* A call about a part, and its answer. */
typedef struct Part
{
	FunctionCallInfo fcinfo;
	bool is_first; /* nothing has been written in the transaction before */
	Datum id;	   /* of the reservation */
	Jsonb *data;   /* what its orders get, or null */
	char *value;   /* or null */
	char *refusal; /* in place of the value, or null */
} Part;

/* A rehearsal of the order of a part. */
typedef struct Rehearsal
{
	InvStore *store;
	const Part *part;
} Rehearsal;

/* ---- arguments ---- */

/* The elements of an array that is not null or empty. */
static int
get_elements(FunctionCallInfo fcinfo, int argument, Oid type, const char *name, Datum **elements,
			 bool **nulls)
{
	ArrayType *array;
	int count;
	int16 length;
	bool byval;
	char align;

	if (PG_ARGISNULL(argument))
		inv_error_null(name);
	array = PG_GETARG_ARRAYTYPE_P(argument);
	Assert(ARR_ELEMTYPE(array) == type);
	get_typlenbyvalalign(type, &length, &byval, &align);
	deconstruct_array(array, type, length, byval, align, elements, nulls, &count);
	if (count == 0)
		inv_error_value(psprintf("%s must not be empty", name), NULL);
	return count;
}

/* The node of a part, which all elements name. */
static int32
get_node(FunctionCallInfo fcinfo)
{
	Datum *nodes;
	bool *nulls;
	int count = get_elements(fcinfo, 1, INT4OID, "nodes", &nodes, &nulls);

	for (int i = 0; i < count; i++)
	{
		if (nulls[i])
			inv_error_null("an element of nodes");
		if (DatumGetInt32(nodes[i]) != DatumGetInt32(nodes[0]))
			inv_error_value("the elements of nodes must be equal", NULL);
	}
	if (DatumGetInt32(nodes[0]) < 0 || DatumGetInt32(nodes[0]) > PG_UINT16_MAX)
		inv_error_value("a node must be a number from 0 to 65535", NULL);
	return DatumGetInt32(nodes[0]);
}

/* Read which part a call is about: its node, what its orders get, and the attempt to buy its cart. */
static void
read_part(Part *part, int data, int attempt)
{
	FunctionCallInfo fcinfo = part->fcinfo;
	int32 node = get_node(fcinfo);
	pg_uuid_t *id = palloc(UUID_LEN);
	Datum *elements;
	bool *nulls;

	(void) get_elements(fcinfo, data, JSONBOID, "data", &elements, &nulls);
	part->data = nulls[0] ? NULL : DatumGetJsonbP(elements[0]);
	if (PG_ARGISNULL(attempt))
		inv_error_null("attempt");
	/* the number of the node is the end of the id, as part_id() of node.sql makes it */
	memcpy(id, PG_GETARG_UUID_P(attempt), UUID_LEN);
	id->data[UUID_LEN - 2] = node >> 8;
	id->data[UUID_LEN - 1] = node & 0xff;
	part->id = UUIDPGetDatum(id);
	if (!inv_is_part_id(part->id))
		inv_error_value("attempt must be a uuid whose third group is 8ca7",
						"By that the parts of carts are told from other reservations.");
}

/* The lines of a part: each is an element, or the only element is an array of them. */
static Jsonb *
get_lines(FunctionCallInfo fcinfo)
{
	InvJsonbState state = { 0 };
	Datum *elements;
	bool *nulls;
	int count = get_elements(fcinfo, 2, JSONBOID, "lines", &elements, &nulls);

	if (count == 1 && !nulls[0] && JB_ROOT_IS_ARRAY(DatumGetJsonbP(elements[0])))
		return DatumGetJsonbP(elements[0]);
	inv_jsonb_push(&state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < count; i++)
	{
		JsonbValue line;

		if (nulls[i])
			inv_error_null("an element of lines");
		if (!JB_ROOT_IS_OBJECT(DatumGetJsonbP(elements[i])))
			inv_error_value("every element of lines must be an object", NULL);
		JsonbToJsonbValue(DatumGetJsonbP(elements[i]), &line);
		inv_jsonb_push(&state, WJB_ELEM, &line);
	}
	inv_jsonb_push(&state, WJB_END_ARRAY, NULL);
	return JsonbValueToJsonb(state.result);
}

/* ---- answers ---- */

/* A refusal as the text of a row: an SQLSTATE or a word, the fields of an error, and a value. */
static char *
refusal_text(const char *code, const char *message, const char *detail, const char *hint,
			 const char *value)
{
	const char *columns[] = { code, message, detail, hint, value };
	TupleDesc desc = CreateTemplateTupleDesc(lengthof(columns));
	Datum values[lengthof(columns)];
	bool nulls[lengthof(columns)];
	HeapTuple row;

	for (int i = 0; i < (int) lengthof(columns); i++)
	{
		TupleDescInitEntry(desc, i + 1, NULL, TEXTOID, -1, 0);
		nulls[i] = columns[i] == NULL;
		values[i] = nulls[i] ? (Datum) 0 : CStringGetTextDatum(columns[i]);
	}
	row = heap_form_tuple(inv_bless_new_desc(desc), values, nulls);
	return OidOutputFunctionCall(F_RECORD_OUT, HeapTupleGetDatum(row));
}

/* Do the work on a part in a subtransaction; returns its answer, or its error as a refusal. */
static Datum
answer_part(FunctionCallInfo fcinfo, InvWork work)
{
	Part part = { .fcinfo = fcinfo, .is_first = GetCurrentCommandId(false) == FirstCommandId };
	ErrorData *error = inv_run_isolated(work, &part);

	if (error && error->sqlerrcode == ERRCODE_QUERY_CANCELED)
		ReThrowError(error);
	if (error)
		part.refusal = refusal_text(unpack_sql_state(error->sqlerrcode), error->message,
									error->detail, error->hint, NULL);
	if (part.refusal)
		PG_RETURN_TEXT_P(cstring_to_text(part.refusal));
	if (part.value)
		PG_RETURN_TEXT_P(cstring_to_text(part.value));
	PG_RETURN_NULL();
}

/* ---- what the shop does at commit ---- */

/*
 * Fire the deferred triggers of an order now, with the rights of the owner, as they would fire at commit with
 * those of the caller: they refuse it in the rehearsal or when it is confirmed, and in both for the same reason.
 *
 * What was written before in the transaction would fire, too, and the caller, who has not the owner's
 * rights, may have chosen it: then nothing is fired, and an order with triggers is refused.
 */
static void
fire_deferred_triggers(InvStore *store, const Part *part)
{
	ConstraintsSetStmt *all_immediate;

	if (!part->is_first && !has_privs_of_role(GetOuterUserId(), store->owner))
	{
		if (inv_orders_may_refuse(store))
			inv_error_not_first(store->store_name);
		return;
	}
	all_immediate = makeNode(ConstraintsSetStmt);
	inv_pin_path(store);
	AfterTriggerSetState(all_immediate);
}

/* ---- holding a part ---- */

/* Work that is rolled back: the order of a part, with what triggers and constraints do at commit. */
static bool
write_order(void *arg)
{
	Rehearsal *rehearsal = arg;
	InvHold hold;
	InvCart cart;

	inv_hold_find_id(rehearsal->store, &hold, rehearsal->part->id, INV_HOLD_TO_CHANGE);
	(void) inv_confirm_reservation(rehearsal->store, &hold, rehearsal->part->data, &cart);
	fire_deferred_triggers(rehearsal->store, rehearsal->part);
	return false;
}

/*
 * Raise what the order of a part would raise, which is written after the cart is decided: a
 * decision cannot be taken back.
 */
static void
rehearse(InvStore *store, const Part *part)
{
	Rehearsal rehearsal = { store, part };
	ErrorData *error;

	/* it sees what this call has written */
	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
	error = inv_run_isolated(write_order, &rehearsal);
	if (error)
		ReThrowError(error);
	PopActiveSnapshot();
}

/* What a repeated call is told of the reservation that it finds. */
static char *
repeated_part(InvStore *store, const InvHold *hold)
{
	if (hold->state == INV_HOLD_RELEASED)
		return refusal_text("IV007", inv_status_name(INV_STATUS_RESERVATION_RELEASED), NULL, NULL,
							NULL);
	(void) inv_hold_judge(store, hold, INV_MOVE_REPEAT);
	if (!TIMESTAMP_IS_NOEND(hold->expires_at))
		inv_error_key_mismatch(inv_reservation_facts(store, hold->id), "a reservation");
	return NULL;
}

/* Hold the lines of a part, if there are units; a quantity that orders cannot have is an error here. */
static bool
reserve_part(void *arg)
{
	Part *part = arg;
	FunctionCallInfo fcinfo = part->fcinfo;
	TimestampTz end = DT_NOEND;
	InvCall call;
	InvUser user;
	InvCart cart;
	InvHold hold;
	char *refusal = NULL;

	inv_call_enter(&call, inv_getarg_store_name(fcinfo), "try_reserve_cart");
	read_part(part, 3, 4);
	if (PG_ARGISNULL(6))
		inv_error_null("rehearse");
	user = inv_getarg_user(call.store, fcinfo, 5);
	inv_cart_of_lines(call.store, &cart, get_lines(fcinfo), NULL, INV_PURPOSE_HOLD);
	inv_check_units_of_orders(call.store, &cart);
	if (inv_find_repeated(call.store, &cart, &user, part->id, &hold))
		refusal = repeated_part(call.store, &hold);
	else if (!inv_reserve_units(call.store, &cart, &user, part->id, &end))
	{
		inv_count_refusals(cart.takes, cart.take_count);
		refusal = refusal_text("short", NULL, NULL, NULL,
							   inv_lines_text(call.store, &cart, false, false));
	}
	if (refusal)
		part->refusal = MemoryContextStrdup(call.caller, refusal);
	else if (PG_GETARG_BOOL(6) && (part->data || inv_orders_may_refuse(call.store)))
		rehearse(call.store, part);
	inv_store_leave(&call);
	return true;
}

PG_FUNCTION_INFO_V1(inventory_reserve_part);
PG_FUNCTION_INFO_V1(inventory_finish_part);

/*
 * reserve_part(store_name, nodes, lines, data, attempt, user_id, rehearse): holds the lines of a part
 * until its cart is decided, all or none.  Null if they are held.
 */
Datum
inventory_reserve_part(PG_FUNCTION_ARGS)
{
	return answer_part(fcinfo, reserve_part);
}

/* ---- ending a part ---- */

/*
 * Release a part, or, if it has not come yet, keep it from being made.  prune() keeps what is decided,
 * so a released part is not decided any more.
 */
static void
release_part(InvStore *store, Datum id)
{
	InvHold hold;

	inv_hold_find_id(store, &hold, id, INV_HOLD_TO_FORBID);
	(void) inv_release_reservation(store, &hold);
	if (hold.count > 0 && TIMESTAMP_IS_NOEND(hold.expires_at))
		inv_execute(store, INV_STMT_UNDECIDE_HOLD, &id, NULL, INV_SNAPSHOT_LATEST);
}

static bool
finish_part(void *arg)
{
	Part *part = arg;
	FunctionCallInfo fcinfo = part->fcinfo;
	bool confirm = !PG_ARGISNULL(4) && PG_GETARG_BOOL(4);
	InvCall call;

	inv_call_enter(&call, inv_getarg_store_name(fcinfo),
				   confirm ? "confirm_reservation" : "release_reservation");
	if (PG_ARGISNULL(4))
		inv_error_null("confirm");
	read_part(part, 2, 3);
	if (confirm)
	{
		InvHold hold;
		InvCart cart;
		bool replayed;

		inv_hold_find_id(call.store, &hold, part->id, INV_HOLD_TO_CHANGE);
		replayed = inv_confirm_reservation(call.store, &hold, part->data, &cart);
		if (!replayed)
			fire_deferred_triggers(call.store, part);
		part->value =
			MemoryContextStrdup(call.caller, inv_lines_text(call.store, &cart, true, replayed));
	}
	else
		release_part(call.store, part->id);
	inv_store_leave(&call);
	return true;
}

/*
 * finish_part(store_name, nodes, data, attempt, confirm): confirms or releases a part of a decided
 * cart.  Returns the lines of a confirmed one.
 */
Datum
inventory_finish_part(PG_FUNCTION_ARGS)
{
	return answer_part(fcinfo, finish_part);
}
