/*
 * sold_followed.c
 *		What was sold on order lines that the ledger follows.
 *
 * The ledger says it.  A line that it does not know was sold by what its row is worth.  Where
 * the store has headers, the lock of the header guards its lines, as it does for those who
 * change them; elsewhere the row of the line is locked.
 */
#include "postgres.h"

#include "store/binding.h"
#include "store/column.h"
#include "store/ledger_schema.h"
#include "store/query.h"
#include "store/query_text.h"
#include "stock/follow_line.h"
#include "stock/ledger.h"
#include "stock/sold_followed.h"
#include "stock/worth.h"

/* Read the keys of the headers of orders; returns how many there are. */
static int
read_headers_of_orders(InvStore *store, InvOrder *orders, int count, Datum *headers)
{
	int found = 0;

	for (int i = 0; i < count; i++)
	{
		bool isnull;

		if (inv_execute(store, INV_STMT_HEADER_OF_LINE, &orders[i].key, NULL,
						INV_SNAPSHOT_LATEST) == 0)
			continue;
		headers[found] = inv_result(0, 1, &isnull);
		found += !isnull;
	}
	return found;
}

static bool
same_headers(InvStore *store, const Datum *a, const Datum *b, int count)
{
	for (int i = 0; i < count; i++)
		if (inv_header_compare(store, a[i], b[i]) != 0)
			return false;
	return true;
}

/*
 * Lock the headers of orders.  While the lock of a header is waited for, a line can move to
 * another one: it stays where it is only under a header that is locked.
 */
static void
lock_headers_of_orders(InvStore *store, InvOrder *orders, int count)
{
	Datum *locked = palloc(sizeof(Datum) * count);
	Datum *headers = palloc(sizeof(Datum) * count);
	int locked_count = 0;
	int found = read_headers_of_orders(store, orders, count, headers);

	while (found != locked_count || !same_headers(store, headers, locked, found))
	{
		memcpy(locked, headers, sizeof(Datum) * found);
		locked_count = found;
		inv_lock_headers(store, locked, locked_count);
		found = read_headers_of_orders(store, orders, count, headers);
	}
}

static void
lock_rows_of_orders(InvStore *store, InvOrder *orders, int count)
{
	Datum *keys = palloc(sizeof(Datum) * count);
	Datum array;

	for (int i = 0; i < count; i++)
		keys[i] = orders[i].key;
	array = inv_make_array(store->order_type, keys, NULL, count);
	inv_execute(store, INV_STMT_LOCK_ORDERS, &array, NULL, INV_SNAPSHOT_LATEST);
}

/* What the ledger says was sold. */
static void
sold_by_ledger(const InvFollowed *line, InvOrder *order)
{
	order->sold = palloc0(sizeof(InvSold) * Max(line->booked_count, 1));
	for (int i = 0; i < line->booked_count; i++)
	{
		const InvBooked *part = &line->booked[i];
		InvSold *sold = &order->sold[order->count];

		if (part->units <= 0)
			continue;
		sold->item = part->item;
		sold->quantity = part->units;
		sold->refunded = part->refunded;
		sold->user = part->user;
		sold->counted = PG_INT64_MAX;
		order->count++;
	}
	for (int i = 0; i < order->count; i++)
		order->sold[i].is_only = order->count == 1;
}

/* What was sold on a line that the ledger does not know. */
static void
sold_by_worth(const InvLineWorth *now, InvOrder *order)
{
	if (!now->exists || now->no_item || now->units == 0)
		return;
	order->sold = palloc0(sizeof(InvSold));
	order->sold->item = now->item;
	order->sold->quantity = now->units;
	order->sold->user = now->user;
	order->sold->counted = PG_INT64_MAX;
	order->sold->is_only = true;
	order->count = 1;
}

/* Lock orders, which are in key order and each once, and read what was sold and refunded. */
void
inv_lock_followed(InvStore *store, InvOrder *orders, int count)
{
	InvFollowed *lines = palloc0(sizeof(InvFollowed) * count);
	InvLineWorth *worth = palloc0(sizeof(InvLineWorth) * count);

	if (OidIsValid(store->header))
		lock_headers_of_orders(store, orders, count);
	else
		lock_rows_of_orders(store, orders, count);
	for (int i = 0; i < count; i++)
		lines[i].now.order = worth[i].order = orders[i].key;
	inv_read_worth(store, worth, count);
	inv_read_booked(store, lines, count);
	for (int i = 0; i < count; i++)
	{
		InvOrder *order = &orders[i];

		order->row.exists = worth[i].exists;
		order->known = lines[i].booked_count > 0;
		order->final = worth[i].exists && worth[i].final;
		order->exists = order->row.exists || order->known;
		order->count = 0;
		if (order->known)
			sold_by_ledger(&lines[i], order);
		else
			sold_by_worth(&worth[i], order);
	}
}

/*
 * A line that the ledger does not know is about to be refunded: book it, as a sale that an
 * opening supplied.  No stock moves.
 */
void
inv_book_unknown(InvStore *store, InvOrder *order)
{
	InvBook book;

	if (!inv_follows_orders(store) || order->known || order->count == 0)
		return;
	inv_book_init(&book, 2);
	for (int i = 0; i < 2; i++)
	{
		InvMovement *movement = inv_book_add(
			&book, order->sold->item, i == 0 ? -order->sold->quantity : order->sold->quantity,
			i == 0 ? INV_KIND_SALE : INV_KIND_OPENING);

		movement->user = order->sold->user;
		movement->order = order->key;
		movement->no_order = false;
	}
	inv_book_write(store, &book);
	order->known = true;
}
