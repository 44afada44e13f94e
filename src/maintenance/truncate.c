/*
 * truncate.c
 *		The trigger that lets the owner TRUNCATE the tables of a store.
 *
 * TRUNCATE fires no trigger for the rows that it removes, so what they were is ended before,
 * in the same transaction: a rollback, also to a savepoint, gives all of it back.
 *
 * Of items it ends everything: hot items become cold, open holds are released, the ledger
 * books what was there as lost and what users bought as given back, so that items with the
 * same keys begin with nothing, and idempotency keys are forgotten.
 *
 * Of orders the lines are closed: the movements stay, but no longer name a line, so that a
 * sequence may give the same ids again.  The stock does not move.  Keys whose answers name
 * lines or headers are forgotten.  Of headers only these are: what is left of the lines is
 * still what it was.
 *
 * TRUNCATE has locked the table against every call of the engine, also those on hot items,
 * to the end of their transactions and of its own.  No row of items is written here: an event
 * of a deferred trigger would find no row.  Reads the ledger, and changes counters only
 * through shmem/.
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/rel.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/guc.h"
#include "base/hot_error.h"
#include "base/stats.h"
#include "base/store_error.h"
#include "shmem/counter_state.h"
#include "shmem/hot_room.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/enter.h"
#include "store/query.h"
#include "store/query_text.h"
#include "store/store.h"
#include "stock/hot_item.h"
#include "stock/hot_publish.h"
#include "stock/hot_row.h"
#include "stock/ledger.h"
#include "maintenance/hot_list.h"

/* ---- hot items ---- */

/*
 * Close the counter of a hot item, so that no movement of it is in flight or begins; false if
 * it is to be looked at again.  *upto_epoch: the last epoch that it had.
 */
static bool
end_counter(InvStore *store, Datum item, int64 *upto_epoch)
{
	InvCounterRef counter;

	switch (inv_hot_state(store, item, &counter))
	{
		case INV_HOT_STATE_HOT:
			switch (inv_counter_cool(&counter, inv_clock_after(inv_hot_lock_timeout), upto_epoch))
			{
				case INV_COUNTER_DONE:
					return true;
				case INV_COUNTER_OWN:
					inv_error_in_flight(inv_item_text(store, item));
				case INV_COUNTER_WAIT:
					inv_error_busy(inv_item_facts(store, item),
								   "other transactions have units of it in flight");
				default:
					return false;
			}
		case INV_HOT_STATE_COOLING:
			return false;
		case INV_HOT_STATE_UNPUBLISHED:
			inv_hot_mark_changed(store);
			if (inv_hot_find_entry(store, item, &counter))
				inv_hot_room_free(&counter);
			return true;
		case INV_HOT_STATE_COLD:
			/* this transaction has heated or cooled it */
			inv_hot_mark_changed(store);
			return true;
	}
	return true;
}

/* The row of a hot item is about to be gone: make the item cold. */
static void
end_hot_item(InvStore *store, Datum item)
{
	int64 upto_epoch = 0;
	InvHotRow row;

	while (!end_counter(store, item, &upto_epoch))
	{
		CHECK_FOR_INTERRUPTS();
		pg_usleep(1000);
	}
	if (!inv_hot_row_read(store, item, INV_SNAPSHOT_LATEST, &row) || !row.hot)
		return;
	inv_hot_apply_all(store, item, &row, upto_epoch, false);
}

static void
end_hot_items(InvStore *store)
{
	uint64 count;
	Datum *items = inv_read_hot_items(store, &count);

	for (uint64 i = 0; i < count; i++)
		end_hot_item(store, items[i]);
}

/* ---- what ends ---- */

/* Execute a statement whose parameters are the actor and the time. */
static void
end_by(InvStore *store, InvStatement statement)
{
	Datum values[] = { inv_ledger_actor(), inv_ledger_time() };

	inv_execute(store, statement, values, NULL, INV_SNAPSHOT_LATEST);
}

/*
 * Book sums until nothing is left: with what is held, an item can have more units than one
 * movement.
 */
static void
end_sums_by(InvStore *store, InvStatement statement)
{
	do
	{
		CHECK_FOR_INTERRUPTS();
		end_by(store, statement);
	} while (inv_result_int64(0, 1) > 0);
}

static void
forget(InvStore *store, InvStatement statement)
{
	inv_execute(store, statement, NULL, NULL, INV_SNAPSHOT_LATEST);
}

static void
end_items(InvStore *store)
{
	end_hot_items(store);
	end_by(store, INV_STMT_BOOK_VOID_HOLDS);
	forget(store, INV_STMT_VOID_HOLDS);
	if (store->purchase_limit.attnum)
		end_sums_by(store, INV_STMT_END_LIMITS);
	end_sums_by(store, INV_STMT_BOOK_LOSS);
	forget(store, INV_STMT_FORGET_REQUESTS);
}

static void
end_lines(InvStore *store)
{
	forget(store, INV_STMT_CLOSE_LINES);
	forget(store, INV_STMT_CLOSE_LINES_OF_HOLDS);
	forget(store, INV_STMT_FORGET_CHANGES);
	forget(store, INV_STMT_FORGET_ORDER_REQUESTS);
}

/* ---- the trigger ---- */

/* The store that a trigger with this name is for; its tables can be those of others, too. */
static InvStore *
find_store(Relation table, const char *store_name)
{
	InvStore *store = inv_store_by_items(RelationGetRelid(table), NoLock);

	if (store && strcmp(store->store_name, store_name) == 0)
		return store;
	return inv_store_by_orders(table, store_name);
}

/* Raise IV013 unless the table may be truncated. */
static void
check_truncate(InvStore *store, Oid table)
{
	const char *lost = table == store->items	? "TRUNCATE would lose the stock of every item."
					   : table == store->orders ? "TRUNCATE would lose every order line."
												: "TRUNCATE would lose the header of every order.";

	if (store->refuses_truncate)
		inv_error_direct_write(inv_facts(table, NULL), lost,
							   "Detach the store first, which keeps every table.");
	if (!has_privs_of_role(GetUserId(), store->owner))
		inv_error_direct_write(inv_facts(table, NULL), lost, "Have the owner of the table do it.");
}

PG_FUNCTION_INFO_V1(inventory_guard_truncate);

/* guard_truncate(store_name): trigger on items, orders and their header, before TRUNCATE. */
Datum
inventory_guard_truncate(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	InvStore *store;
	InvCall call;
	Oid table;

	if (!CALLED_AS_TRIGGER(fcinfo))
		inv_error_value("guard_truncate is a trigger function", NULL);
	if (!TRIGGER_FIRED_BY_TRUNCATE(trigdata->tg_event) ||
		!TRIGGER_FIRED_BEFORE(trigdata->tg_event) || trigdata->tg_trigger->tgnargs != 1)
		inv_error_value("guard_truncate must be fired BEFORE TRUNCATE, with the name of a store",
						NULL);
	/* a subscriber receives the movements with the changes */
	if (SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA)
		return PointerGetDatum(NULL);
	table = RelationGetRelid(trigdata->tg_relation);
	store = find_store(trigdata->tg_relation, trigdata->tg_trigger->tgargs[0]);
	if (store == NULL)
		return PointerGetDatum(NULL);
	check_truncate(store, table);
	if (!inv_store_enter_items(&call, store->items))
		return PointerGetDatum(NULL);
	inv_stats_begin(call.store->items, "direct_write");
	if (table == call.store->items)
		end_items(call.store);
	else if (table == call.store->orders)
		end_lines(call.store);
	else
		forget(call.store, INV_STMT_FORGET_ORDER_REQUESTS);
	inv_store_leave(&call);
	return PointerGetDatum(NULL);
}
