/*
 * direct_update.c
 *		Rows updated without a statement, where their table allows it.
 *
 * Starting and ending an UPDATE, and queueing its triggers, costs more than the update of a
 * row.  Here the caller finds the row, and it is written by its table's access method, with
 * all that an UPDATE would do where update_plan.c allows it: the same locks, conflicts,
 * constraints, index entries and replication.  A constraint that refuses is left to the
 * statement, which raises its error; so is a row that a transaction with one snapshot may
 * not write.
 *
 * A row that another transaction has changed is locked in its last version, at which the
 * caller looks again, as EvalPlanQual does it.
 *
 * Expects the store to be entered, and the table to be open and locked as for a write.
 * Locks the rows.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/compat.h"
#include "store/binding.h"
#include "store/direct_update.h"
#include "store/enter.h"
#include "store/query.h"
#include "store/table_check.h"
#include "store/update_plan.h"

/*
 * Begin to update rows that are seen by the active snapshot, which is pushed here.  False, with
 * nothing begun, if that needs a statement.
 */
bool
inv_begin_row_update(InvRowUpdate *update, InvStore *store, const InvUpdatePlan *plan,
					 Relation table, InvSnapshotMode mode)
{
	bool latest = mode == INV_SNAPSHOT_LATEST && IsolationUsesXactSnapshot();

	Assert(GetUserId() == store->owner && mode != INV_SNAPSHOT_READ_ONLY);
	Assert(CheckRelationLockedByMe(table, RowExclusiveLock, true));
	if (!inv_owner_may(store, RelationGetRelid(table), ACL_SELECT | ACL_UPDATE))
		return false;
	CheckCmdReplicaIdentity(table, CMD_UPDATE);
	if (plan->runs_shop_code)
		inv_pin_path(store);
	/* the snapshot shows what the call has written so far */
	CommandCounterIncrement();
	PushActiveSnapshot(latest ? GetLatestSnapshot() : GetTransactionSnapshot());
	update->plan = plan;
	update->table = table;
	update->new = table_slot_create(table, NULL);
	update->crosscheck = latest ? GetTransactionSnapshot() : InvalidSnapshot;
	update->command = GetCurrentCommandId(true);
	return true;
}

void
inv_end_row_update(InvRowUpdate *update)
{
	ExecDropSingleTupleTableSlot(update->new);
	PopActiveSnapshot();
	CommandCounterIncrement();
}

/* Begin the new version of a row as a copy of the old one. */
void
inv_begin_new_version(InvRowUpdate *update)
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
}

void
inv_set_new_value(InvRowUpdate *update, AttrNumber attnum, Datum value, bool isnull)
{
	update->new->tts_values[attnum - 1] = value;
	update->new->tts_isnull[attnum - 1] = isnull;
}

/* Do the constraints of the table allow the new version? */
static bool
satisfies_constraints(InvRowUpdate *update)
{
	const InvUpdatePlan *plan = update->plan;

	for (int i = 0; i < plan->not_null_count; i++)
		if (update->new->tts_isnull[plan->not_null[i] - 1])
			return false;
	ResetExprContext(plan->context);
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

static void
insert_index_entries(InvRowUpdate *update, InvIndexUpdate indexes)
{
	EState *estate = CreateExecutorState();
	MemoryContext old = MemoryContextSwitchTo(estate->es_query_cxt);
	ResultRelInfo *target = makeNode(ResultRelInfo);
	ExprContext *context = GetPerTupleExprContext(estate);

	inv_set_updated_table(estate, update->table, bms_copy(update->plan->written));
	/* the insertion of index entries reads nothing else of it */
	target->ri_RelationDesc = update->table;
	target->ri_RangeTableIndex = 1;
	context->ecxt_scantuple = update->new;
	inv_open_target_indexes(&update->plan->indexes, target,
							inv_begin_target_indexes(&update->plan->indexes, target), context);
	inv_insert_index_entries(target, estate, update->new, indexes);
	ExecCloseIndices(target);
	MemoryContextSwitchTo(old);
	FreeExecutorState(estate);
}

/* The row has been changed since the snapshot: lock its last version, and make that the old one. */
static InvUpdateOutcome
lock_last_version(InvRowUpdate *update, ItemPointer tid, LockTupleMode mode)
{
	TM_FailureData failure;

	switch (table_tuple_lock(update->table, tid, GetActiveSnapshot(), update->old, update->command,
							 mode, LockWaitBlock, TUPLE_LOCK_FLAG_FIND_LAST_VERSION, &failure))
	{
		case TM_Ok:
			return INV_UPDATE_CHANGED;
		case TM_Deleted:
		case TM_SelfModified:
			return INV_UPDATE_GONE;
		default:
			elog(ERROR, "the row of table \"%s\" could not be locked",
				 RelationGetRelationName(update->table));
	}
}

/* Write the new version of a row.  A snapshot that serves a whole transaction must see the old one. */
InvUpdateOutcome
inv_update_row(InvRowUpdate *update)
{
	ItemPointerData tid = update->old->tts_tid;
	TM_FailureData failure;
	LockTupleMode mode;
	InvIndexUpdate indexes = 0;
	TM_Result result;

	ExecStoreVirtualTuple(update->new);
	update->new->tts_tableOid = RelationGetRelid(update->table);
	if ((update->plan->has_foreign_keys && was_inserted_here(update->old)) ||
		!satisfies_constraints(update))
		return INV_UPDATE_NOT_POSSIBLE;
	result = inv_tuple_update(update->table, &tid, update->new, update->command,
							  GetActiveSnapshot(), update->crosscheck, &failure, &mode, &indexes);
	if (result == TM_Ok)
	{
		if (indexes)
			insert_index_entries(update, indexes);
		return INV_UPDATE_DONE;
	}
	/* the statement raises the serialization failure */
	if (IsolationUsesXactSnapshot() || (result != TM_Updated && result != TM_Deleted))
		return INV_UPDATE_NOT_POSSIBLE;
	return result == TM_Deleted ? INV_UPDATE_GONE : lock_last_version(update, &tid, mode);
}
