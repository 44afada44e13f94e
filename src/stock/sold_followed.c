/*
 * sold_followed.c
 *		What was sold on order lines that the ledger follows.
 *
 * The ledger says it.  A line that it does not know was sold by what its row is worth.  The
 * lock of its header guards a line, as it does for those who change it; that of its row, if it
 * has no header; and if its row is gone, that of its first movement, which also keeps
 * close_ledger from removing what the ledger has of the line.
 */
#include "postgres.h"

#include "store/binding.h"
#include "store/column.h"
#include "store/ledger_schema.h"
#include "store/query.h"
#include "store/query_text.h"
#include "stock/follow_line.h"
#include "stock/ledger.h"
#include "stock/opened_line.h"
#include "stock/sold_followed.h"
#include "stock/worth.h"

/* What is locked to keep a line as it is: its header, else its row, else what the ledger has. */
typedef struct LineLock
{
	bool has_row;
	bool has_header;
	Datum header;
} LineLock;

static LineLock
find_line_lock(InvStore *store, Datum order)
{
	bool has_headers = OidIsValid(store->header);
	LineLock lock = { 0 };
	bool isnull = true;

	lock.has_row = inv_execute(store, has_headers ? INV_STMT_LOCKABLE_HEADER : INV_STMT_LINE_EXISTS,
							   &order, NULL, INV_SNAPSHOT_LATEST) > 0;
	if (lock.has_row && has_headers)
		lock.header = inv_result(0, 1, &isnull);
	lock.has_header = !isnull;
	return lock;
}

static bool
same_line_lock(InvStore *store, const LineLock *a, const LineLock *b)
{
	return a->has_row == b->has_row && a->has_header == b->has_header &&
		   (!a->has_header || inv_header_compare(store, a->header, b->header) == 0);
}

/* Find what is to be locked; has it changed since it was found before? */
static bool
find_line_locks(InvStore *store, const InvOrder *orders, LineLock *locks, int count)
{
	bool changed = false;

	for (int i = 0; i < count; i++)
	{
		LineLock lock = find_line_lock(store, orders[i].key);

		changed |= !same_line_lock(store, &lock, &locks[i]);
		locks[i] = lock;
	}
	return changed;
}

static void
take_line_locks(InvStore *store, const InvOrder *orders, const LineLock *locks, int count)
{
	Datum *headers = palloc(sizeof(Datum) * count);
	Datum *rows = palloc(sizeof(Datum) * count);
	int header_count = 0, row_count = 0;

	for (int i = 0; i < count; i++)
		if (locks[i].has_header)
			headers[header_count++] = locks[i].header;
		else if (locks[i].has_row)
			rows[row_count++] = orders[i].key;
	inv_lock_headers(store, headers, header_count);
	if (row_count > 0)
	{
		Datum array = inv_make_array(store->order_type, rows, NULL, row_count);

		inv_execute(store, INV_STMT_LOCK_ORDERS, &array, NULL, INV_SNAPSHOT_LATEST);
	}
	for (int i = 0; i < count; i++)
		if (!locks[i].has_row)
			(void) inv_lock_booked(store, orders[i].key);
}

/* Lock lines.  While a lock is waited for, a line can go, or come under another header. */
static void
lock_followed_lines(InvStore *store, const InvOrder *orders, int count)
{
	LineLock *locks = palloc0(sizeof(LineLock) * count);

	(void) find_line_locks(store, orders, locks, count);
	do
		take_line_locks(store, orders, locks, count);
	while (find_line_locks(store, orders, locks, count));
}

/*
 * Lock what the ledger has of the lines.  False if close_ledger has removed what it had of one of
 * them while its lock was waited for.
 */
static bool
lock_booked_lines(InvStore *store, const InvFollowed *lines, int count)
{
	bool known = true;

	for (int i = 0; i < count; i++)
		if (lines[i].booked_count > 0)
			known &= inv_lock_booked(store, lines[i].now.order);
	return known;
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

	lock_followed_lines(store, orders, count);
	for (int i = 0; i < count; i++)
		lines[i].now.order = worth[i].order = orders[i].key;
	inv_read_worth(store, worth, count);
	do
		inv_read_booked(store, lines, count);
	while (!lock_booked_lines(store, lines, count));
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
	inv_opened_line_add(store, order->key);
	order->known = true;
}
