/*
 * new_hold.c
 *		A new reservation: its units are taken, its rows and movements written.
 *
 * Units are taken as for a purchase; reservation rows are written instead of orders.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/error.h"
#include "base/stats.h"
#include "shmem/worker_slot.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/direct_insert.h"
#include "store/ledger_schema.h"
#include "store/query.h"
#include "store/query_text.h"
#include "stock/limit.h"
#include "stock/quantity.h"
#include "commands/cart.h"
#include "commands/hold.h"
#include "commands/new_hold.h"

/* Write the lines of a reservation without a statement; false if the table needs one. */
static bool
write_hold_directly(InvStore *store, const InvCart *cart, const InvUser *user, Datum id,
					TimestampTz end)
{
	int count = cart->take_count;
	InvDirectRow *rows = palloc0(sizeof(InvDirectRow) * count);
	Datum held = CStringGetTextDatum(INV_RESERVATION_HELD);

	for (int i = 0; i < count; i++)
	{
		Datum *values = rows[i].values;

		values[INV_HOLD_ID] = id;
		values[INV_HOLD_ITEM] = cart->takes[i].item;
		values[INV_HOLD_QUANTITY] = Int64GetDatum(cart->takes[i].quantity);
		values[INV_HOLD_TRACKED] = BoolGetDatum(cart->takes[i].tracked);
		values[INV_HOLD_USER] = user->value;
		rows[i].nulls[INV_HOLD_USER] = user->isnull;
		values[INV_HOLD_STATUS] = held;
		values[INV_HOLD_EXPIRES_AT] = TimestampTzGetDatum(end);
		values[INV_HOLD_CREATED_AT] = TimestampTzGetDatum(store->now);
	}
	if (!inv_direct_insert(store, INV_TARGET_HOLDS, rows, count, false))
		return false;
	for (int i = 0; i < count; i++)
		if (!rows[i].written)
			inv_error_rows_not_written(store, INV_STMT_HOLD);
	return true;
}

/* Write the lines of a reservation, which lasts from now until "end". */
static void
write_hold(InvStore *store, const InvCart *cart, const InvUser *user, Datum id, TimestampTz end)
{
	int count = cart->take_count;
	Datum *items, *quantities, *tracked;
	char nulls[] = { ' ', ' ', ' ', ' ', user->isnull ? 'n' : ' ', ' ', ' ' };

	if (write_hold_directly(store, cart, user, id, end))
		return;
	items = palloc(sizeof(Datum) * count);
	quantities = palloc(sizeof(Datum) * count);
	tracked = palloc(sizeof(Datum) * count);
	for (int i = 0; i < count; i++)
	{
		items[i] = cart->takes[i].item;
		quantities[i] = Int64GetDatum(cart->takes[i].quantity);
		tracked[i] = BoolGetDatum(cart->takes[i].tracked);
	}
	{
		Datum values[] = { id,
						   inv_make_array(store->item_id.base, items, NULL, count),
						   inv_make_array(INT8OID, quantities, NULL, count),
						   inv_make_array(BOOLOID, tracked, NULL, count),
						   user->value,
						   TimestampTzGetDatum(end),
						   TimestampTzGetDatum(store->now) };

		inv_execute_write(store, INV_STMT_HOLD, values, nulls, INV_SNAPSHOT_TRANSACTION, count);
	}
}

/*
 * Take the stock and write the reservation.  It lasts until *end, and longer by what the call has
 * waited for its units.  False if a line is refused: then its status says why, and nothing is
 * written.
 */
bool
inv_reserve_units(InvStore *store, InvCart *cart, const InvUser *user, Datum id, TimestampTz *end)
{
	int count = cart->take_count;
	TimestampTz now;

	if (!inv_hold_take(store, cart->takes, count, user))
		return false;
	now = Max(store->now, GetCurrentTimestamp());
	if (!TIMESTAMP_IS_NOEND(*end))
		*end += now - store->now;
	store->now = now;
	inv_stats_count(INV_STATS_UNITS, inv_cart_units(cart));
	inv_worker_start_at_commit();
	write_hold(store, cart, user, id, *end);
	INV_POINT("inventory-after-hold");
	inv_hold_book(store, cart->takes, count, user, id, *end);
	inv_check_limits(store, cart->takes, count, user);
	return true;
}

/* ---- ids that callers give ---- */

/* Has a reservation the lines of a cart? */
static bool
has_lines(InvStore *store, const InvHold *hold, const InvCart *cart)
{
	int count = 0;

	for (int i = 0; i < hold->count; i++)
	{
		const InvHoldLine *line = &hold->lines[i];

		/* a line that was removed from it is not part of it */
		if (line->state == INV_HOLD_RELEASED)
			continue;
		if (count == cart->take_count || line->quantity != cart->takes[count].quantity ||
			inv_item_compare(store, line->item, cart->takes[count].item) != 0)
			return false;
		count++;
	}
	return count == cart->take_count;
}

/*
 * The reservation that has the id which the caller gives for a new one: the call is repeated.
 * False if there is none; raises IV009 if it is another user's, or has other lines.
 */
bool
inv_find_repeated(InvStore *store, const InvCart *cart, const InvUser *user, Datum id,
				  InvHold *hold)
{
	bool open;

	if (!inv_hold_find_given(store, hold, id))
		return false;
	open = hold->state == INV_HOLD_HELD || hold->state == INV_HOLD_CONFIRMED;
	/* without lines, it was released before it was made, for any user */
	if (hold->count > 0 &&
		(!inv_same_users(store, &hold->user, user) || (open && !has_lines(store, hold, cart))))
		inv_error_key_mismatch(inv_reservation_facts(store, hold->id), "a reservation");
	return true;
}
