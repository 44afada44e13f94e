/*
 * refusal.c
 *		Refusals of inv_take: raised as an error, or counted where a status is returned.
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "base/error.h"
#include "base/stats.h"
#include "store/binding.h"
#include "store/column.h"
#include "stock/quantity.h"
#include "commands/refusal.h"

/* The DETAIL: a sentence for each item with this status. */
static char *
refusal_detail(InvStore *store, const InvTake *takes, int count, InvStatus status)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < count; i++)
	{
		const InvTake *take = &takes[i];
		char *item;

		if (take->status != status)
			continue;
		item = inv_item_text(store, take->item);
		if (text.len)
			appendStringInfoChar(&text, ' ');
		if (status == INV_STATUS_OUT_OF_STOCK)
			appendStringInfo(&text,
							 "Item \"%s\": " INT64_FORMAT " asked for, " INT64_FORMAT " available.",
							 item, take->quantity, inv_available(take->stock, take->floor));
		else if (status == INV_STATUS_PURCHASE_LIMIT_EXCEEDED && take->one_call)
			appendStringInfo(&text,
							 "Item \"%s\": " INT64_FORMAT " asked for, " INT64_FORMAT
							 " allowed in one order.",
							 item, take->quantity, take->limit);
		else if (status == INV_STATUS_PURCHASE_LIMIT_EXCEEDED)
			appendStringInfo(&text,
							 "Item \"%s\": " INT64_FORMAT " asked for, " INT64_FORMAT
							 " of a limit of " INT64_FORMAT " used.",
							 item, take->quantity, take->used, take->limit);
		else
			appendStringInfo(&text, "Item \"%s\" is not for sale.", item);
	}
	return text.data;
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

/* Raise a refusal: unknown items before limits before stock (IV002, IV010, IV001). */
void
inv_refuse(InvStore *store, const InvTake *takes, int count)
{
	Assert(count > 0);
	if (inv_has_status(takes, count, INV_STATUS_ITEM_NOT_FOUND))
		inv_error_item_not_found(refusal_detail(store, takes, count, INV_STATUS_ITEM_NOT_FOUND));
	if (inv_has_status(takes, count, INV_STATUS_PURCHASE_LIMIT_EXCEEDED))
		inv_error_purchase_limit(
			refusal_detail(store, takes, count, INV_STATUS_PURCHASE_LIMIT_EXCEEDED));
	Assert(inv_has_status(takes, count, INV_STATUS_OUT_OF_STOCK));
	inv_error_out_of_stock(refusal_detail(store, takes, count, INV_STATUS_OUT_OF_STOCK));
}
