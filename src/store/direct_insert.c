/*
 * direct_insert.c
 *		Rows inserted without a statement, where their table allows it.
 *
 * A purchase inserts two rows, an order and a movement.  Starting and ending an
 * INSERT costs as much again as the insertion, so the rows are inserted as logical
 * replication does it: with defaults, row triggers, constraints, indexes and foreign
 * keys, but without rules, statement triggers, routing to partitions or casts.  For
 * a table that needs one of these the caller uses an INSERT of query.c; and for any table
 * where only statements may access tables (inv_may_access_directly).
 *
 * insert_plan.c has what is known of a table.  Expects the store to be entered: orders are
 * locked, the ledger's table is locked here, and the engine acts as their owner.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "storage/lmgr.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/compat.h"
#include "base/error.h"
#include "base/guc.h"
#include "store/binding.h"
#include "store/direct_insert.h"
#include "store/enter.h"
#include "store/insert_plan.h"
#include "store/ledger_schema.h"
#include "store/table_check.h"

/* ---- inserting ---- */

/* Does an INSERT into the table have no effects except those for each row? */
static bool
allows_direct_insert(const InvStore *store, const InvDirectInsertPlan *plan, Relation table)
{
	TriggerDesc *triggers = table->trigdesc;

	if (table->rd_rel->relkind != RELKIND_RELATION || table->rd_rules != NULL)
		return false;
	if (triggers && (triggers->trig_insert_before_statement ||
					 triggers->trig_insert_after_statement || triggers->trig_insert_new_table))
		return false;
	/* the INSERT returns the key */
	return inv_owner_may(store, RelationGetRelid(table),
						 plan->key == InvalidAttrNumber ? ACL_INSERT : ACL_INSERT | ACL_SELECT);
}

/* A bigint in the smaller integer type of a column; raises if it is out of range. */
static Datum
narrow_integer(const InvGivenColumn *given, Datum value)
{
	int64 number = DatumGetInt64(value);

	if (given->narrow_type == INT2OID && number == (int16) number)
		return Int16GetDatum((int16) number);
	if (given->narrow_type == INT4OID && number == (int32) number)
		return Int32GetDatum((int32) number);
	inv_error_overflow(given->name);
}

/* So many rows of a cart fill a page or two. */
#define ROWS_AT_ONCE 64

/* A table while rows are inserted. */
typedef struct DirectInsert
{
	const InvDirectInsertPlan *plan;
	EState *estate;
	ExprContext *context;
	ResultRelInfo *target;
	TupleTableSlot *slots[ROWS_AT_ONCE];
	int slot_count; /* rows that are inserted at once */
	Oid items;		/* of the store */
	InvDirectRow *rows;
	int count;
	bool omits_item_check;
	bool omits_guards;	  /* or the table has none */
	bool fires_triggers;  /* beside these */
	bool has_snapshot;	  /* else only the server's own code runs, and needs none */
	ExprState **defaults; /* one for each default of the plan */
	bool *opened;		  /* one for each index of the plan */
} DirectInsert;

/*
 * Is a trigger left out?  The check of the foreign key to items is, if this transaction has
 * written the rows that it would look for, and has them locked: nothing of the shop's runs in
 * between that could delete them.  The guards of orders are, which would find that the engine
 * inserted the row.
 */
static bool
is_left_out(const DirectInsert *insert, const Trigger *trigger)
{
	if (trigger->tgfoid == F_RI_FKEY_CHECK_INS)
		return insert->omits_item_check && trigger->tgconstraint == insert->plan->item_key;
	return insert->omits_guards && trigger->tgfoid == insert->plan->orders_guard;
}

/* Does the insertion of a row fire a trigger? */
static bool
fires_row_trigger(const DirectInsert *insert, const TriggerDesc *triggers)
{
	if (triggers == NULL)
		return false;
	if (triggers->trig_insert_before_row)
		return true;
	for (int i = 0; triggers->trig_insert_after_row && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];

		if (trigger->tgenabled != TRIGGER_DISABLED &&
			TRIGGER_TYPE_MATCHES(trigger->tgtype, TRIGGER_TYPE_ROW, TRIGGER_TYPE_AFTER,
								 TRIGGER_TYPE_INSERT) &&
			!is_left_out(insert, trigger))
			return true;
	}
	return false;
}

/* Set the table of the insertion, with the triggers that its rows fire. */
static void
set_target(DirectInsert *insert, Relation table)
{
	TriggerDesc *triggers;

	insert->target = makeNode(ResultRelInfo);
	if (insert->fires_triggers)
		InitResultRelInfo(insert->target, table, 0, NULL, 0);
	else
		insert->target->ri_RelationDesc = table; /* and no copy of its triggers */
	triggers = insert->target->ri_TrigDesc;
	if (triggers)
		insert->estate->es_opened_result_relations = list_make1(insert->target);
	for (int i = 0; triggers && i < triggers->numtriggers; i++)
		if (is_left_out(insert, &triggers->triggers[i]))
			triggers->triggers[i].tgenabled = TRIGGER_DISABLED;
}

static void
begin_insert(DirectInsert *insert, Relation table)
{
	const InvDirectInsertPlan *plan = insert->plan;

	Assert(plan->usable && CheckRelationLockedByMe(table, RowExclusiveLock, true));
	insert->omits_guards = !(table->trigdesc && table->trigdesc->trig_insert_before_row);
	insert->fires_triggers = fires_row_trigger(insert, table->trigdesc);
	/* functions that the table calls see what the call has written so far */
	CommandCounterIncrement();
	insert->has_snapshot = insert->fires_triggers || plan->runs_shop_code || !ActiveSnapshotSet();
	if (insert->has_snapshot)
		PushActiveSnapshot(GetTransactionSnapshot());
	/* in the memory of the call, which costs less than one of its own */
	insert->estate = makeNode(EState);
	insert->estate->es_query_cxt = CurrentMemoryContext;
	insert->context = GetPerTupleExprContext(insert->estate);
	insert->slot_count = plan->at_once ? Min(insert->count, ROWS_AT_ONCE) : 1;
	for (int i = 0; i < insert->slot_count; i++)
		insert->slots[i] = MakeSingleTupleTableSlot(RelationGetDescr(table), &TTSOpsVirtual);

	set_target(insert, table);
	inv_set_checks(insert->target, plan->checks);
	insert->opened = inv_begin_target_indexes(&plan->indexes, insert->target);
	insert->estate->es_output_cid = GetCurrentCommandId(true);
	insert->defaults = palloc(sizeof(ExprState *) * plan->default_count);
	for (int i = 0; i < plan->default_count; i++)
	{
		const InvDefaultColumn *column = &plan->defaults[i];

		insert->defaults[i] =
			column->state ? column->state
						  : ExecInitExpr(expression_planner(copyObject(column->expression)), NULL);
	}
	if (insert->fires_triggers)
		AfterTriggerBeginQuery();
}

/* The insertion into orders whose guards fire at the moment, or null. */
static const DirectInsert *guarded = NULL;

/* Fire the triggers, of which the guards ask for the rows. */
static void
fire_triggers(DirectInsert *insert)
{
	const DirectInsert *outer = guarded;

	PG_TRY();
	{
		guarded = insert;
		AfterTriggerEndQuery(insert->estate);
	}
	PG_FINALLY();
	{
		guarded = outer;
	}
	PG_END_TRY();
}

/* For the guard on orders: what the engine gave a row of the store at this place; null if it did not insert it. */
const InvDirectRow *
inv_direct_row_at(const InvStore *store, ItemPointer place)
{
	if (guarded == NULL || guarded->items != store->items)
		return NULL;
	for (int i = 0; i < guarded->count; i++)
		if (guarded->rows[i].written && ItemPointerEquals(&guarded->rows[i].place, place))
			return &guarded->rows[i];
	return NULL;
}

static void
end_insert(DirectInsert *insert)
{
	if (!insert->omits_guards)
		fire_triggers(insert);
	else if (insert->fires_triggers)
		AfterTriggerEndQuery(insert->estate);
	if (insert->has_snapshot)
		PopActiveSnapshot();
	ExecCloseIndices(insert->target);
	for (int i = 0; i < insert->slot_count; i++)
		ExecDropSingleTupleTableSlot(insert->slots[i]);
	ExecResetTupleTable(insert->estate->es_tupleTable, false);
	FreeExprContext(insert->context, true);
	CommandCounterIncrement();
}

/* Put a row together in a slot: what it gives, the defaults, and null. */
static void
fill_slot(DirectInsert *insert, TupleTableSlot *slot, const InvDirectRow *row)
{
	const InvDirectInsertPlan *plan = insert->plan;

	ExecClearTuple(slot);
	memset(slot->tts_isnull, true, sizeof(bool) * slot->tts_tupleDescriptor->natts);
	for (int i = 0; i < plan->given_count; i++)
	{
		const InvGivenColumn *given = &plan->given[i];

		if (given->attnum == InvalidAttrNumber || row->nulls[i])
			continue;
		slot->tts_values[given->attnum - 1] =
			given->narrow_type ? narrow_integer(given, row->values[i]) : row->values[i];
		slot->tts_isnull[given->attnum - 1] = false;
	}
	for (int i = 0; i < plan->default_count; i++)
	{
		int column = plan->defaults[i].attnum - 1;

		slot->tts_values[column] = ExecEvalExprSwitchContext(insert->defaults[i], insert->context,
															 &slot->tts_isnull[column]);
	}
	ExecStoreVirtualTuple(slot);
	slot->tts_tableOid = RelationGetRelid(insert->target->ri_RelationDesc);
}

/* Open the indexes that the row in a slot belongs to. */
static void
open_indexes(DirectInsert *insert, TupleTableSlot *slot)
{
	insert->context->ecxt_scantuple = slot;
	inv_open_target_indexes(&insert->plan->indexes, insert->target, insert->opened,
							insert->context);
}

/* Report what became of a row, with its key. */
static void
report_row(const DirectInsert *insert, TupleTableSlot *slot, InvDirectRow *row)
{
	AttrNumber key = insert->plan->key;

	row->written = ItemPointerIsValid(&slot->tts_tid);
	row->place = slot->tts_tid;
	if (!row->written || key == InvalidAttrNumber)
		return;
	row->key = slot_getattr(slot, key, &row->no_key);
	if (!row->no_key)
	{
		Form_pg_attribute column = TupleDescAttr(slot->tts_tupleDescriptor, key - 1);

		row->key = datumCopy(row->key, column->attbyval, column->attlen);
	}
}

/*
 * Insert the rows in the first slots as COPY does it: with one record of WAL for those of a page,
 * and then their index entries, row by row.  Only where nothing could see that.
 */
static void
insert_at_once(DirectInsert *insert, int count)
{
	Relation table = insert->target->ri_RelationDesc;
	MemoryContext old;

	for (int i = 0; table->rd_att->constr && i < count; i++)
		ExecConstraints(insert->target, insert->slots[i], insert->estate);
	/* it leaves memory behind */
	old = MemoryContextSwitchTo(insert->context->ecxt_per_tuple_memory);
	table_multi_insert(table, insert->slots, count, insert->estate->es_output_cid, 0, NULL);
	MemoryContextSwitchTo(old);
	for (int i = 0; i < count; i++)
	{
		TupleTableSlot *slot = insert->slots[i];
		List *recheck = NIL;

		open_indexes(insert, slot);
		if (insert->target->ri_NumIndices > 0)
			recheck = inv_insert_new_entries(insert->target, insert->estate, slot);
		ExecARInsertTriggers(insert->estate, insert->target, slot, recheck, NULL);
	}
}

/* Insert the rows, in their order, and report in each what became of it. */
static void
write_rows_in_order(DirectInsert *insert)
{
	int count;

	for (int done = 0; done < insert->count; done += count)
	{
		InvDirectRow *rows = insert->rows + done;

		count = Min(insert->slot_count, insert->count - done);
		for (int i = 0; i < count; i++)
			fill_slot(insert, insert->slots[i], &rows[i]);
		if (count > 1)
			insert_at_once(insert, count);
		else
		{
			open_indexes(insert, insert->slots[0]);
			ExecSimpleRelationInsert(insert->target, insert->estate, insert->slots[0]);
		}
		for (int i = 0; i < count; i++)
			report_row(insert, insert->slots[i], &rows[i]);
		ResetExprContext(insert->context);
	}
}

/*
 * Insert rows, in their order, with all that an INSERT would do, and report in each
 * what became of it.  items_written: this transaction has written the rows of all items.
 * False, with nothing done, if the table needs an INSERT.  Raises what an INSERT would raise.
 */
bool
inv_direct_insert(InvStore *store, InvTarget target, InvDirectRow *rows, int count,
				  bool items_written)
{
	Relation table;
	InvDirectInsertPlan *plan;
	bool usable;

	Assert(count > 0 && GetUserId() == store->owner);
	if (!inv_may_access_directly())
		return false;
	table = inv_open_target(store, target);
	plan = inv_insert_plan(store, target, table);
	usable = plan->usable && allows_direct_insert(store, plan, table);
	if (usable)
	{
		DirectInsert insert = { .plan = plan, .items = store->items, .rows = rows, .count = count };

		if (plan->runs_shop_code)
			inv_pin_path(store);
		insert.omits_item_check = items_written && OidIsValid(plan->item_key);
		begin_insert(&insert, table);
		write_rows_in_order(&insert);
		end_insert(&insert);
	}
	table_close(table, NoLock);
	return usable;
}
