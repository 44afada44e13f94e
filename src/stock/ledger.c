/*
 * ledger.c
 *		Movements: one row for every change of stock (invariants 1, 2 and 4).
 *
 * A call collects its movements in a book and writes them at its end, in the transaction
 * that changed the stock.  Beside this only maintenance/ writes movements: verify.c and repair.c
 * book what the ledger lacks, close_ledger.c replaces old ones by their sum, and truncate.c ends
 * what the rows of a table were.
 *
 * Takes no lock.  Where stock changed, the caller still has the item's row locked, or a
 * reference to the epoch of its counter.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/array.h"
#include "base/compat.h"
#include "base/error.h"
#include "base/store_error.h"
#include "store/binding.h"
#include "store/direct_insert.h"
#include "store/ledger_schema.h"
#include "store/query.h"
#include "store/query_letter.h"
#include "store/query_text.h"
#include "stock/ledger.h"

/* The role that called the generated function, for the column actor. */
Datum
inv_ledger_actor(void)
{
	return CStringGetTextDatum(GetUserNameFromId(GetOuterUserId(), false));
}

/*
 * The time of a movement, for the column created_at: when it is written, not when the
 * transaction or the call began.  A cold item's row is locked then, so it orders the
 * movements of the item.
 */
Datum
inv_ledger_time(void)
{
	return TimestampTzGetDatum(GetCurrentTimestamp());
}

const InvUser inv_no_user = { (Datum) 0, true };

/* Begin a book, with room for that many movements at first. */
void
inv_book_init(InvBook *book, int capacity)
{
	Assert(capacity > 0);
	book->movements =
		MemoryContextAllocHuge(CurrentMemoryContext, sizeof(InvMovement) * (Size) capacity);
	book->capacity = capacity;
	book->count = 0;
}

/*
 * Add a movement; user, order and the rest are empty until the caller fills them.  Where there is no room
 * for it the others move.
 */
InvMovement *
inv_book_add(InvBook *book, Datum item, int64 delta, const char *kind)
{
	InvMovement *new;

	book->movements = inv_make_room(book->movements, book->count, &book->capacity,
									sizeof(InvMovement), CurrentMemoryContext);
	new = &book->movements[book->count++];
	memset(new, 0, sizeof(*new));
	new->item = item;
	new->delta = delta;
	new->kind = kind;
	new->user = inv_no_user;
	new->no_order = true;
	return new;
}

/*
 * Add the return of units that were held.  If no stock received them, because the item is
 * not tracked or was not when they were held, a second movement takes them off the
 * item's balance again (invariant 2): it needs room for two.
 */
void
inv_book_return(InvBook *book, Datum item, int64 quantity, const char *kind, const InvUser *user,
				Datum reservation, bool given, int64 epoch)
{
	InvMovement *back = inv_book_add(book, item, quantity, kind);

	back->user = *user;
	back->reservation = reservation;
	back->epoch = epoch;
	if (!given)
		inv_book_add(book, item, -quantity, INV_KIND_ADJUSTMENT)->reason = INV_REASON_UNTRACKED;
}

static InvDirectRow *
movement_rows(const InvBook *book)
{
	InvDirectRow *rows =
		MemoryContextAllocHuge(CurrentMemoryContext, sizeof(InvDirectRow) * (Size) book->count);
	Datum actor = inv_ledger_actor();
	Datum now = inv_ledger_time();

	for (int i = 0; i < book->count; i++)
	{
		const InvMovement *m = &book->movements[i];
		InvDirectRow row = {
			.values = {
				[INV_MOVEMENT_ITEM] = m->item,
				[INV_MOVEMENT_DELTA] = Int64GetDatum(m->delta),
				[INV_MOVEMENT_KIND] = CStringGetTextDatum(m->kind),
				[INV_MOVEMENT_USER] = m->user.value,
				[INV_MOVEMENT_ORDER] = m->order,
				[INV_MOVEMENT_RESERVATION] = m->reservation,
				[INV_MOVEMENT_REASON] = m->reason ? CStringGetTextDatum(m->reason) : (Datum) 0,
				[INV_MOVEMENT_EPOCH] = Int64GetDatum(m->epoch),
				[INV_MOVEMENT_ACTOR] = actor,
				[INV_MOVEMENT_CREATED_AT] = now,
			},
			.nulls = {
				[INV_MOVEMENT_USER] = m->user.isnull,
				[INV_MOVEMENT_ORDER] = m->no_order,
				[INV_MOVEMENT_RESERVATION] = m->reservation == 0,
				[INV_MOVEMENT_REASON] = m->reason == NULL,
				[INV_MOVEMENT_EPOCH] = m->epoch == 0,
			},
		};

		rows[i] = row;
	}
	return rows;
}

/* A column of the rows as an array. */
static Datum
column_array(const InvDirectRow *rows, int count, int n, Oid type)
{
	Datum *values = palloc(sizeof(Datum) * count);
	bool *nulls = palloc(sizeof(bool) * count);

	for (int i = 0; i < count; i++)
	{
		values[i] = rows[i].values[n];
		nulls[i] = rows[i].nulls[n];
	}
	return inv_make_array(type, values, nulls, count);
}

/* Insert the rows by one statement; returns how many were written. */
static uint64
insert_rows(InvStore *store, const InvDirectRow *rows, int count)
{
	Datum values[INV_MOVEMENT_COLUMN_COUNT];

	for (int i = 0; i < INV_MOVEMENT_FIRST_SCALAR; i++)
		values[i] = column_array(rows, count, i,
								 inv_letter_type(store, pg_ascii_tolower(INV_MOVEMENT_TYPES[i])));
	/* actor and time are the same in all */
	for (int i = INV_MOVEMENT_FIRST_SCALAR; i < INV_MOVEMENT_COLUMN_COUNT; i++)
		values[i] = rows[0].values[i];
	return inv_execute(store, INV_STMT_MOVEMENTS, values, NULL, INV_SNAPSHOT_TRANSACTION);
}

/*
 * Write the movements, in their order, and empty the book.  Raises 55000 if a trigger or
 * rule suppressed one.
 */
void
inv_book_write(InvStore *store, InvBook *book)
{
	InvDirectRow *rows = movement_rows(book);
	uint64 written = 0;

	if (book->count == 0)
		return;
	if (inv_direct_insert(store, INV_TARGET_MOVEMENTS, rows, book->count, false))
		for (int i = 0; i < book->count; i++)
			written += rows[i].written;
	else
		written = insert_rows(store, rows, book->count);
	if (written != (uint64) book->count)
		inv_error_kept_rows(store->store_name, "movements");
	INV_POINT("inventory-after-movement");
	book->count = 0;
}
