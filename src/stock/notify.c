/*
 * notify.c
 *		NOTIFY inventory, by the transaction in which an item runs out or comes back.
 *
 * There is no notification per sale: each takes a lock that all commits share.  A
 * transaction remembers which items crossed their floor, by subtransaction, and notifies
 * before its commit of those that are on the other side by then.  It cannot do that at
 * once: the server drops a notification that is repeated in a transaction, so of "back",
 * "out", "back" a listener would get "out" last.
 */
#include "postgres.h"

#include "access/xact.h"
#include "commands/async.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/memutils.h"

#include "base/array.h"
#include "base/guc.h"
#include "store/binding.h"
#include "store/column.h"
#include "stock/notify.h"

#define CHANNEL "inventory"

/* the server refuses longer ones; an item with such a key is not notified of */
#define MAX_PAYLOAD 7999

/* An item's stock crossed its floor. */
typedef struct Crossing
{
	Oid items;
	const char *store_name;
	const char *item;
	const char *event;
	bool before; /* was it available before, and after? */
	bool after;
	int number;	 /* in the order in which they happened */
	int nesting; /* level of the (sub)transaction */
} Crossing;

static Crossing *crossings = NULL; /* with its strings in TopTransactionContext */
static int crossing_count = 0;
static int crossing_size = 0;

static Crossing *
add_crossing(void)
{
	crossings = inv_make_room(crossings, crossing_count, &crossing_size, sizeof(Crossing),
							  TopTransactionContext);
	return &crossings[crossing_count++];
}

/* The stock of an item changed from "before" to "after": remember it if it crossed the floor. */
void
inv_notify_crossing(InvStore *store, Datum item, int64 before, int64 after, int64 floor)
{
	Crossing *new;

	if (!inv_notify || (before > floor) == (after > floor))
		return;
	new = add_crossing();
	new->items = store->items;
	new->store_name = MemoryContextStrdup(TopTransactionContext, store->store_name);
	new->item = MemoryContextStrdup(TopTransactionContext, inv_item_text(store, item));
	new->event = after > floor ? "back_in_stock" : after > 0 ? "at_floor" : "out_of_stock";
	new->before = before > floor;
	new->after = after > floor;
	new->number = crossing_count;
	new->nesting = GetCurrentTransactionNestLevel();
}

static bool
same_item(const Crossing *a, const Crossing *b)
{
	return a->items == b->items && strcmp(a->item, b->item) == 0;
}

/* By item, then in the order in which they happened. */
static int
compare_crossings(const void *a, const void *b)
{
	const Crossing *left = a;
	const Crossing *right = b;
	int order;

	if (left->items != right->items)
		return left->items < right->items ? -1 : 1;
	order = strcmp(left->item, right->item);
	return order != 0 ? order : left->number - right->number;
}

static void
send_notification(const Crossing *crossing)
{
	StringInfoData payload;

	initStringInfo(&payload);
	appendStringInfoString(&payload, "{\"store\": ");
	escape_json(&payload, crossing->store_name);
	appendStringInfoString(&payload, ", \"item\": ");
	escape_json(&payload, crossing->item);
	appendStringInfo(&payload, ", \"event\": \"%s\"}", crossing->event);
	if (payload.len <= MAX_PAYLOAD)
		Async_Notify(CHANNEL, payload.data);
	pfree(payload.data);
}

/* Notify of each item that ends on another side of its floor than it began. */
static void
send_notifications(void)
{
	int first = 0; /* of the item */

	Assert(crossing_count > 0 && crossing_count <= crossing_size);
	qsort(crossings, crossing_count, sizeof(Crossing), compare_crossings);
	for (int i = 0; i < crossing_count; i++)
	{
		if (i + 1 < crossing_count && same_item(&crossings[i], &crossings[i + 1]))
			continue;
		if (crossings[first].before != crossings[i].after)
			send_notification(&crossings[i]);
		first = i + 1;
	}
}

static void
notify_at_xact_end(XactEvent event, void *arg pg_attribute_unused())
{
	/* a transaction that is prepared cannot notify */
	if (event == XACT_EVENT_PRE_COMMIT && crossing_count > 0)
		send_notifications();
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
	{
		crossings = NULL;
		crossing_count = crossing_size = 0;
	}
}

/* Crossings are dropped with an aborted subtransaction, or become its parent's. */
static void
notify_at_subxact_end(SubXactEvent event, SubTransactionId self pg_attribute_unused(),
					  SubTransactionId parent pg_attribute_unused(),
					  void *arg pg_attribute_unused())
{
	int level = GetCurrentTransactionNestLevel();

	if (event == SUBXACT_EVENT_ABORT_SUB)
		while (crossing_count > 0 && crossings[crossing_count - 1].nesting >= level)
			crossing_count--;
	else if (event == SUBXACT_EVENT_COMMIT_SUB)
		for (int i = crossing_count; i > 0 && crossings[i - 1].nesting >= level; i--)
			crossings[i - 1].nesting = level - 1;
}

void
inv_notify_init(void)
{
	RegisterXactCallback(notify_at_xact_end, NULL);
	RegisterSubXactCallback(notify_at_subxact_end, NULL);
}
