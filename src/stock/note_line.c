/*
 * note_line.c
 *		Changes of order lines that the ledger is to follow.
 *
 * The guard on orders calls it for each row that other code writes.  A change of a column that
 * order_units and order_final do not read, and that is not bound, is none of the ledger's.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "miscadmin.h"

#include "base/error.h"
#include "base/store_error.h"
#include "store/binding.h"
#include "store/claim.h"
#include "store/column.h"
#include "store/enter.h"
#include "stock/follow_line.h"
#include "stock/note_line.h"
#include "stock/order_fact.h"
#include "stock/order_row.h"
#include "stock/pending.h"
#include "stock/worth.h"

/* Does the change of a row not change what a line is worth, or for whom? */
static bool
is_indifferent(InvStore *store, const TriggerData *trigdata, const InvOrderRow *old,
			   const InvOrderRow *new)
{
	return old->exists && new->exists &&inv_order_row_same_key(store, old, new) &&
		   inv_order_row_same(store, old, new) && inv_order_row_same_header(store, old, new) &&
		   !inv_row_changed(store->orders, trigdata->tg_relation, trigdata->tg_trigtuple,
							trigdata->tg_newtuple, store->worth.line_columns);
}

/* Raise IV013 if the key of a line changes of which the ledger has units. */
static void
refuse_new_key(InvStore *store, const InvOrderRow *old)
{
	InvFollowed line = { .now.order = old->order };
	InvFacts *facts;

	inv_read_booked(store, &line, 1);
	for (int i = 0; i < line.booked_count; i++)
	{
		if (line.booked[i].units <= 0)
			continue;
		facts = inv_order_facts(store, old->order);
		inv_error_direct_write(
			facts, psprintf("The key of order \"%s\" may not change.", facts->name), NULL);
	}
}

/* Note a change of a line; the ledger follows later. */
static void
note_line(InvStore *store, const TriggerData *trigdata, InvPendingKind kind, const InvOrderRow *old,
		  const InvOrderRow *new)
{
	const InvOrderRow *keyed = new->exists ? new : old;
	InvPending change = { .kind = kind, .key = keyed->order };

	if (keyed->no_order)
		return;
	if (old->exists)
	{
		change.old = *old;
		change.old_row =
			inv_order_row_whole(store->orders, trigdata->tg_relation, trigdata->tg_trigtuple);
	}
	if (new->exists && !new->no_header)
	{
		change.header = new->header;
		change.has_header = true;
	}
	inv_pending_add(store, &change);
}

/* The user of the header of a line; null if it has none. */
static InvUser
user_of_header(InvStore *store, const InvOrderRow *line)
{
	InvUser user = { .isnull = true };
	Datum header = line->no_header ? (Datum) 0 : inv_read_header(store, line->header);

	if (header != (Datum) 0)
		user.value = GetAttributeByNum(DatumGetHeapTupleHeader(header), store->header_user.attnum,
									   &user.isnull);
	return user;
}

/* A role with only the buyer grant can write lines of the user of its token alone. */
static void
check_writer(InvStore *store, Oid writer, const InvOrderRow *old, const InvOrderRow *new)
{
	bool of_header = store->order_user.attnum == InvalidAttrNumber;
	InvUser user;

	if (!new->exists || (of_header && store->header_user.attnum == InvalidAttrNumber) ||
		!inv_claim_binds(store, writer) ||
		(old->exists && (of_header ? inv_order_row_same_header(store, old, new)
								   : inv_order_row_same_user(store, old, new))))
		return;
	user = of_header ? user_of_header(store, new) : new->user;
	inv_check_claim(store, &user);
}

/* Other code has changed a line of a store that follows. */
static void
note_change_of_line(InvStore *store, const TriggerData *trigdata, const InvOrderRow *old,
					const InvOrderRow *new)
{
	static const InvOrderRow none = { 0 };

	if (!new->exists)
		note_line(store, trigdata,
				  HeapTupleHeaderIndicatesMovedPartitions(trigdata->tg_trigtuple->t_data)
					  ? INV_PENDING_MOVE
					  : INV_PENDING_DELETE,
				  old, &none);
	else if (!old->exists)
		note_line(store, trigdata, INV_PENDING_INSERT, &none, new);
	else if (inv_order_row_same_key(store, old, new))
		note_line(store, trigdata, INV_PENDING_UPDATE, old, new);
	else
	{
		refuse_new_key(store, old);
		note_line(store, trigdata, INV_PENDING_DELETE, old, &none);
		note_line(store, trigdata, INV_PENDING_INSERT, &none, new);
	}
}

/*
 * Note what other code has changed in a row of orders, for the ledger to follow.  The trigger
 * for this row is firing.
 */
void
inv_note_line(InvStore *store, const TriggerData *trigdata, const InvOrderRow *old,
			  const InvOrderRow *new)
{
	InvCall call;
	Oid writer = GetUserId();

	if (is_indifferent(store, trigdata, old, new) || !inv_store_enter_items(&call, store->items))
		return;
	check_writer(call.store, writer, old, new);
	note_change_of_line(call.store, trigdata, old, new);
	inv_store_leave(&call);
}
