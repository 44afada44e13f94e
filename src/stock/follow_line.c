/*
 * follow_line.c
 *		The movements that make the ledger equal to what an order line is worth.
 *
 * By level, not by event: what the line is worth now against what the ledger has.  An order
 * line that is known and open has as many units sold and not cancelled as it is worth, of its
 * item and for its user.  If it is worth more, the difference is sold.  If it is worth less, the
 * difference is cancelled, of which units that were refunded before do not come back again.
 * What falls on a final line gives nothing back.
 *
 * A line that the ledger does not know is taken when its worth rises, and gives nothing when it
 * falls, because nothing tells whether its units were taken.  The first change books what was
 * there before as a sale that an opening supplied.
 *
 * The stock changes by the sum of the movements of an item; this file moves none.
 */
#include "postgres.h"

#include "base/error.h"
#include "base/store_error.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/ledger_schema.h"
#include "store/query.h"
#include "store/query_cursor.h"
#include "store/query_text.h"
#include "stock/follow_line.h"
#include "stock/ledger.h"
#include "stock/opened_line.h"
#include "stock/order_fact.h"
#include "stock/worth.h"

/* A line whose movements are written. */
typedef struct Follower
{
	InvStore *store;
	InvFollowed *line;
	const char *reason;
	InvBook *book;
} Follower;

/* ---- what the ledger has ---- */

/* Read what the ledger has of lines, which are in key order. */
void
inv_read_booked(InvStore *store, InvFollowed *lines, int count)
{
	Datum *keys = palloc(sizeof(Datum) * count);
	Datum array;
	uint64 rows, row = 0;
	InvBooked *booked;

	for (int i = 0; i < count; i++)
		keys[i] = lines[i].now.order;
	array = inv_make_array(store->order_type, keys, NULL, count);
	rows = inv_execute(store, INV_STMT_BOOKED, &array, NULL, INV_SNAPSHOT_LATEST);
	booked = palloc(sizeof(InvBooked) * Max(rows, 1));
	for (int i = 0; i < count; i++)
	{
		bool isnull;

		lines[i].booked = &booked[row];
		lines[i].booked_count = 0;
		lines[i].archived = false;
		while (row < rows && inv_order_compare(store, inv_result(row, 1, &isnull), keys[i]) == 0)
		{
			InvBooked *part = &booked[row];

			part->item = inv_result(row, 2, &isnull);
			part->user.value = inv_result(row, 3, &part->user.isnull);
			part->units = inv_result_int64(row, 4);
			part->refunded = inv_result_int64(row, 5);
			lines[i].archived |= DatumGetBool(inv_result(row, 6, &isnull));
			lines[i].booked_count++;
			row++;
		}
	}
	Assert(row == rows);
}

/*
 * Lock what the ledger has of a line, against close_ledger, and if its row is gone, against its
 * refunds.  False if it has nothing any more.
 */
bool
inv_lock_booked(InvStore *store, Datum order)
{
	bool found = inv_execute(store, INV_STMT_LOCK_BOOKED, &order, NULL, INV_SNAPSHOT_LATEST) > 0;

	/* a statement can change all lines of a shop */
	inv_result_free();
	return found;
}

/* ---- movements ---- */

static InvMovement *
add_line_movement(Follower *f, Datum item, int64 delta, const char *kind, const InvUser *user)
{
	InvMovement *movement = inv_book_add(f->book, item, delta, kind);

	movement->order = f->line->now.order;
	movement->no_order = false;
	movement->user = *user;
	movement->reason = f->reason;
	return movement;
}

static void
sell_units(Follower *f, Datum item, const InvUser *user, int64 units)
{
	if (units > 0)
		add_line_movement(f, item, -units, INV_KIND_SALE, user);
}

/*
 * Cancel units of a part of the line, of which the refunded ones are in the stock already: their
 * refund becomes a part of the cancellation.
 */
static void
cancel_units(Follower *f, InvBooked *part, int64 units)
{
	int64 refunded = Min(units, part->refunded);

	if (refunded > 0)
	{
		add_line_movement(f, part->item, -refunded, INV_KIND_REFUND, &part->user);
		add_line_movement(f, part->item, refunded, INV_KIND_CANCELLATION, &part->user);
	}
	if (units > refunded)
		add_line_movement(f, part->item, units - refunded, INV_KIND_CANCELLATION, &part->user);
	part->units -= units;
	part->refunded -= refunded;
}

/* The ledger forgets a line: no stock moves, and what was sold still counts against limits. */
static void
close_part(Follower *f, InvBooked *part)
{
	int64 open = part->units - part->refunded;

	if (part->refunded != 0)
		add_line_movement(f, part->item, -part->refunded, INV_KIND_REFUND, &part->user);
	if (part->units != 0)
		add_line_movement(f, part->item, part->units, INV_KIND_CANCELLATION, &part->user);
	if (open != 0)
	{
		InvMovement *closed = inv_book_add(f->book, part->item, -open, INV_KIND_ADJUSTMENT);

		closed->user = part->user;
		closed->reason = INV_REASON_CLOSED;
	}
	part->units = part->refunded = 0;
}

/* ---- lines that the ledger knows ---- */

static bool
is_of_item(Follower *f, const InvBooked *part, Datum item)
{
	return inv_item_compare(f->store, part->item, item) == 0;
}

/* Cancel all that is booked of a line. */
static void
cancel_all(Follower *f)
{
	for (int i = 0; i < f->line->booked_count; i++)
		if (f->line->booked[i].units > 0)
			cancel_units(f, &f->line->booked[i], f->line->booked[i].units);
}

/*
 * A line that was final is gone, or its header is.  It can still be refunded by its key; a
 * movement of no units tells that it is not missing.
 */
static void
note_archived(Follower *f)
{
	for (int i = 0; i < f->line->booked_count; i++)
		if (f->line->booked[i].units > 0)
			add_line_movement(f, f->line->booked[i].item, 0, INV_KIND_CANCELLATION, &inv_no_user)
				->reason = INV_REASON_ARCHIVED;
}

/* Was the row that was deleted final? */
static bool
was_final_line(Follower *f)
{
	int64 units;
	bool final;

	if (!f->line->deleted)
		return false;
	/* its header went before */
	if (f->line->archived && f->line->last_header == (Datum) 0 && OidIsValid(f->store->header))
		return true;
	inv_worth_of_row(f->store, f->line->last_row, f->line->last_header, &units, &final);
	return final;
}

/* Raise 55000 if what the ledger has of a line that is new is its own refund (opened_line.c). */
static void
refuse_early_refund(Follower *f)
{
	if (!f->line->existed && inv_opened_line_has(f->store, f->line->now.order))
		inv_error_early_refund(inv_order_facts(f->store, f->line->now.order));
}

/*
 * A row was inserted with the key of a line that the ledger knows: that line is another one.  If
 * it was there, it was deleted; else it had been archived.
 */
static void
end_former_line(Follower *f)
{
	InvFollowed *line = f->line;

	refuse_early_refund(f);
	if (line->existed && line->deleted && !was_final_line(f))
		cancel_all(f);
	else
		for (int i = 0; i < line->booked_count; i++)
			close_part(f, &line->booked[i]);
}

/* An item or a user that has become null keeps that of the ledger. */
static void
keep_booked_ids(InvFollowed *line)
{
	InvLineWorth *now = &line->now;

	for (int i = 0; i < line->booked_count; i++)
	{
		if (line->booked[i].units == 0)
			continue;
		if (now->no_item)
			now->item = line->booked[i].item;
		if (now->user.isnull)
			now->user = line->booked[i].user;
		now->no_item = false;
		break;
	}
}

/* The units of the line's item that belong to another user become those of its user. */
static void
change_user(Follower *f, InvBooked *part)
{
	int64 open = part->units - part->refunded;

	if (open <= 0)
		return;
	add_line_movement(f, part->item, open, INV_KIND_CANCELLATION, &part->user);
	add_line_movement(f, part->item, -open, INV_KIND_SALE, &f->line->now.user);
}

/* Cancel units of an item that were refunded, of all users. */
static int64
cancel_refunded(Follower *f, Datum item, int64 units)
{
	int64 cancelled = 0;

	for (int i = 0; i < f->line->booked_count; i++)
	{
		InvBooked *part = &f->line->booked[i];
		int64 some = Min(units - cancelled, part->refunded);

		if (some <= 0 || !is_of_item(f, part, item))
			continue;
		cancel_units(f, part, some);
		cancelled += some;
	}
	return cancelled;
}

/* Cancel units of an item: what was refunded, then those of the line's user first. */
static void
cancel_of_item(Follower *f, Datum item, int64 units)
{
	units -= cancel_refunded(f, item, units);
	for (int own = 1; own >= 0; own--)
		for (int i = 0; i < f->line->booked_count; i++)
		{
			InvBooked *part = &f->line->booked[i];
			int64 some = Min(units, part->units - part->refunded);

			if (some <= 0 || !is_of_item(f, part, item) ||
				inv_same_users(f->store, &part->user, &f->line->now.user) != (own == 1))
				continue;
			cancel_units(f, part, some);
			units -= some;
		}
}

static int64
booked_of_item(Follower *f, Datum item)
{
	int64 units = 0;

	for (int i = 0; i < f->line->booked_count; i++)
		if (is_of_item(f, &f->line->booked[i], item))
			units += f->line->booked[i].units;
	return units;
}

/* Are units of another item booked? */
static bool
has_other_item(Follower *f, Datum item)
{
	for (int i = 0; i < f->line->booked_count; i++)
		if (f->line->booked[i].units > 0 && !is_of_item(f, &f->line->booked[i], item))
			return true;
	return false;
}

static void
follow_known(Follower *f)
{
	InvFollowed *line = f->line;
	InvLineWorth *now = &line->now;
	int64 booked;

	keep_booked_ids(line);
	if (now->no_item)
		return;
	booked = booked_of_item(f, now->item);
	if (now->final)
	{
		if (line->orphaned && !line->archived)
			note_archived(f);
		if (now->units > booked && !has_other_item(f, now->item))
			sell_units(f, now->item, &now->user, now->units - booked);
		return;
	}
	for (int i = 0; i < line->booked_count; i++)
	{
		InvBooked *part = &line->booked[i];

		if (!is_of_item(f, part, now->item))
			cancel_units(f, part, part->units);
	}
	if (now->units < booked)
		cancel_of_item(f, now->item, booked - now->units);
	for (int i = 0; i < line->booked_count; i++)
	{
		InvBooked *part = &line->booked[i];

		if (is_of_item(f, part, now->item) && !inv_same_users(f->store, &part->user, &now->user))
			change_user(f, part);
	}
	sell_units(f, now->item, &now->user, now->units - booked);
}

/* ---- lines that it does not know ---- */

/* What the line was worth before, of the item that it has now. */
static int64
worth_before(Follower *f)
{
	InvFollowed *line = f->line;
	int64 units;
	bool final;

	if (!line->existed)
		return 0;
	if (line->old_row == (Datum) 0)
		return inv_worth_under_header(f->store, line->now.order, line->old_header);
	if (line->old.no_item || inv_item_compare(f->store, inv_item_of_order(f->store, line->old.item),
											  line->now.item) != 0)
		return 0;
	inv_worth_of_row(f->store, line->old_row, line->old_header, &units, &final);
	return units;
}

static void
follow_unknown(Follower *f)
{
	InvLineWorth *now = &f->line->now;
	int64 before, kept;

	if (!now->exists || now->no_item)
		return;
	before = worth_before(f);
	kept = Min(before, now->units);
	if (before == now->units)
		return;
	sell_units(f, now->item, &now->user, kept);
	if (kept > 0)
		add_line_movement(f, now->item, kept, INV_KIND_OPENING, &now->user);
	sell_units(f, now->item, &now->user, now->units - kept);
}

/* ---- lines of the engine ---- */

/* Are units of a former line booked for the key of a line that the engine has inserted? */
bool
inv_has_former_line(const InvFollowed *line)
{
	int64 units = 0;

	for (int i = 0; i < line->booked_count; i++)
		units += line->booked[i].units;
	return units > line->sold;
}

/* Find what the engine has sold on a line: the last that is booked of its item. */
static InvBooked *
find_sold_part(Follower *f)
{
	InvFollowed *line = f->line;

	for (int i = line->booked_count - 1; i >= 0 && !line->now.no_item; i--)
		if (line->booked[i].units >= line->sold && is_of_item(f, &line->booked[i], line->now.item))
			return &line->booked[i];
	return NULL;
}

/*
 * The engine has sold what it wrote: raise if that is not what the line is worth.  If the ledger
 * knew a line of the same key, that was another one.
 */
static void
check_engine_line(Follower *f)
{
	InvFollowed *line = f->line;
	InvBooked *own = line->now.exists ? find_sold_part(f) : NULL;

	if (own == NULL || line->sold != line->now.units)
		inv_error_worth_differs(inv_order_facts(f->store, line->now.order), line->sold,
								line->now.exists && !line->now.no_item ? line->now.units : 0);
	if (!inv_has_former_line(line))
		return;
	refuse_early_refund(f);
	own->units -= line->sold;
	for (int i = 0; i < line->booked_count; i++)
		close_part(f, &line->booked[i]);
	own->units = line->sold;
}

/* Add the movements of a line that has changed, or none. */
void
inv_follow_line(InvStore *store, InvFollowed *line, const char *reason, InvBook *book)
{
	Follower f = { store, line, reason, book };

	if (line->by_engine)
		check_engine_line(&f);
	else if (line->booked_count == 0)
		follow_unknown(&f);
	else
	{
		if (line->is_new)
			end_former_line(&f);
		if (line->now.exists)
			follow_known(&f);
		else if (was_final_line(&f))
			note_archived(&f);
		else
			cancel_all(&f);
	}
}
