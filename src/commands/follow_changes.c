/*
 * follow_changes.c
 *		Which order lines a list of changes concerns, and what they were before.
 *
 * The changes are of rows of orders and of their headers.  A line is read as it is now, with what
 * the ledger has of it; what it was before matters where the ledger does not know it.
 *
 * Locks: headers by ascending key.
 */
#include "postgres.h"

#include "base/array.h"
#include "store/binding.h"
#include "store/column.h"
#include "stock/follow_line.h"
#include "stock/pending.h"
#include "stock/worth.h"
#include "commands/follow_changes.h"

/* ---- which lines ---- */

/* Headers by key. */
static int
compare_headers(const void *a, const void *b, void *store)
{
	return inv_header_compare(store, (*(InvPending *const *) a)->key,
							  (*(InvPending *const *) b)->key);
}

/* And those of one key in the order of time: the list is, and places in it are addresses. */
static int
compare_header_changes(const void *a, const void *b, void *store)
{
	const InvPending *left = *(InvPending *const *) a, *right = *(InvPending *const *) b;
	int order = compare_headers(a, b, store);

	return order != 0 ? order : left < right ? -1 : left > right;
}

/* Find the first change of each header that has changed, in the order of their keys. */
static void
sort_changed_headers(InvChanges *changes)
{
	int kept = 0;

	changes->headers = palloc(sizeof(InvPending *) * changes->count);
	for (int i = 0; i < changes->count; i++)
		if (changes->list[i].kind == INV_PENDING_HEADER)
			changes->headers[changes->header_count++] = &changes->list[i];
	qsort_arg(changes->headers, changes->header_count, sizeof(InvPending *), compare_header_changes,
			  changes->store);
	for (int i = 0; i < changes->header_count; i++)
		if (kept == 0 ||
			compare_headers(&changes->headers[kept - 1], &changes->headers[i], changes->store) != 0)
			changes->headers[kept++] = changes->headers[i];
	changes->header_count = kept;
}

/* The first change of a header; null if it has not changed. */
static const InvPending *
find_changed_header(const InvChanges *changes, Datum key)
{
	InvPending wanted = { .key = key };
	InvPending *pointer = &wanted;
	InvPending **found = bsearch_arg(&pointer, changes->headers, changes->header_count,
									 sizeof(InvPending *), compare_headers, changes->store);

	return found ? *found : NULL;
}

/* Lock the headers that have changed, and those of lines that have. */
static void
lock_headers_of(InvChanges *changes)
{
	Datum *headers = palloc(sizeof(Datum) * 2 * changes->count);
	int count = 0;

	for (int i = 0; i < changes->count; i++)
	{
		const InvPending *change = &changes->list[i];

		if (change->kind == INV_PENDING_HEADER)
			headers[count++] = change->key;
		if (change->has_header)
			headers[count++] = change->header;
		if (change->old.exists && !change->old.no_header)
			headers[count++] = change->old.header;
	}
	inv_lock_headers(changes->store, headers, count);
}

/* The keys of the lines of headers that have changed. */
static Datum *
lines_of_changed_headers(InvChanges *changes, int *count)
{
	Datum *headers = palloc(sizeof(Datum) * Max(changes->header_count, 1));

	for (int i = 0; i < changes->header_count; i++)
		headers[i] = changes->headers[i]->key;
	return inv_lines_of_headers(changes->store, headers, changes->header_count, count);
}

static int
compare_followed(const void *a, const void *b, void *store)
{
	return inv_order_compare(store, ((const InvFollowed *) a)->now.order,
							 ((const InvFollowed *) b)->now.order);
}

/* Find the lines to look at. */
static void
find_lines(InvChanges *changes)
{
	InvStore *store = changes->store;
	int of_headers, count = 0, kept = 0;
	Datum *keys = lines_of_changed_headers(changes, &of_headers);
	InvFollowed *lines =
		inv_zeroed_array((Size) changes->count + (Size) of_headers, sizeof(InvFollowed));

	for (int i = 0; i < changes->count; i++)
		if (changes->list[i].kind != INV_PENDING_HEADER)
			lines[count++].now.order = changes->list[i].key;
	for (int i = 0; i < of_headers; i++)
		lines[count++].now.order = keys[i];
	qsort_arg(lines, count, sizeof(InvFollowed), compare_followed, store);
	for (int i = 0; i < count; i++)
		if (kept == 0 || compare_followed(&lines[kept - 1], &lines[i], store) != 0)
			lines[kept++] = lines[i];
	changes->lines = lines;
	changes->line_count = kept;
}

/* ---- what they were ---- */

/* The row of a header as it was before the changes; 0 if there was none. */
static Datum
header_before(InvChanges *changes, Datum key)
{
	const InvPending *change = find_changed_header(changes, key);
	Datum row;

	if (change)
		return change->old_row;
	if (inv_pending_old_header(changes->store, key, &row))
		return row;
	return inv_read_header_before(changes->store, key);
}

/* The same as it is, or as it last was. */
static Datum
header_after(InvChanges *changes, Datum key)
{
	Datum row = inv_read_header(changes->store, key);

	if (row == (Datum) 0)
		(void) inv_pending_old_header(changes->store, key, &row);
	return row;
}

/* Note what a change of its row says of a line. */
static void
note_change(InvChanges *changes, const InvPending *change, InvFollowed *line, bool *moved)
{
	if (change->kind == INV_PENDING_ENGINE)
	{
		line->by_engine = true;
		line->sold += change->sold;
		return;
	}
	if (!line->existed && line->old_row == (Datum) 0 && change->kind != INV_PENDING_INSERT &&
		!line->is_new)
	{
		line->existed = true;
		line->old = change->old;
		line->old_row = change->old_row;
		/* what it was worth matters only where the ledger does not know it */
		if (!change->old.no_header && line->booked_count == 0)
			line->old_header = header_before(changes, change->old.header);
	}
	if (change->kind == INV_PENDING_INSERT && !*moved)
		line->is_new = true;
	*moved = change->kind == INV_PENDING_MOVE;
	/* what is deleted later is a new line, which the ledger does not know yet */
	if (change->kind == INV_PENDING_DELETE && !line->deleted)
	{
		line->deleted = true;
		line->last_row = change->old_row;
		line->last_header =
			change->old.no_header ? (Datum) 0 : header_after(changes, change->old.header);
	}
}

/* The change of a line's row that comes next, in the order of lines and then of time. */
static int
compare_changes(const void *a, const void *b, void *arg)
{
	const InvChanges *changes = arg;
	const InvPending *left = &changes->list[*(const int *) a];
	const InvPending *right = &changes->list[*(const int *) b];
	int order = inv_order_compare(changes->store, left->key, right->key);

	return order != 0 ? order : *(const int *) a - *(const int *) b;
}

/* Note what the changes say of the lines. */
static void
note_changes(InvChanges *changes)
{
	int *places = palloc(sizeof(int) * changes->count);
	int count = 0, place = 0;

	for (int i = 0; i < changes->count; i++)
		if (changes->list[i].kind != INV_PENDING_HEADER)
			places[count++] = i;
	qsort_arg(places, count, sizeof(int), compare_changes, changes);
	for (int i = 0; i < changes->line_count; i++)
	{
		InvFollowed *line = &changes->lines[i];
		bool moved = false;

		for (; place < count; place++)
		{
			const InvPending *change = &changes->list[places[place]];

			if (inv_order_compare(changes->store, change->key, line->now.order) != 0)
				break;
			note_change(changes, change, line, &moved);
		}
	}
}

/* The key of a line that is gone is used again: no refund of that line is in progress. */
static void
lock_former_lines(InvChanges *changes)
{
	bool locked = false;

	for (int i = 0; i < changes->line_count; i++)
	{
		InvFollowed *line = &changes->lines[i];

		if (line->by_engine ? !inv_has_former_line(line) : !line->is_new || line->booked_count == 0)
			continue;
		(void) inv_lock_booked(changes->store, line->now.order);
		locked = true;
	}
	if (locked)
		inv_read_booked(changes->store, changes->lines, changes->line_count);
}

/* Is the header of a line gone, now or before?  That may have set the line's reference to NULL. */
static bool
header_is_gone(InvStore *store, const InvFollowed *line, Datum *row)
{
	Datum key = line->now.no_header ? line->old.header : line->now.header;

	*row = (Datum) 0;
	if (line->now.no_header && (!line->existed || line->old.no_header))
		return true;
	return (inv_pending_old_header(store, key, row) || line->archived) &&
		   inv_read_header(store, key) == (Datum) 0;
}

/*
 * A known line whose header is gone, as without a foreign key or by ON DELETE SET NULL: it is
 * final if it was, by the header as that last was.
 */
static void
judge_orphans(InvChanges *changes)
{
	InvStore *store = changes->store;

	for (int i = 0; i < changes->line_count && OidIsValid(store->header); i++)
	{
		InvFollowed *line = &changes->lines[i];
		Datum row;

		if (line->now.exists && !line->now.final && !line->is_new && line->booked_count > 0 &&
			header_is_gone(store, line, &row))
			line->orphaned = row == (Datum) 0 ? line->archived
											  : inv_final_under_header(store, line->now.order, row);
		line->now.final |= line->orphaned;
	}
}

/*
 * A line whose row has not changed was there before, under the header as that was.  One that is
 * gone was deleted by a session with session_replication_role replica, which waits for no header.
 */
static void
note_headers(InvChanges *changes)
{
	for (int i = 0; i < changes->line_count; i++)
	{
		InvFollowed *line = &changes->lines[i];

		if (line->existed || line->is_new || line->by_engine || !line->now.exists ||
			line->now.no_header || line->booked_count > 0)
			continue;
		line->existed = true;
		line->old_header = header_before(changes, line->now.header);
	}
}

/* ---- the whole ---- */

static void
read_lines(InvChanges *changes)
{
	InvLineWorth *worth = palloc(sizeof(InvLineWorth) * changes->line_count);

	for (int i = 0; i < changes->line_count; i++)
		worth[i] = changes->lines[i].now;
	inv_read_worth(changes->store, worth, changes->line_count);
	for (int i = 0; i < changes->line_count; i++)
		changes->lines[i].now = worth[i];
	inv_read_booked(changes->store, changes->lines, changes->line_count);
}

/* Lock the headers that have changed, and those of lines that have. */
void
inv_changes_lock_headers(InvChanges *changes)
{
	sort_changed_headers(changes);
	lock_headers_of(changes);
}

/* Find the lines, which keeps what the locks of their headers guard, and read them. */
void
inv_changes_read_lines(InvChanges *changes)
{
	find_lines(changes);
	if (changes->line_count == 0)
		return;
	read_lines(changes);
	note_changes(changes);
	lock_former_lines(changes);
	judge_orphans(changes);
	note_headers(changes);
}
