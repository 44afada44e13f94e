/*
 * error.c
 *		The conditions of the extension and their SQLSTATEs.
 *
 * Owns the table of names and codes.  With inventory.http_errors a business
 * refusal is raised with the code that PostgREST turns into the HTTP status;
 * the name in the primary message stays.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "base/compat.h"
#include "base/error.h"
#include "base/guc.h"
#include "base/stats.h"

typedef enum Condition
{
	OUT_OF_STOCK,
	ITEM_NOT_FOUND,
	ORDER_NOT_FOUND,
	RESERVATION_NOT_FOUND,
	RESERVATION_EXPIRED,
	RESERVATION_CONFIRMED,
	RESERVATION_RELEASED,
	REFUND_EXCEEDS_ORDER,
	KEY_MISMATCH,
	PURCHASE_LIMIT,
	STOCK_CHANGED,
	NOT_A_STORE,
	DIRECT_WRITE,
	BUSY
} Condition;

static const struct
{
	const char *name;
	char sqlstate_of[6];
	char http[6];
	InvStatsCounter counter;
} conditions[] = {
	[OUT_OF_STOCK] = { "out_of_stock", "IV001", "PT409", INV_STATS_REFUSED_STOCK },
	[ITEM_NOT_FOUND] = { "item_not_found", "IV002", "PT404", INV_STATS_REFUSED_ITEM },
	[ORDER_NOT_FOUND] = { "order_not_found", "IV003", "PT404", INV_STATS_REFUSED_STATE },
	[RESERVATION_NOT_FOUND] = { "reservation_not_found", "IV004", "PT404",
								INV_STATS_REFUSED_STATE },
	[RESERVATION_EXPIRED] = { "reservation_expired", "IV005", "PT410", INV_STATS_REFUSED_STATE },
	[RESERVATION_CONFIRMED] = { "reservation_confirmed", "IV006", "PT409",
								INV_STATS_REFUSED_STATE },
	[RESERVATION_RELEASED] = { "reservation_released", "IV007", "PT409", INV_STATS_REFUSED_STATE },
	[REFUND_EXCEEDS_ORDER] = { "refund_exceeds_order", "IV008", "PT409", INV_STATS_REFUSED_STATE },
	[KEY_MISMATCH] = { "idempotency_key_mismatch", "IV009", "PT422", INV_STATS_REFUSED_STATE },
	[PURCHASE_LIMIT] = { "purchase_limit_exceeded", "IV010", "PT403", INV_STATS_REFUSED_LIMIT },
	[STOCK_CHANGED] = { "stock_changed", "IV011", "PT409", INV_STATS_REFUSED_STATE },
	[NOT_A_STORE] = { "not_a_store", "IV012", "PT404", INV_STATS_REFUSED_STATE },
	[DIRECT_WRITE] = { "direct_write_refused", "IV013", "PT403", INV_STATS_REFUSED_STATE },
	[BUSY] = { "busy", "IV014", "PT503", INV_STATS_REFUSED_BUSY },
};

static int
sqlstate_of(const char *code)
{
	return MAKE_SQLSTATE(code[0], code[1], code[2], code[3], code[4]);
}

/* Raise a business refusal: name, facts, way out. */
INV_NORETURN static void
raise_refusal(Condition condition, const char *detail, const char *hint)
{
	inv_stats_count(conditions[condition].counter, 1);
	ereport(ERROR, (errcode(sqlstate_of(inv_http_errors ? conditions[condition].http
														: conditions[condition].sqlstate_of)),
					errmsg_internal("%s", conditions[condition].name),
					errdetail_internal("%s", detail), errhint("%s", hint)));
}

const char *
inv_status_name(InvStatus status)
{
	switch (status)
	{
		case INV_STATUS_OK:
			return "ok";
		case INV_STATUS_ITEM_NOT_FOUND:
			return conditions[ITEM_NOT_FOUND].name;
		case INV_STATUS_PURCHASE_LIMIT_EXCEEDED:
			return conditions[PURCHASE_LIMIT].name;
		case INV_STATUS_OUT_OF_STOCK:
			return conditions[OUT_OF_STOCK].name;
		case INV_STATUS_NOT_TAKEN:
			return "not_taken";
	}
	pg_unreachable();
}

void
inv_error_out_of_stock(const char *detail)
{
	raise_refusal(OUT_OF_STOCK, detail, "Ask for less, or try again after a restock.");
}

void
inv_error_item_not_found(const char *detail)
{
	raise_refusal(ITEM_NOT_FOUND, detail, "Check the item's key, and that the item is for sale.");
}

void
inv_error_order_not_found(const char *order)
{
	raise_refusal(ORDER_NOT_FOUND, psprintf("Order \"%s\" does not exist.", order),
				  "Check the key of the order line.");
}

void
inv_error_reservation_not_found(const char *reservation)
{
	raise_refusal(RESERVATION_NOT_FOUND,
				  psprintf("Reservation \"%s\" does not exist, or is another user's.", reservation),
				  "Check the reservation's id and its user.");
}

void
inv_error_reservation_expired(const char *reservation, const char *when)
{
	raise_refusal(RESERVATION_EXPIRED,
				  psprintf("Reservation \"%s\" expired at %s.", reservation, when),
				  "Reserve again.");
}

void
inv_error_reservation_confirmed(const char *reservation)
{
	raise_refusal(RESERVATION_CONFIRMED,
				  psprintf("Reservation \"%s\" became an order.", reservation),
				  "Refund the order instead.");
}

void
inv_error_reservation_released(const char *reservation)
{
	raise_refusal(RESERVATION_RELEASED, psprintf("Reservation \"%s\" was released.", reservation),
				  "Reserve again.");
}

void
inv_error_refund_exceeds(const char *order, int64 wanted, int64 refunded, int64 bought)
{
	raise_refusal(REFUND_EXCEEDS_ORDER,
				  psprintf("Order \"%s\": " INT64_FORMAT " to be refunded, " INT64_FORMAT
						   " of " INT64_FORMAT " are refunded already.",
						   order, wanted, refunded, bought),
				  "Refund no more than what is left of the order line.");
}

void
inv_error_key_mismatch(const char *key, const char *operation)
{
	raise_refusal(KEY_MISMATCH,
				  psprintf("Key \"%s\" was used for %s with other arguments.", key, operation),
				  "Use a new key for a new request, and the same arguments for a retry.");
}

void
inv_error_purchase_limit(const char *detail)
{
	raise_refusal(PURCHASE_LIMIT, detail, "Ask for no more than what is left of the limit.");
}

void
inv_error_stock_changed(const char *item, int64 expected, int64 actual)
{
	raise_refusal(STOCK_CHANGED,
				  psprintf("Item \"%s\": stock is " INT64_FORMAT ", expected was " INT64_FORMAT ".",
						   item, actual, expected),
				  "Look at the stock again and decide anew.");
}

void
inv_error_not_a_store(const char *what)
{
	raise_refusal(NOT_A_STORE, psprintf("%s is not attached to inventory.", what),
				  "Bind the table with inventory.attach(), or generate the functions anew with "
				  "inventory.refresh().");
}

void
inv_error_direct_write(const char *detail, const char *hint)
{
	raise_refusal(DIRECT_WRITE, detail, hint);
}

void
inv_error_busy(const char *item, const char *why)
{
	raise_refusal(BUSY, psprintf("Item \"%s\": %s.", item, why),
				  "Nothing was taken. Retry, with the same idempotency key if one was given.");
}

void
inv_error_null(const char *argument)
{
	ereport(ERROR,
			(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be null", argument)));
}

void
inv_error_quantity(const char *argument, int64 value)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("%s must be at least 1, not " INT64_FORMAT, argument, value)));
}

void
inv_error_value(const char *message, const char *hint)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s", message),
					hint ? errhint("%s", hint) : 0));
}

void
inv_error_overflow(const char *what)
{
	ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("%s out of range", what)));
}

void
inv_error_too_long(const char *argument, int limit)
{
	ereport(ERROR, (errcode(ERRCODE_STRING_DATA_RIGHT_TRUNCATION),
					errmsg("%s is longer than %d bytes", argument, limit)));
}

void
inv_error_too_many_lines(int lines, int limit)
{
	ereport(ERROR,
			(errcode(inv_http_errors ? sqlstate_of("PT400") : ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("too many lines: %d, at most %d are allowed", lines, limit)));
}

void
inv_error_unknown_column(const char *column, const char *relation)
{
	ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
					errmsg("column \"%s\" of %s does not exist", column, relation)));
}

void
inv_error_column_not_allowed(const char *column, const char *store)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("column \"%s\" may not be set by callers of store \"%s\"", column, store),
			 errhint("Name it in order_columns of inventory.attach() if callers should set it.")));
}

void
inv_error_not_the_owner(const char *store, Oid owner)
{
	char *name = GetUserNameFromId(owner, true);

	ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					errmsg("permission denied for store \"%s\"", store),
					errdetail("The store's tables belong to role \"%s\".", name ? name : "?"),
					errhint("Call the generated functions of the store; after a change of owner, "
							"inventory.refresh() gives them to the new one.")));
}

void
inv_error_owners(const char *store, const char *detail)
{
	ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					errmsg("permission denied for store \"%s\"", store), errdetail("%s", detail),
					errhint("inventory.refresh() gives everything of the store to the owner of its "
							"items.")));
}

void
inv_error_foreign_trigger(const char *store, const char *trigger, const char *relation, Oid role,
						  Oid owner)
{
	const char *name = GetUserNameFromId(role, true);
	const char *owner_name = GetUserNameFromId(owner, true);

	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("trigger \"%s\" of %s would give role \"%s\" the rights of role \"%s\"",
					trigger, relation, name ? name : "?", owner_name ? owner_name : "?"),
			 errdetail("What store \"%s\" writes fires it as the owner of the table, but its "
					   "function belongs to somebody else.",
					   store),
			 errhint("Drop or disable it, or give its function to the owner.")));
}

void
inv_error_no_table(Oid table)
{
	ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
					errmsg("relation with OID %u does not exist", table)));
}

void
inv_error_not_this_user(const char *claim)
{
	ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("user_id is not the caller's"),
					errdetail("It must equal claim \"%s\" of request.jwt.claims.", claim)));
}

void
inv_error_serialization(void)
{
	ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
					errmsg("could not serialize access due to concurrent update")));
}

void
inv_error_no_digest(void)
{
	ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY),
					errmsg("could not compute the digest of the arguments")));
}

void
inv_error_no_random(void)
{
	ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate random values")));
}

void
inv_error_untracked(const char *item)
{
	ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					errmsg("stock of item \"%s\" is not tracked", item),
					errdetail("Its stock is NULL, so it sells without limit."),
					errhint("Write a number into the stock column to track it from now on.")));
}

void
inv_error_broken_store(const char *store, const char *detail)
{
	ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					errmsg("store \"%s\" is not intact", store), errdetail("%s", detail),
					errhint("inventory.refresh() generates what is missing anew.")));
}

void
inv_error_order_rows(const char *relation, uint64 wanted, uint64 got)
{
	ereport(ERROR,
			(errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION),
			 errmsg("INSERT into %s returned " UINT64_FORMAT " rows instead of " UINT64_FORMAT,
					relation, got, wanted),
			 errhint("A trigger or a rule on the table swallows orders; nothing was sold.")));
}

void
inv_error_prepare(void)
{
	ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					errmsg("cannot PREPARE a transaction that has used a hot item"),
					errhint("Nothing was taken. Cool the item first, or commit in one phase.")));
}

/* A transaction that would settle or cool what it has taken itself. */
void
inv_error_in_flight(const char *item)
{
	ereport(ERROR, (errcode(ERRCODE_OBJECT_IN_USE),
					errmsg("this transaction has units of hot item \"%s\" in flight", item),
					errhint("Commit first.")));
}

void
inv_error_no_hot_items(const char *message, const char *hint)
{
	ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("%s", message),
					errhint("%s", hint)));
}

void
inv_error_hot_full(int limit)
{
	ereport(ERROR,
			(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED), errmsg("no room for another hot item"),
			 errdetail("%d items of this server are hot. The item stays as it is.", limit),
			 errhint("Cool others, or raise inventory.max_hot_items.")));
}
