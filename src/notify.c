/*
 * notify.c
 *		NOTIFY inventory, by the transaction that crosses a line.
 *
 * Never per sale: a notification takes a lock that all commits share.
 */
#include "postgres.h"

#include "commands/async.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/json.h"

#include "setting.h"
#include "notify.h"

#define CHANNEL "inventory"
#define MAX_PAYLOAD 7999

/* Say that stock went from "before" to "after", if that crosses the floor. */
void
inv_signal(InvStore *store, Datum item, int64 before, int64 after, int64 floor)
{
	StringInfoData payload;
	const char *event;

	if (!inv_notify || (before > floor) == (after > floor))
		return;
	event = after > floor ? "back_in_stock" : after > 0 ? "at_floor" : "out_of_stock";
	initStringInfo(&payload);
	appendStringInfoString(&payload, "{\"store\": ");
	escape_json(&payload, store->label);
	appendStringInfoString(&payload, ", \"item\": ");
	escape_json(&payload, inv_item_text(store, item));
	appendStringInfo(&payload, ", \"event\": \"%s\"}", event);
	if (payload.len <= MAX_PAYLOAD)
		Async_Notify(CHANNEL, payload.data);
	pfree(payload.data);
}
