/*
 * direct_read.c
 *		What can be sold of an item, read through indexes, without a statement.
 *
 * When a popular item is sold out its buyers keep coming, and each of them reads only to
 * be refused: one row by its unique index and, if that has too little, overdue holds by
 * theirs, in one snapshot.  A query for that costs five times as much.  A store with a
 * condition on what is for sale, or without the indexes, needs the query (query.c), and
 * so does any store where only statements may access tables (inv_may_access_directly).
 *
 * Reads only.  Expects the store to be entered: its tables are locked, and the engine
 * acts as their owner, to whom row security does not apply.
 */
#include "postgres.h"

#include "access/skey.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/error.h"
#include "base/guc.h"
#include "base/units.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/enter.h"
#include "store/index_lookup.h"
#include "store/ledger_schema.h"
#include "store/table_check.h"
#include "stock/direct_read.h"
#include "stock/quantity.h"

/* How to read; kept as long as the binding is valid. */
struct InvDirectReadPlan
{
	bool usable;
	Oid item_index; /* unique, on the key */
	Oid hold_index; /* on item and expires_at, of held lines */
	FmgrInfo same_item;
	FmgrInfo not_after;
	AttrNumber hold_quantity;
	AttrNumber hold_tracked;
};

/* ---- planning ---- */

/* Is it an index on (item_id, expires_at) of exactly the lines that are held? */
static bool
is_hold_index(InvStore *store, Relation index)
{
	Oid holds = index->rd_index->indrelid;
	AttrNumber status = get_attnum(holds, "status");
	Form_pg_index form = index->rd_index;
	Expr *held;

	if (!form->indisvalid || form->indcheckxmin || form->indnkeyatts < 2 ||
		form->indkey.values[0] != get_attnum(holds, "item_id") ||
		form->indkey.values[1] != get_attnum(holds, "expires_at") ||
		!inv_index_compares_items(store, index, 0) || index->rd_opcintype[1] != TIMESTAMPTZOID)
		return false;
	held =
		make_opclause(TextEqualOperator, BOOLOID, false,
					  (Expr *) makeVar(1, status, TEXTOID, -1, DEFAULT_COLLATION_OID, 0),
					  (Expr *) makeConst(TEXTOID, -1, DEFAULT_COLLATION_OID, -1,
										 CStringGetTextDatum(INV_RESERVATION_HELD), false, false),
					  InvalidOid, DEFAULT_COLLATION_OID);
	fix_opfuncids((Node *) held);
	return RelationGetIndexPredicate(index) != NIL &&
		   predicate_implied_by(RelationGetIndexPredicate(index), list_make1(held), false) &&
		   predicate_implied_by(list_make1(held), RelationGetIndexPredicate(index), false);
}

/* A column of the reservations, if it has the type that is read; else InvalidAttrNumber. */
static AttrNumber
hold_column(Relation holds, const char *name, Oid type)
{
	AttrNumber attnum = get_attnum(RelationGetRelid(holds), name);

	return attnum != InvalidAttrNumber && get_atttype(RelationGetRelid(holds), attnum) == type
			   ? attnum
			   : InvalidAttrNumber;
}

static InvDirectReadPlan *
make_read_plan(InvStore *store, Relation items, Relation holds)
{
	InvDirectReadPlan *plan = palloc0(sizeof(InvDirectReadPlan));

	plan->item_index = inv_find_item_index(store, items);
	plan->hold_index = inv_find_index(store, holds, is_hold_index);
	plan->hold_quantity = hold_column(holds, "quantity", INT8OID);
	plan->hold_tracked = hold_column(holds, "tracked", BOOLOID);
	plan->usable = store->sellable == NULL && items->rd_rel->relkind == RELKIND_RELATION &&
				   inv_items_are_as_bound(store, RelationGetDescr(items)) &&
				   inv_owner_may_name(store, items) && inv_owner_may_name(store, holds) &&
				   holds->rd_rel->relkind == RELKIND_RELATION && OidIsValid(plan->item_index) &&
				   OidIsValid(plan->hold_index) && plan->hold_quantity != InvalidAttrNumber &&
				   plan->hold_tracked != InvalidAttrNumber;
	if (plan->usable)
	{
		inv_init_same_item(store, &plan->same_item);
		fmgr_info_cxt(F_TIMESTAMPTZ_LE, &plan->not_after, CurrentMemoryContext);
	}
	return plan;
}

/*
 * The plan for tables that are open; not kept if they may have changed since the store
 * was entered.
 */
static InvDirectReadPlan *
read_plan_for(InvStore *store, Relation items, Relation holds)
{
	MemoryContext old;

	if (store->valid && store->direct_read)
		return store->direct_read;
	/* to simplify the predicate of an index can run functions of the shop */
	inv_pin_path(store);
	if (!store->valid)
		return make_read_plan(store, items, holds);
	old = MemoryContextSwitchTo(store->context);
	store->direct_read = make_read_plan(store, items, holds);
	MemoryContextSwitchTo(old);
	return store->direct_read;
}

/* ---- reading ---- */

/* Fill a take from its item's row, without its overdue holds. */
void
inv_read_take(InvStore *store, TupleTableSlot *row, InvTake *take)
{
	bool isnull;

	take->status = INV_STATUS_OK;
	take->stock = inv_column_number(row, &store->stock, 0, &isnull);
	take->tracked = !isnull;
	take->floor = inv_row_floor(store, row);
	take->limit = inv_column_number(row, &store->purchase_limit, 0, &isnull);
	take->limited = !isnull;
	/* without a version column the stock stands for it */
	take->version =
		inv_column_number(row, &store->version, store->version.attnum ? 0 : take->stock, NULL);
	take->overdue = 0;
}

/* Read the item's row; false if there is none. */
static bool
read_item_row(InvStore *store, InvDirectReadPlan *plan, Relation items, Snapshot snapshot,
			  InvTake *take)
{
	ScanKeyData key;
	InvLookup lookup;
	bool found;

	inv_init_item_key(store, &plan->same_item, take->item, &key);
	inv_begin_lookup(&lookup, items, plan->item_index, snapshot, &key, 1);
	found = inv_next_lookup_row(&lookup);
	if (found)
		inv_read_take(store, lookup.slot, take);
	inv_end_lookup(&lookup);
	return found;
}

/* Sum the units of the item's overdue holds. */
static int64
read_overdue_units(InvStore *store, InvDirectReadPlan *plan, Relation holds, Snapshot snapshot,
				   Datum item)
{
	ScanKeyData keys[2];
	int64 units = 0;
	bool isnull;
	InvLookup lookup;

	inv_init_item_key(store, &plan->same_item, item, &keys[0]);
	ScanKeyEntryInitializeWithInfo(&keys[1], 0, 2, BTLessEqualStrategyNumber, InvalidOid,
								   InvalidOid, &plan->not_after, TimestampTzGetDatum(store->now));
	inv_begin_lookup(&lookup, holds, plan->hold_index, snapshot, keys, 2);
	while (inv_next_lookup_row(&lookup))
		if (DatumGetBool(slot_getattr(lookup.slot, plan->hold_tracked, &isnull)))
			units = inv_add_units(
				units, DatumGetInt64(slot_getattr(lookup.slot, plan->hold_quantity, &isnull)));
	inv_end_lookup(&lookup);
	return units;
}

bool
inv_direct_read(InvStore *store, InvTake *take)
{
	Relation items, holds;
	InvDirectReadPlan *plan;
	bool usable;

	Assert(GetUserId() == store->owner);
	if (!inv_may_access_directly())
		return false;
	items = table_open(store->items, NoLock);
	holds = try_table_open(store->ledger[INV_LEDGER_RESERVATIONS], AccessShareLock);
	plan = holds ? read_plan_for(store, items, holds) : NULL;
	usable = plan && plan->usable && inv_owner_may(store, store->items, ACL_SELECT) &&
			 inv_owner_may(store, store->ledger[INV_LEDGER_RESERVATIONS], ACL_SELECT);
	if (usable)
	{
		Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());

		take->status = INV_STATUS_ITEM_NOT_FOUND;
		if (read_item_row(store, plan, items, snapshot, take))
		{
			if (inv_judge_take(take) == INV_STATUS_OUT_OF_STOCK)
				take->overdue = read_overdue_units(store, plan, holds, snapshot, take->item);
		}
		UnregisterSnapshot(snapshot);
	}
	if (holds)
		table_close(holds, NoLock);
	table_close(items, NoLock);
	return usable;
}
