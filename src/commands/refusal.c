/*
 * refusal.c
 *		Refusals of inv_take: raised as an error, or counted where a status is returned.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/datum.h"
#include "base/error.h"
#include "base/fact.h"
#include "base/stats.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/key_lookup.h"
#include "store/query.h"
#include "store/query_text.h"
#include "stock/quantity.h"
#include "commands/refusal.h"

/* Can the user have an open hold?  A statement is needed to find it. */
static bool
may_have_hold(InvStore *store, const InvUser *user)
{
	InvKeyLookup lookup;
	bool found;

	if (user->isnull)
		return false;
	if (!inv_begin_key_lookup(&lookup, store, INV_KEY_HOLD_OF_USER, &user->value, &user->isnull, 1))
		return true;
	found = inv_next_key_row(&lookup);
	inv_end_key_lookup(&lookup);
	return found;
}

/*
 * Name the open hold of the user that has the units which the take lacks: a shop that lost the
 * answer of reserve_stock would try in vain until the hold expires.
 */
static void
describe_own_hold(InvStore *store, const InvTake *take, const InvUser *user, StringInfo text,
				  InvFacts *facts)
{
	Datum values[] = { user->value, TimestampTzGetDatum(store->now), take->item };
	char *reservation;
	int64 held;
	bool isnull;

	if (!may_have_hold(store, user) ||
		inv_execute(store, INV_STMT_OWN_HOLD, values, NULL, INV_SNAPSHOT_LATEST) == 0)
		return;
	held = inv_result_int64(0, 2);
	if (held < inv_missing_units(take->stock, take->floor, take->quantity))
		return;
	reservation = inv_datum_text(UUIDOID, inv_result(0, 1, &isnull));
	appendStringInfo(text, " You hold " INT64_FORMAT " in reservation \"%s\".", held, reservation);
	facts->own_hold = true;
	inv_fact_number(facts, "held", held);
	inv_fact_text(facts, "reservation_id", reservation);
}

/* What the DETAIL says of a refused take: appends a sentence, and returns the facts. */
static InvFacts *
describe_take(InvStore *store, const InvTake *take, const InvUser *user, StringInfo text)
{
	InvFacts *facts = inv_item_facts(store, take->item);
	int64 available = inv_available(take->stock, take->floor);

	if (text->len)
		appendStringInfoChar(text, ' ');
	if (take->order)
	{
		appendStringInfo(text, "Order \"%s\": ", take->order);
		inv_fact_text(facts, "order_id", take->order);
	}
	if (take->quantity > 0)
		inv_fact_number(facts, "requested", take->quantity);
	if (take->status == INV_STATUS_OUT_OF_STOCK)
	{
		appendStringInfo(text,
						 "Item \"%s\": " INT64_FORMAT " asked for, " INT64_FORMAT " available.",
						 facts->name, take->quantity, available);
		inv_fact_number(facts, "available", available);
		describe_own_hold(store, take, user, text, facts);
	}
	else if (take->status == INV_STATUS_PURCHASE_LIMIT_EXCEEDED && take->one_call)
	{
		appendStringInfo(
			text, "Item \"%s\": " INT64_FORMAT " asked for, " INT64_FORMAT " allowed in one order.",
			facts->name, take->quantity, take->limit);
		inv_fact_number(facts, "limit", take->limit);
		facts->column = store->order_limit.key;
	}
	else if (take->status == INV_STATUS_PURCHASE_LIMIT_EXCEEDED)
	{
		appendStringInfo(text,
						 "Item \"%s\": " INT64_FORMAT " asked for, " INT64_FORMAT
						 " of a limit of " INT64_FORMAT " used.",
						 facts->name, take->quantity, take->used, take->limit);
		inv_fact_number(facts, "used", take->used);
		inv_fact_number(facts, "limit", take->limit);
		facts->column = store->purchase_limit.key;
	}
	else
	{
		appendStringInfo(text, "Item \"%s\" is not for sale.", facts->name);
		facts->column = store->item_id.key;
	}
	return facts;
}

/* Count a refusal that the caller returns as statuses. */
void
inv_count_refusals(const InvTake *takes, int count)
{
	for (int i = 0; i < count; i++)
	{
		if (takes[i].status == INV_STATUS_OUT_OF_STOCK)
			inv_stats_count(INV_STATS_REFUSED_STOCK, 1);
		else if (takes[i].status == INV_STATUS_ITEM_NOT_FOUND)
			inv_stats_count(INV_STATS_REFUSED_ITEM, 1);
		else if (takes[i].status == INV_STATUS_PURCHASE_LIMIT_EXCEEDED)
			inv_stats_count(INV_STATS_REFUSED_LIMIT, 1);
	}
}

/* The status of refused takes together: unknown items before limits before stock. */
InvStatus
inv_first_refusal(const InvTake *takes, int count)
{
	if (inv_has_status(takes, count, INV_STATUS_ITEM_NOT_FOUND))
		return INV_STATUS_ITEM_NOT_FOUND;
	if (inv_has_status(takes, count, INV_STATUS_PURCHASE_LIMIT_EXCEEDED))
		return INV_STATUS_PURCHASE_LIMIT_EXCEEDED;
	Assert(inv_has_status(takes, count, INV_STATUS_OUT_OF_STOCK));
	return INV_STATUS_OUT_OF_STOCK;
}

/* Raise what all refused takes of the first status have in common (IV002, IV010, IV001). */
INV_NORETURN static void
refuse(InvStore *store, const InvTake *takes, int count, const InvUser *user, bool is_cart)
{
	InvStatus status = inv_first_refusal(takes, count);
	InvFacts *facts = NULL;
	StringInfoData text, lines;
	bool own_hold = true;

	initStringInfo(&text);
	initStringInfo(&lines);
	for (int i = 0; i < count; i++)
	{
		if (takes[i].status != status)
			continue;
		facts = describe_take(store, &takes[i], user, &text);
		own_hold = own_hold && facts->own_hold;
		appendStringInfo(&lines, "%s{%s}", lines.len ? ", " : "", facts->json.data);
	}
	if (is_cart)
	{
		facts = inv_facts(facts->table, facts->column);
		facts->own_hold = own_hold;
		inv_fact_json(facts, "lines", psprintf("[%s]", lines.data));
	}
	if (status == INV_STATUS_ITEM_NOT_FOUND)
		inv_error_item_not_found(facts, text.data);
	if (status == INV_STATUS_PURCHASE_LIMIT_EXCEEDED)
		inv_error_purchase_limit(facts, text.data);
	inv_error_out_of_stock(facts, text.data);
}

/* Raise the refusal of one item. */
void
inv_refuse(InvStore *store, const InvTake *take, const InvUser *user)
{
	refuse(store, take, 1, user, false);
}

/* Raise the refusal of a cart. */
void
inv_refuse_cart(InvStore *store, const InvTake *takes, int count, const InvUser *user)
{
	Assert(count > 0);
	refuse(store, takes, count, user, true);
}
