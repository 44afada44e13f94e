/*
 * follow.c
 *		The ledger follows what order lines are worth (order_writes follow).
 *
 * For a shop that writes its orders itself.  The guards on orders and on their headers note
 * what changes (stock/pending.c).  At the end of the statement, or of the transaction, the
 * lines concerned are read and compared with the ledger (stock/follow_line.c), and the
 * difference is taken from the stock or given back, of all lines at once.
 *
 * Locks, in this order: headers by ascending key, the first movements of lines by ascending key of
 * the line, then what a cart locks.  The statement has its order rows locked before.
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "fmgr.h"
#include "utils/rel.h"

#include "base/error.h"
#include "base/guc.h"
#include "base/store_error.h"
#include "store/binding.h"
#include "store/enter.h"
#include "store/query.h"
#include "store/query_text.h"
#include "store/store.h"
#include "stock/follow_line.h"
#include "stock/pending.h"
#include "commands/cart.h"
#include "commands/follow.h"
#include "commands/follow_changes.h"
#include "commands/follow_stock.h"

/* ---- applying ---- */

/*
 * Add the movements of the lines.  False if close_ledger has removed what the ledger had of one of
 * them while its lock was waited for: then it is a line that the ledger does not know.
 */
static bool
book_lines(InvChanges *changes, const char *reason, InvBook *book)
{
	bool known = true;

	/* most lines need one, and a statement can change all lines of a shop */
	inv_book_init(book, changes->line_count);
	for (int i = 0; i < changes->line_count; i++)
	{
		InvFollowed *line = &changes->lines[i];
		int before = book->count;

		inv_follow_line(changes->store, line, reason, book);
		if (book->count > before && line->booked_count > 0)
			known &= inv_lock_booked(changes->store, line->now.order);
	}
	return known;
}

/* Make the ledger of an entered store equal to what the lines that have changed are worth. */
static void
apply_changes(InvStore *store, bool at_commit, const char *reason)
{
	InvChanges changes = { .store = store };
	InvBook book;

	changes.list = inv_pending_take(store, at_commit, &changes.count);
	if (changes.count == 0)
		return;
	inv_changes_lock_headers(&changes);
	do
	{
		inv_changes_read_lines(&changes);
		if (changes.line_count == 0)
			return;
	} while (!book_lines(&changes, reason, &book));
	inv_move_followed_stock(store, &book);
}

/* Triggers of the shop may have changed lines of other stores while the engine wrote. */
static void
apply_others(void)
{
	Oid items;

	while (OidIsValid(items = inv_pending_store()))
	{
		InvCall call;

		if (!inv_store_enter_to_follow(&call, items))
			inv_error_not_followed();
		apply_changes(call.store, false, NULL);
		inv_store_leave(&call);
	}
}

/*
 * The engine is about to read what the ledger has of order lines: apply what waits for the end
 * of the transaction.  A line that is not booked yet would be taken for one that is older than
 * the store.
 */
void
inv_follow_waiting(InvStore *store)
{
	if (inv_follows_orders(store) && !inv_pending_is_held() && inv_pending_has(store->items, true))
		apply_changes(store, true, NULL);
}

/* The engine begins to write order rows, and books them before they are looked at. */
void
inv_follow_begin(InvStore *store)
{
	if (inv_follows_orders(store))
		inv_pending_hold();
}

/* The engine has booked what it wrote. */
void
inv_follow_lines(InvStore *store, const char *reason)
{
	if (!inv_follows_orders(store))
		return;
	inv_pending_release();
	if (inv_pending_is_held())
		return;
	apply_changes(store, false, reason);
	apply_others();
}

/* The same of a cart: raises 55000 if a line is not worth what was sold on it. */
void
inv_follow_cart(InvStore *store, const InvCart *cart)
{
	if (!inv_follows_orders(store))
		return;
	for (int i = 0; i < cart->line_count; i++)
	{
		InvPending line = { .kind = INV_PENDING_ENGINE,
							.key = cart->lines[i].order,
							.sold = cart->lines[i].quantity };

		if (!cart->lines[i].no_order)
			inv_pending_add(store, &line);
	}
	inv_follow_lines(store, NULL);
}

/* ---- triggers ---- */

static void
follow_trigger(Oid items, bool at_commit)
{
	InvCall call;

	if (!inv_pending_has(items, at_commit) || !inv_store_enter_to_follow(&call, items))
		return;
	/* what is applied now may depend on what waits for the end of the transaction */
	apply_changes(call.store, true, NULL);
	inv_store_leave(&call);
}

/*
 * Is the last change the DELETE of a row that is in another partition now?  Its INSERT is noted
 * next, and is not that of a new line.
 */
static bool
is_moving(InvStore *store)
{
	const InvPending *last = inv_pending_last();
	Datum key;

	if (last == NULL || last->applied > 0 || last->kind != INV_PENDING_MOVE ||
		last->items != store->items)
		return false;
	key = last->key;
	return inv_execute(store, INV_STMT_LINE_EXISTS, &key, NULL, INV_SNAPSHOT_LATEST) > 0;
}

/*
 * The deferred trigger of a row is fired: at the end of the transaction, or after SET CONSTRAINTS
 * IMMEDIATE, in the statement that has changed the row, whose end applies all of its changes, or in one
 * that has no such end.
 */
static void
follow_deferred(Oid items)
{
	InvCall call;

	if (inv_in_statement())
		inv_statement_hurries();
	else if (inv_pending_has(items, true) && inv_store_enter_to_follow(&call, items))
	{
		if (!is_moving(call.store))
			apply_changes(call.store, true, NULL);
		inv_store_leave(&call);
	}
}

PG_FUNCTION_INFO_V1(inventory_follow_orders);
PG_FUNCTION_INFO_V1(inventory_must_follow_later);

/*
 * follow_orders(store_name): trigger on orders and headers, before and after each statement, and
 * a deferred one after rows.
 */
Datum
inventory_follow_orders(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	InvStore *store;

	if (!CALLED_AS_TRIGGER(fcinfo))
		inv_error_value("follow_orders is a trigger function", NULL);
	if (trigdata->tg_trigger->tgnargs != 1)
		inv_error_value("follow_orders must be fired with the name of a store", NULL);
	if (SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA)
		return PointerGetDatum(NULL);
	store = inv_store_by_orders(trigdata->tg_relation, trigdata->tg_trigger->tgargs[0]);
	if (store == NULL || !inv_follows_orders(store))
		return PointerGetDatum(NULL);
	if (TRIGGER_FIRED_BEFORE(trigdata->tg_event) && TRIGGER_FIRED_FOR_STATEMENT(trigdata->tg_event))
		inv_statement_begins();
	else if (TRIGGER_FIRED_FOR_ROW(trigdata->tg_event))
		follow_deferred(store->items);
	else
	{
		bool hurried = inv_statement_ends();

		if (!inv_pending_is_held())
			follow_trigger(store->items, hurried);
		/* triggers may have written partitions of others, which fires no trigger for a statement */
		if (!inv_pending_is_held() && !inv_in_statement())
			apply_others();
	}
	return PointerGetDatum(NULL);
}

/*
 * must_follow_later(): is a change of a row, which is happening now, applied at the end of the
 * transaction?  The condition of the deferred trigger.
 */
Datum
inventory_must_follow_later(PG_FUNCTION_ARGS)
{
	if (SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA || inv_pending_is_held())
		PG_RETURN_BOOL(false);
	PG_RETURN_BOOL(inv_follow_at == INV_FOLLOW_AT_COMMIT || !inv_in_statement());
}
