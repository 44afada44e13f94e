/*
 * error.c
 *		The conditions of the extension and their SQLSTATEs.
 *
 * This file owns the table of names and codes: no other file chooses an SQLSTATE.
 * With inventory.http_errors a business refusal is raised with the code that
 * PostgREST turns into an HTTP status; its name in the primary message stays.
 *
 * Each inv_report_X() is called by ereport() in the macro inv_error_X(), so it
 * only describes the error.  A refusal is also counted in the statistics of the
 * call.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "base/error.h"
#include "base/fact.h"
#include "base/guc.h"
#include "base/stats.h"

/* ---- business refusals ---- */

typedef enum Refusal
{
	REFUSAL_OUT_OF_STOCK,
	REFUSAL_ITEM_NOT_FOUND,
	REFUSAL_ORDER_NOT_FOUND,
	REFUSAL_RESERVATION_NOT_FOUND,
	REFUSAL_RESERVATION_EXPIRED,
	REFUSAL_RESERVATION_CONFIRMED,
	REFUSAL_RESERVATION_RELEASED,
	REFUSAL_REFUND_EXCEEDS_ORDER,
	REFUSAL_KEY_MISMATCH,
	REFUSAL_PURCHASE_LIMIT,
	REFUSAL_ALREADY_PLACED,
	REFUSAL_STOCK_CHANGED,
	REFUSAL_NOT_A_STORE,
	REFUSAL_DIRECT_WRITE,
	REFUSAL_BUSY
} Refusal;

/* What is known of a refusal. */
typedef struct RefusalKind
{
	const char *name;
	const char *sqlstate;
	const char *http_sqlstate;
	InvStatsCounter counter;
} RefusalKind;

/* clang-format off */
static const RefusalKind refusals[] = {
	[REFUSAL_OUT_OF_STOCK] =
		{ "out_of_stock", "IV001", "PT409", INV_STATS_REFUSED_STOCK },
	[REFUSAL_ITEM_NOT_FOUND] =
		{ "item_not_found", "IV002", "PT404", INV_STATS_REFUSED_ITEM },
	[REFUSAL_ORDER_NOT_FOUND] =
		{ "order_not_found", "IV003", "PT404", INV_STATS_REFUSED_STATE },
	[REFUSAL_RESERVATION_NOT_FOUND] =
		{ "reservation_not_found", "IV004", "PT404", INV_STATS_REFUSED_STATE },
	[REFUSAL_RESERVATION_EXPIRED] =
		{ "reservation_expired", "IV005", "PT410", INV_STATS_REFUSED_STATE },
	[REFUSAL_RESERVATION_CONFIRMED] =
		{ "reservation_confirmed", "IV006", "PT409", INV_STATS_REFUSED_STATE },
	[REFUSAL_RESERVATION_RELEASED] =
		{ "reservation_released", "IV007", "PT409", INV_STATS_REFUSED_STATE },
	[REFUSAL_REFUND_EXCEEDS_ORDER] =
		{ "refund_exceeds_order", "IV008", "PT409", INV_STATS_REFUSED_STATE },
	[REFUSAL_KEY_MISMATCH] =
		{ "idempotency_key_mismatch", "IV009", "PT422", INV_STATS_REFUSED_STATE },
	[REFUSAL_PURCHASE_LIMIT] =
		{ "purchase_limit_exceeded", "IV010", "PT403", INV_STATS_REFUSED_LIMIT },
	[REFUSAL_ALREADY_PLACED] =
		{ "already_placed", "IV015", "PT409", INV_STATS_REFUSED_STATE },
	[REFUSAL_STOCK_CHANGED] =
		{ "stock_changed", "IV011", "PT409", INV_STATS_REFUSED_STATE },
	[REFUSAL_NOT_A_STORE] =
		{ "not_a_store", "IV012", "PT404", INV_STATS_REFUSED_STATE },
	[REFUSAL_DIRECT_WRITE] =
		{ "direct_write_refused", "IV013", "PT403", INV_STATS_REFUSED_STATE },
	[REFUSAL_BUSY] =
		{ "busy", "IV014", "PT503", INV_STATS_REFUSED_BUSY },
};
/* clang-format on */

StaticAssertDecl(lengthof(refusals) == REFUSAL_BUSY + 1, "every refusal has a row");

static int
sqlstate_of_text(const char *code)
{
	Assert(strlen(code) == 5);
	return MAKE_SQLSTATE(code[0], code[1], code[2], code[3], code[4]);
}

/*
 * Is an error a refusal of what the caller asked for?  The last ones of the table say something
 * about the store or the server.  The code alone does not tell: any function can raise it.
 */
bool
inv_is_refusal(const ErrorData *error)
{
	if (error->elevel != ERROR || error->domain == NULL || error->message == NULL ||
		strcmp(error->domain, INV_ERROR_DOMAIN) != 0)
		return false;
	for (int i = 0; i <= REFUSAL_STOCK_CHANGED; i++)
		if (strcmp(error->message, refusals[i].name) == 0)
			return true;
	return false;
}

/* Fill in the code, the name and the facts of a refusal, and count it. */
static void
report_refusal(Refusal refusal, const InvFacts *facts, const char *detail)
{
	const RefusalKind *kind = &refusals[refusal];

	inv_stats_count(kind->counter, 1);
	errcode(sqlstate_of_text(inv_http_errors ? kind->http_sqlstate : kind->sqlstate));
	errmsg_internal("%s", kind->name);
	inv_report_facts(facts, kind->name, detail);
}

const char *
inv_status_name(InvStatus status)
{
	static const Refusal of[] = {
		[INV_STATUS_ITEM_NOT_FOUND] = REFUSAL_ITEM_NOT_FOUND,
		[INV_STATUS_PURCHASE_LIMIT_EXCEEDED] = REFUSAL_PURCHASE_LIMIT,
		[INV_STATUS_OUT_OF_STOCK] = REFUSAL_OUT_OF_STOCK,
		[INV_STATUS_ORDER_NOT_FOUND] = REFUSAL_ORDER_NOT_FOUND,
		[INV_STATUS_REFUND_EXCEEDS_ORDER] = REFUSAL_REFUND_EXCEEDS_ORDER,
		[INV_STATUS_RESERVATION_EXPIRED] = REFUSAL_RESERVATION_EXPIRED,
		[INV_STATUS_RESERVATION_RELEASED] = REFUSAL_RESERVATION_RELEASED,
	};

	if (status == INV_STATUS_OK)
		return "ok";
	if (status == INV_STATUS_NOT_TAKEN)
		return "not_taken";
	Assert((size_t) status < lengthof(of));
	return refusals[of[status]].name;
}

void
inv_report_out_of_stock(const InvFacts *facts, const char *detail)
{
	report_refusal(REFUSAL_OUT_OF_STOCK, facts, detail);
	if (facts->own_hold)
		errhint("Confirm what you hold, or release it and ask again.");
	else
		errhint("Ask for less, or try again after a restock.");
}

/* The same, where an operator or a direct write would take off what cannot be missing. */
void
inv_report_below_floor(const InvFacts *facts, const char *detail)
{
	report_refusal(REFUSAL_OUT_OF_STOCK, facts, detail);
	errhint("The stock has only what is neither sold nor held. Refund orders or release "
			"reservations first, or set a lower floor.");
}

void
inv_report_item_not_found(const InvFacts *facts, const char *detail)
{
	report_refusal(REFUSAL_ITEM_NOT_FOUND, facts, detail);
	errhint("Check the item's key, and that the item is for sale.");
}

/* The same, where an item need not be for sale. */
void
inv_report_no_item(const InvFacts *facts)
{
	report_refusal(REFUSAL_ITEM_NOT_FOUND, facts,
				   psprintf("Item \"%s\" does not exist.", facts->name));
	errhint("Check the item's key.");
}

void
inv_report_header_not_found(const InvFacts *facts)
{
	report_refusal(REFUSAL_ORDER_NOT_FOUND, facts,
				   psprintf("Header \"%s\" does not exist, or is another user's.", facts->name));
	errhint("Name a header of the same user, or none.");
}

void
inv_report_order_not_found(const InvFacts *facts)
{
	report_refusal(REFUSAL_ORDER_NOT_FOUND, facts,
				   psprintf("Order \"%s\" does not exist.", facts->name));
	errhint("Check the key of the order line.");
}

/* The row of a line is gone, and units that were sold on it are left. */
void
inv_report_order_deleted(const InvFacts *facts, int64 left)
{
	report_refusal(REFUSAL_ORDER_NOT_FOUND, facts,
				   psprintf("Order \"%s\" was deleted. " INT64_FORMAT
							" units of it are sold and not refunded.",
							facts->name, left));
	errhint("Use refund_order, or change_order with a quantity of 0.");
}

void
inv_report_reservation_not_found(const InvFacts *facts)
{
	report_refusal(
		REFUSAL_RESERVATION_NOT_FOUND, facts,
		psprintf("Reservation \"%s\" does not exist, or belongs to another user.", facts->name));
	errhint("Check the reservation's id and its user.");
}

void
inv_report_part_of_cart(const InvFacts *facts)
{
	report_refusal(REFUSAL_RESERVATION_NOT_FOUND, facts, "It is a part of a cart, which ends it.");
}

void
inv_report_reservation_expired(const InvFacts *facts, const char *when)
{
	report_refusal(REFUSAL_RESERVATION_EXPIRED, facts,
				   psprintf("Reservation \"%s\" expired at %s.", facts->name, when));
	errhint("Reserve again. A call with an idempotency key or an id needs a new one.");
}

/* The answer that was kept under an idempotency key is a reservation that has ended. */
void
inv_report_kept_reservation_ended(const InvFacts *facts, const char *key)
{
	report_refusal(
		REFUSAL_RESERVATION_EXPIRED, facts,
		psprintf("Key \"%s\" was used for reservation \"%s\", which has expired or was released.",
				 key, facts->name));
	errhint("Use a new key to reserve again.");
}

void
inv_report_reservation_confirmed(const InvFacts *facts)
{
	report_refusal(REFUSAL_RESERVATION_CONFIRMED, facts,
				   psprintf("Reservation \"%s\" became an order.", facts->name));
	errhint("Refund the order instead.");
}

void
inv_report_reservation_released(const InvFacts *facts)
{
	report_refusal(REFUSAL_RESERVATION_RELEASED, facts,
				   psprintf("Reservation \"%s\" was released.", facts->name));
	errhint("Reserve again. A call with an idempotency key or an id needs a new one.");
}

/* "sold" is what was sold, as a sentence shows it. */
void
inv_report_refund_exceeds(const InvFacts *facts, int64 wanted, int64 refunded, const char *sold)
{
	report_refusal(REFUSAL_REFUND_EXCEEDS_ORDER, facts,
				   psprintf("Order \"%s\": " INT64_FORMAT " to be refunded, " INT64_FORMAT
							" of %s are already refunded.",
							facts->name, wanted, refunded, sold));
	errhint("Refund at most the units of the order line that have not been refunded.");
}

/* A line that the shop inserted, without a sale. */
void
inv_report_not_sold(const InvFacts *facts)
{
	report_refusal(REFUSAL_REFUND_EXCEEDS_ORDER, facts,
				   psprintf("Order \"%s\" was not sold by the engine: nothing was taken for it.",
							facts->name));
	errhint("Use restock_item or adjust_stock for units that come back without a sale.");
}

void
inv_report_key_mismatch(const InvFacts *facts, const char *operation)
{
	report_refusal(
		REFUSAL_KEY_MISMATCH, facts,
		psprintf("Key \"%s\" was used for %s with different arguments.", facts->name, operation));
	errhint("Use a new key for a new request, and the same arguments for a retry.");
}

/* A call is repeated for another header than the one that it has placed. */
void
inv_report_already_placed(const InvFacts *facts)
{
	report_refusal(REFUSAL_ALREADY_PLACED, facts,
				   psprintf("This call was made before, and its order has the header_id \"%s\".",
							facts->name));
	errhint("Answer with that order, and do not commit another header for it.");
}

void
inv_report_purchase_limit(const InvFacts *facts, const char *detail)
{
	report_refusal(REFUSAL_PURCHASE_LIMIT, facts, detail);
	errhint("Ask for no more than what is left of the limit.");
}

void
inv_report_stock_changed(const InvFacts *facts, int64 expected, int64 actual)
{
	report_refusal(REFUSAL_STOCK_CHANGED, facts,
				   psprintf("Item \"%s\": stock is " INT64_FORMAT ", expected was " INT64_FORMAT
							".",
							facts->name, actual, expected));
	errhint("Read the stock again before you change it.");
}

void
inv_report_not_a_store(const InvFacts *facts)
{
	report_refusal(REFUSAL_NOT_A_STORE, facts,
				   psprintf("%s is not attached to inventory.", facts->name));
	errhint("Attach the table with inventory.attach(items, orders), or generate the functions "
			"again with inventory.refresh(items).");
}

void
inv_report_direct_write(const InvFacts *facts, const char *detail, const char *hint)
{
	report_refusal(REFUSAL_DIRECT_WRITE, facts, detail);
	if (hint)
		errhint("%s", hint);
}

void
inv_report_busy(const InvFacts *facts, const char *why)
{
	report_refusal(REFUSAL_BUSY, facts,
				   facts->name ? psprintf("Item \"%s\": %s.", facts->name, why) : why);
	errhint("Nothing was taken. Retry, with the same idempotency key if one was given.");
}

/* The same of what is not an item. */
void
inv_report_busy_otherwise(const char *detail, const char *hint)
{
	report_refusal(REFUSAL_BUSY, inv_facts(InvalidOid, NULL), detail);
	errhint("%s", hint);
}

/* ---- arguments ---- */

void
inv_report_null(const char *argument)
{
	errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED);
	errmsg("%s must not be null", argument);
}

void
inv_report_quantity(const char *argument, int64 value)
{
	errcode(ERRCODE_INVALID_PARAMETER_VALUE);
	errmsg("%s must be at least 1, not " INT64_FORMAT, argument, value);
}

/* The hint may be null. */
void
inv_report_value(const char *message, const char *hint)
{
	errcode(ERRCODE_INVALID_PARAMETER_VALUE);
	errmsg("%s", message);
	if (hint)
		errhint("%s", hint);
}

void
inv_report_overflow(const char *what)
{
	errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE);
	errmsg("%s out of range", what);
}

void
inv_report_too_long(const char *argument, int limit)
{
	errcode(ERRCODE_STRING_DATA_RIGHT_TRUNCATION);
	errmsg("%s is longer than %d bytes", argument, limit);
}

void
inv_report_too_many_lines(int lines, int limit)
{
	errcode(inv_http_errors ? sqlstate_of_text("PT400") : ERRCODE_PROGRAM_LIMIT_EXCEEDED);
	errmsg("too many lines: %d, at most %d are allowed", lines, limit);
}

/* "meant" is a name that could have been meant, or null. */
void
inv_report_unknown_column(const char *column, const char *relation, const char *meant)
{
	errcode(ERRCODE_UNDEFINED_COLUMN);
	errmsg("column \"%s\" of %s does not exist", column, relation);
	if (meant)
		errhint("Did you mean \"%s\"?", meant);
}

void
inv_report_column_not_allowed(const char *column, const char *store_name, const char *argument)
{
	errcode(ERRCODE_INSUFFICIENT_PRIVILEGE);
	errmsg("column \"%s\" may not be set by callers of store \"%s\"", column, store_name);
	errhint("Name it in %s of inventory.attach() if callers should set it.", argument);
}

/* ---- the caller, its transaction and the server ---- */

/* The name of a role, which may have been dropped. */
static const char *
role_name(Oid role)
{
	const char *name = GetUserNameFromId(role, true);

	return name ? name : "?";
}

/*
 * A statement that calls a function of the extension for the items of a store, or for one
 * item, as a hint shows it.
 */
char *
inv_call_text(const char *function, Oid items, const char *item)
{
	const char *table = get_rel_name(items);

	/* a number is read as a table, too */
	table = table ? quote_qualified_identifier(get_namespace_name(get_rel_namespace(items)), table)
				  : psprintf("%u", items);
	return psprintf("SELECT inventory.%s(%s%s%s);", function, quote_literal_cstr(table),
					item ? ", " : "", item ? quote_literal_cstr(item) : "");
}

void
inv_report_not_the_owner(const char *store_name, Oid items, Oid owner)
{
	errcode(ERRCODE_INSUFFICIENT_PRIVILEGE);
	errmsg("permission denied for store \"%s\"", store_name);
	errdetail("The store's tables are owned by role \"%s\".", role_name(owner));
	errhint("Call the generated functions of the store. After a change of owner: %s",
			inv_call_text("refresh", items, NULL));
}

/* "relation" is qualified; "role" owns the trigger's function. */
void
inv_report_foreign_trigger(const char *store_name, const char *trigger, const char *relation,
						   Oid role, Oid owner)
{
	errcode(ERRCODE_INSUFFICIENT_PRIVILEGE);
	errmsg("trigger \"%s\" of %s would give role \"%s\" the rights of role \"%s\"", trigger,
		   relation, role_name(role), role_name(owner));
	errdetail("What store \"%s\" writes fires it as the owner of the table, but its "
			  "function belongs to another role.",
			  store_name);
	errhint("Drop or disable it, or give its function to the owner.");
}

void
inv_report_no_table(Oid table)
{
	errcode(ERRCODE_UNDEFINED_TABLE);
	errmsg("relation with OID %u does not exist", table);
}

void
inv_report_not_this_user(const char *claim)
{
	errcode(ERRCODE_INSUFFICIENT_PRIVILEGE);
	errmsg("user_id is not the caller's");
	errdetail("It must equal claim \"%s\" of request.jwt.claims.", claim);
}

void
inv_report_serialization(void)
{
	errcode(ERRCODE_T_R_SERIALIZATION_FAILURE);
	errmsg("could not serialize access due to concurrent update");
}

void
inv_report_no_digest(void)
{
	errcode(ERRCODE_OUT_OF_MEMORY);
	errmsg("could not compute the digest of the arguments");
}

void
inv_report_no_random(void)
{
	errcode(ERRCODE_INTERNAL_ERROR);
	errmsg("could not generate random values");
}
