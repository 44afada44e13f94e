/*
 * direct_take.c
 *		Units taken from the row of a cold item, without a statement.
 *
 * Starting and ending an UPDATE, and queueing its trigger, costs more than the update of
 * the row.  Here the row is found by its unique index and updated by its table's access
 * method, with all that the UPDATE of query_text.c would do where take_plan.c allows it:
 * the same condition, locks, conflicts, constraints, index entries and replication, and
 * the part of the guard that an announced take needs.  A constraint that refuses is left
 * to the statement, which raises its error; so is a row that a transaction with one
 * snapshot may not write.
 *
 * A row that another transaction has changed is locked in its last version and looked at
 * again, as EvalPlanQual does it.
 *
 * Expects the store to be entered.  Locks the item's row.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "common/int.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/compat.h"
#include "base/guc.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/enter.h"
#include "store/index_lookup.h"
#include "stock/direct_take.h"
#include "stock/hot_item.h"
#include "stock/hot_mirror.h"
#include "stock/notify.h"
#include "stock/quantity.h"
#include "stock/take_plan.h"

/* A row that is being updated. */
typedef struct DirectTake
{
	InvStore *store;
	InvDirectTakePlan *plan;
	const InvTake *take;
	InvTakeCondition condition;
	Relation items;
	TupleTableSlot *old; /* the version that is replaced */
	TupleTableSlot *new;
	int64 old_stock;
	int64 floor;
	CommandId command;
} DirectTake;

/* ---- the row ---- */

/* Does the row satisfy what the WHERE of the statement asks for? */
static bool
satisfies_condition(DirectTake *update)
{
	InvStore *store = update->store;
	const InvTake *take = update->take;
	ExprContext *context = update->plan->context;
	bool isnull;
	int64 left;

	update->old_stock = inv_column_number(update->old, &store->stock, 0, &isnull);
	update->floor = inv_row_floor(store, update->old);
	if (isnull || pg_sub_s64_overflow(update->old_stock, take->quantity, &left) ||
		left < update->floor)
		return false;
	/* without a version column the stock stands for it */
	if (update->condition == INV_TAKE_IF_VERSION &&
		inv_column_number(update->old, &store->version,
						  store->version.attnum ? 0 : update->old_stock, NULL) != take->version)
		return false;
	if (update->condition == INV_TAKE_IF_ENOUGH || update->plan->sellable == NULL)
		return true;
	context->ecxt_scantuple = update->old;
	return DatumGetBool(ExecEvalExprSwitchContext(update->plan->sellable, context, &isnull)) &&
		   !isnull;
}

/* A number as a value of a column that is written; raises if its domain refuses it. */
static Datum
written_value(const DirectTake *update, const InvColumn *column, int64 number)
{
	Datum value = column->base == INT2OID	? Int16GetDatum((int16) number)
				  : column->base == INT4OID ? Int32GetDatum((int32) number)
											: Int64GetDatum(number);
	void *checks = NULL;

	if (update->plan->has_domains && column->type != column->base)
		domain_check(value, false, column->type, &checks, CurrentMemoryContext);
	return value;
}

static void
set_column(DirectTake *update, const InvColumn *column, int64 number)
{
	update->new->tts_values[column->attnum - 1] = written_value(update, column, number);
	update->new->tts_isnull[column->attnum - 1] = false;
}

/* The version after this one, which starts again at 0 instead of overflowing. */
static int64
next_version(const DirectTake *update)
{
	const InvColumn *column = &update->store->version;
	int64 most = column->base == INT2OID   ? PG_INT16_MAX
				 : column->base == INT4OID ? PG_INT32_MAX
										   : PG_INT64_MAX;
	bool isnull;
	int64 version = inv_column_number(update->old, column, 0, &isnull);

	return !isnull && version < most ? version + 1 : 0;
}

/* Put the new version of the row together. */
static void
fill_new_version(DirectTake *update)
{
	TupleTableSlot *old = update->old;
	TupleTableSlot *new = update->new;
	TupleDesc desc = new->tts_tupleDescriptor;

	slot_getallattrs(old);
	ExecClearTuple(new);
	memcpy(new->tts_values, old->tts_values, sizeof(Datum) * desc->natts);
	memcpy(new->tts_isnull, old->tts_isnull, sizeof(bool) * desc->natts);
	for (int i = 0; i < desc->natts; i++)
		if (TupleDescAttr(desc, i)->attisdropped)
			new->tts_isnull[i] = true;
	set_column(update, &update->store->stock, update->old_stock - update->take->quantity);
	if (update->store->version.attnum != InvalidAttrNumber)
		set_column(update, &update->store->version, next_version(update));
	ExecStoreVirtualTuple(new);
	new->tts_tableOid = RelationGetRelid(update->items);
}

/* Do the constraints of the table allow the new version? */
static bool
satisfies_constraints(DirectTake *update)
{
	const InvDirectTakePlan *plan = update->plan;

	for (int i = 0; i < plan->not_null_count; i++)
		if (update->new->tts_isnull[plan->not_null[i] - 1])
			return false;
	plan->context->ecxt_scantuple = update->new;
	for (int i = 0; i < plan->check_count; i++)
		if (!ExecCheck(plan->checks[i], plan->context))
			return false;
	return true;
}

/*
 * Was the row inserted by this transaction?  Then an UPDATE would check its foreign keys,
 * although they have not changed, in the place of the INSERT.
 */
static bool
was_inserted_here(TupleTableSlot *row)
{
	bool isnull;

	return TransactionIdIsCurrentTransactionId(
		DatumGetTransactionId(slot_getsysattr(row, MinTransactionIdAttributeNumber, &isnull)));
}

/* ---- writing ---- */

static void
insert_index_entries(DirectTake *update, InvIndexUpdate indexes)
{
	EState *estate = CreateExecutorState();
	MemoryContext old = MemoryContextSwitchTo(estate->es_query_cxt);
	ResultRelInfo *target = makeNode(ResultRelInfo);

	inv_set_updated_table(estate, update->items, bms_copy(update->plan->written));
	InitResultRelInfo(target, update->items, 1, NULL, 0);
	ExecOpenIndices(target, false);
	inv_insert_index_entries(target, estate, update->new, indexes);
	ExecCloseIndices(target);
	MemoryContextSwitchTo(old);
	FreeExecutorState(estate);
}

/*
 * The row has been changed since the snapshot.  Lock its last version, and make that the
 * old one; false if it is deleted, or is another item by now.
 */
static bool
lock_last_version(DirectTake *update, ItemPointer tid, LockTupleMode mode)
{
	TM_FailureData failure;
	bool isnull;
	Datum item;

	switch (table_tuple_lock(update->items, tid, GetActiveSnapshot(), update->old, update->command,
							 mode, LockWaitBlock, TUPLE_LOCK_FLAG_FIND_LAST_VERSION, &failure))
	{
		case TM_Ok:
			break;
		case TM_Deleted:
		case TM_SelfModified:
			return false;
		default:
			elog(ERROR, "the row of an item could not be locked");
	}
	item = slot_getattr(update->old, update->store->item_id.attnum, &isnull);
	return !isnull && inv_item_compare(update->store, item, update->take->item) == 0;
}

/* Update the row that was found, or its last version. */
static InvDirectOutcome
update_version(DirectTake *update)
{
	for (;;)
	{
		ItemPointerData tid = update->old->tts_tid;
		TM_FailureData failure;
		LockTupleMode mode;
		InvIndexUpdate indexes = 0;
		TM_Result result;

		ResetExprContext(update->plan->context);
		if (!satisfies_condition(update))
			return INV_DIRECT_NO_ROW;
		if (update->plan->has_foreign_keys && was_inserted_here(update->old))
			return INV_DIRECT_NOT_POSSIBLE;
		fill_new_version(update);
		if (!satisfies_constraints(update))
			return INV_DIRECT_NOT_POSSIBLE;
		result = inv_tuple_update(update->items, &tid, update->new, update->command,
								  GetActiveSnapshot(), &failure, &mode, &indexes);
		if (result == TM_Ok)
		{
			if (indexes)
				insert_index_entries(update, indexes);
			return INV_DIRECT_TAKEN;
		}
		/* the statement raises the serialization failure */
		if (IsolationUsesXactSnapshot() || (result != TM_Updated && result != TM_Deleted))
			return INV_DIRECT_NOT_POSSIBLE;
		if (result == TM_Deleted || !lock_last_version(update, &tid, mode))
			return INV_DIRECT_NO_ROW;
	}
}

static InvDirectOutcome
find_and_update(DirectTake *update)
{
	InvDirectTakePlan *plan = update->plan;
	InvDirectOutcome outcome = INV_DIRECT_NO_ROW;
	ScanKeyData key;
	InvLookup lookup;

	inv_init_item_key(update->store, &plan->same_item, update->take->item, &key);
	inv_begin_lookup(&lookup, update->items, plan->item_index, GetActiveSnapshot(), &key, 1);
	if (inv_next_lookup_row(&lookup))
	{
		update->old = lookup.slot;
		update->new = table_slot_create(update->items, NULL);
		outcome = update_version(update);
		ExecDropSingleTupleTableSlot(update->new);
	}
	inv_end_lookup(&lookup);
	return outcome;
}

/* ---- the guard's part ---- */

/* The row is written: let the counter follow if the item is hot, and notify, as the guard does. */
static void
follow_take(const DirectTake *update, InvRowLevel *level)
{
	InvStore *store = update->store;
	InvRowChange change = { .item = update->take->item,
							.stock = update->old_stock - update->take->quantity,
							.floor = update->floor,
							.old_floor = update->floor,
							.taken = true,
							.limits_may_change = store->sellable != NULL };

	level->stock = change.stock;
	level->floor = change.floor;
	level->hot = !inv_hot_known_cold(store, change.item) &&
				 inv_hot_mirror(store, &change) == INV_MIRRORED_UNDO;
	inv_notify_crossing(store, change.item, update->old_stock, change.stock, change.floor);
}

/* ---- for row_take.c ---- */

/* May the owner write the table as a whole?  Where it has only columns a statement tells. */
static bool
owner_may_update(InvStore *store)
{
	return pg_class_aclcheck(store->items, store->owner, ACL_SELECT) == ACLCHECK_OK &&
		   pg_class_aclcheck(store->items, store->owner, ACL_UPDATE) == ACLCHECK_OK;
}

/*
 * Take a quantity from the item's row, if there is enough and the condition holds.
 * Raises what the UPDATE would raise.
 */
InvDirectOutcome
inv_direct_take(InvStore *store, const InvTake *take, InvTakeCondition condition,
				InvRowLevel *level)
{
	DirectTake update = { .store = store, .take = take, .condition = condition };
	InvDirectOutcome outcome = INV_DIRECT_NOT_POSSIBLE;

	Assert(GetUserId() == store->owner && take->quantity > 0);
	if (!inv_may_access_directly())
		return INV_DIRECT_NOT_POSSIBLE;
	update.items = table_open(store->items, NoLock);
	Assert(CheckRelationLockedByMe(update.items, RowExclusiveLock, true));
	update.plan = inv_take_plan(store, update.items);
	if (update.plan->usable && owner_may_update(store))
	{
		CheckCmdReplicaIdentity(update.items, CMD_UPDATE);
		if (update.plan->runs_shop_code)
			inv_pin_path(store);
		/* the snapshot shows what the call has written so far */
		CommandCounterIncrement();
		PushActiveSnapshot(GetTransactionSnapshot());
		update.command = GetCurrentCommandId(true);
		outcome = find_and_update(&update);
		PopActiveSnapshot();
		CommandCounterIncrement();
	}
	table_close(update.items, NoLock);
	if (outcome == INV_DIRECT_TAKEN)
		follow_take(&update, level);
	return outcome;
}
