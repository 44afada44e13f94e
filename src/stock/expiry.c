/*
 * expiry.c
 *		Holds that are overdue, given back to the stock.
 *
 * A hold past its time is dead whether or not anybody came to give it back; this
 * only makes its units sellable again.  Who is short of an item does it for that
 * item, oldest first and no more than needed; the worker and operators do it for
 * all.  Lines that somebody else is at are skipped, so nobody waits here for a
 * reservation, and it is done with the latest snapshot, so nobody fails for an
 * old one.
 */
#include "postgres.h"

#include "catalog/pg_type.h"

#include "base/stats.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/query.h"
#include "store/query_text.h"
#include "stock/expiry.h"
#include "stock/give.h"
#include "stock/ledger.h"
#include "stock/quantity.h"

/* how many lines one statement looks at when somebody is short */
#define LAZY_ROWS 100

/* A line that is overdue, locked by us. */
typedef struct Overdue
{
	Datum reservation;
	Datum item;
	int64 quantity;
	InvUser user;
	bool tracked; /* the stock was lowered for it */
} Overdue;

/* Copy the lines of the last statement. */
static Overdue *
overdue_lines(uint64 count)
{
	Overdue *lines = palloc(sizeof(Overdue) * Max(count, 1));

	for (uint64 row = 0; row < count; row++)
	{
		bool isnull;

		lines[row].item = inv_result(row, 1, &isnull);
		lines[row].quantity = inv_result_int64(row, 2);
		lines[row].user.value = inv_result(row, 3, &lines[row].user.isnull);
		lines[row].tracked = DatumGetBool(inv_result(row, 8, &isnull));
		lines[row].reservation = inv_result(row, 9, &isnull);
	}
	return lines;
}

static int
compare_gives(const void *a, const void *b, void *store)
{
	return inv_item_compare(store, ((const InvGive *) a)->item, ((const InvGive *) b)->item);
}

/* Give back the units of the lines, summed per item in key order. */
static InvGive *
give_overdue_back(InvStore *store, const Overdue *lines, uint64 count, int *gives_count)
{
	InvGive *gives = palloc0(sizeof(InvGive) * count);
	int used = 0, merged = 0;

	for (uint64 i = 0; i < count; i++)
	{
		if (!lines[i].tracked)
			continue;
		gives[used].item = lines[i].item;
		gives[used++].quantity = lines[i].quantity;
	}
	qsort_arg(gives, used, sizeof(InvGive), compare_gives, store);
	for (int i = 0; i < used; i++)
	{
		if (merged > 0 && inv_item_compare(store, gives[merged - 1].item, gives[i].item) == 0)
			gives[merged - 1].quantity += gives[i].quantity;
		else
			gives[merged++] = gives[i];
	}
	if (merged > 0)
		inv_give(store, gives, merged, INV_SNAPSHOT_LATEST);
	*gives_count = merged;
	return gives;
}

/* What the units of a line were given back with, or null. */
static const InvGive *
give_of(InvStore *store, InvGive *gives, int count, const Overdue *line)
{
	InvGive key = { .item = line->item };

	if (!line->tracked)
		return NULL;
	return bsearch_arg(&key, gives, count, sizeof(InvGive), compare_gives, store);
}

/* Mark, give back and book. */
static void
expire_lines(InvStore *store, const Overdue *lines, uint64 count)
{
	Datum *reservations = palloc(sizeof(Datum) * count);
	Datum *items = palloc(sizeof(Datum) * count);
	Datum values[2];
	InvGive *gives;
	int gives_count;
	InvBook book;

	for (uint64 i = 0; i < count; i++)
	{
		reservations[i] = lines[i].reservation;
		items[i] = lines[i].item;
	}
	values[0] = inv_make_array(UUIDOID, reservations, NULL, count);
	values[1] = inv_make_array(store->item_id.base, items, NULL, count);
	inv_execute(store, INV_STMT_EXPIRE, values, NULL, INV_SNAPSHOT_LATEST);
	gives = give_overdue_back(store, lines, count, &gives_count);

	inv_book_init(&book, 2 * count);
	for (uint64 i = 0; i < count; i++)
	{
		const InvGive *give = give_of(store, gives, gives_count, &lines[i]);

		inv_book_return(&book, lines[i].item, lines[i].quantity, "expiry", &lines[i].user,
						lines[i].reservation, give && give->tracked, give ? give->epoch : 0);
	}
	inv_book_write(store, &book);
	for (uint64 i = 0; i < count; i++)
		inv_stats_add(store->items, "expiry", INV_STATS_UNITS, lines[i].quantity);
	inv_stats_add(store->items, "expiry", INV_STATS_CALLS, count);
}

/*
 * Somebody lacks units of an item: expire what is overdue there.  False if there
 * was nothing that is not somebody else's already.
 */
bool
inv_expire_overdue_of_item(InvStore *store, Datum item, int64 units)
{
	bool any = false;
	int64 rows = 1; /* the first may do; after that, what is needed at the most */

	while (units > 0)
	{
		Datum values[] = { item, TimestampTzGetDatum(store->now), Int64GetDatum(rows) };
		uint64 count =
			inv_execute(store, INV_STMT_OVERDUE_OF_ITEM, values, NULL, INV_SNAPSHOT_LATEST);
		Overdue *lines;

		if (count == 0)
			break;
		lines = overdue_lines(count);
		expire_lines(store, lines, count);
		any = true;
		for (uint64 i = 0; i < count; i++)
			units -= lines[i].quantity;
		rows = Min(units, LAZY_ROWS);
	}
	return any;
}

/* Are there overdue lines of the item that somebody else has locked? */
bool
inv_item_has_overdue(InvStore *store, Datum item)
{
	Datum values[] = { item, TimestampTzGetDatum(store->now) };

	return inv_execute(store, INV_STMT_STILL_OVERDUE, values, NULL, INV_SNAPSHOT_LATEST) > 0;
}

/*
 * Expire the oldest overdue lines of the store, of those that expire at *from or
 * later; returns how many there were, and in *from where to go on.  What is before
 * is gone, but stays in the index until it is vacuumed: who goes on batch by batch
 * does not look through it again.
 */
int64
inv_expire_overdue(InvStore *store, int64 max_rows, TimestampTz *from)
{
	Datum values[] = { TimestampTzGetDatum(store->now), Int64GetDatum(max_rows),
					   TimestampTzGetDatum(*from) };
	uint64 count = inv_execute(store, INV_STMT_OVERDUE, values, NULL, INV_SNAPSHOT_LATEST);
	bool isnull;

	if (count == 0)
		return 0;
	*from = DatumGetTimestampTz(inv_result(count - 1, 5, &isnull));
	expire_lines(store, overdue_lines(count), count);
	return count;
}
