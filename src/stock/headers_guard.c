/*
 * headers_guard.c
 *		The trigger on headers that tells which order lines may be worth something else.
 *
 * Every row that is written fires it, AFTER ROW, in stores that follow their orders.  A change
 * of a column that order_units and order_final do not read, and that is neither the key nor
 * the user of the lines, is none of the ledger's.
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/datum.h"
#include "utils/rel.h"

#include "base/error.h"
#include "base/store_error.h"
#include "store/binding.h"
#include "store/claim.h"
#include "store/column.h"
#include "store/enter.h"
#include "store/store.h"
#include "stock/order_row.h"
#include "stock/pending.h"

/* What the guard reads of a header. */
typedef struct HeaderRow
{
	bool exists;
	HeapTuple tuple;
	Datum key;
	bool no_key;
	InvUser user;
} HeaderRow;

static void
read_header_row(InvStore *store, TupleTableSlot *slot, HeapTuple tuple, HeaderRow *row)
{
	row->exists = true;
	row->tuple = tuple;
	row->key = slot_getattr(slot, store->header_id.attnum, &row->no_key);
	row->user.isnull = true;
	if (store->header_user.attnum != InvalidAttrNumber)
		row->user.value = slot_getattr(slot, store->header_user.attnum, &row->user.isnull);
}

static bool
same_header_key(InvStore *store, const HeaderRow *a, const HeaderRow *b)
{
	return !a->no_key && !b->no_key && inv_header_compare(store, a->key, b->key) == 0;
}

static void
note_header(InvStore *store, const HeaderRow *keyed, Datum old_row)
{
	InvPending change = { .kind = INV_PENDING_HEADER, .key = keyed->key, .old_row = old_row };

	if (!keyed->no_key)
		inv_pending_add(store, &change);
}

/* A role with only the buyer grant can write headers of the user of its token alone. */
static void
check_header_writer(InvStore *store, Oid writer, const HeaderRow *old, const HeaderRow *new)
{
	if (!new->exists || store->header_user.attnum == InvalidAttrNumber ||
		!inv_claim_binds(store, writer) ||
		(old->exists && inv_same_users(store, &old->user, &new->user)))
		return;
	inv_check_claim(store, &new->user);
}

/* Note the lines of a header that was inserted, updated or deleted. */
static void
guard_header(InvStore *store, const TriggerData *trigdata, const HeaderRow *old,
			 const HeaderRow *new)
{
	Datum old_row = old->exists
						? inv_order_row_whole(store->header, trigdata->tg_relation, old->tuple)
						: (Datum) 0;

	if (new->exists && old->exists &&same_header_key(store, old, new))
	{
		note_header(store, new, old_row);
		return;
	}
	if (old->exists && !old->no_key)
	{
		inv_pending_remember_header(store, old->key, old_row);
		note_header(store, old, old_row);
	}
	/* under another key it is the same header: lines follow it by ON UPDATE CASCADE */
	if (new->exists)
		note_header(store, new, old_row);
}

static void
guard_header_row(InvStore *store, const TriggerData *trigdata)
{
	HeaderRow old = { 0 };
	HeaderRow new = { 0 };
	Oid writer = GetUserId();
	InvCall call;

	if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		read_header_row(store, trigdata->tg_trigslot, trigdata->tg_trigtuple, &new);
	else
		read_header_row(store, trigdata->tg_trigslot, trigdata->tg_trigtuple, &old);
	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
		read_header_row(store, trigdata->tg_newslot, trigdata->tg_newtuple, &new);
	if (old.exists && new.exists && same_header_key(store, &old, &new) &&
		inv_same_users(store, &old.user, &new.user) &&
		!inv_row_changed(store->header, trigdata->tg_relation, old.tuple, new.tuple,
						 store->worth.header_columns))
		return;
	if (!inv_store_enter_items(&call, store->items))
		return;
	check_header_writer(call.store, writer, &old, &new);
	guard_header(call.store, trigdata, &old, &new);
	inv_store_leave(&call);
}

PG_FUNCTION_INFO_V1(inventory_guard_headers);

/* guard_headers(store_name): trigger on headers, after each row. */
Datum
inventory_guard_headers(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	InvStore *store;

	if (!CALLED_AS_TRIGGER(fcinfo))
		inv_error_value("guard_headers is a trigger function", NULL);
	if (!TRIGGER_FIRED_AFTER(trigdata->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) ||
		trigdata->tg_trigger->tgnargs != 1)
		inv_error_value("guard_headers must be fired AFTER each row, with the name of a store",
						NULL);
	if (SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA)
		return PointerGetDatum(NULL);
	store = inv_store_by_orders(trigdata->tg_relation, trigdata->tg_trigger->tgargs[0]);
	if (store == NULL || !inv_follows_orders(store) ||
		RelationGetRelid(trigdata->tg_relation) != store->header)
		return PointerGetDatum(NULL);
	/* what it calls can replace the store */
	inv_store_use(store);
	guard_header_row(store, trigdata);
	inv_store_unuse(store);
	return PointerGetDatum(NULL);
}
