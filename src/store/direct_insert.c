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

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "catalog/pg_class.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteHandler.h"
#include "storage/lmgr.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/compat.h"
#include "base/error.h"
#include "base/guc.h"
#include "store/binding.h"
#include "store/direct_insert.h"
#include "store/enter.h"
#include "store/expression.h"
#include "store/insert_plan.h"
#include "store/ledger_schema.h"
#include "store/query_text.h"
#include "store/shop_code.h"
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

/* A table while rows are inserted. */
typedef struct DirectInsert
{
	const InvDirectInsertPlan *plan;
	EState *estate;
	ExprContext *context;
	ResultRelInfo *target;
	TupleTableSlot *slot;
	Oid items; /* of the store */
	InvDirectRow *rows;
	int count;
	bool omits_guards;	  /* or the table has none */
	ExprState **defaults; /* one for each default of the plan */
	bool *opened;		  /* one for each index of the plan */
} DirectInsert;

static void
begin_insert(DirectInsert *insert, const InvDirectInsertPlan *plan, Relation table)
{
	MemoryContext old;

	Assert(plan->usable && CheckRelationLockedByMe(table, RowExclusiveLock, true));
	insert->plan = plan;
	insert->estate = CreateExecutorState();
	insert->context = GetPerTupleExprContext(insert->estate);
	insert->slot = MakeSingleTupleTableSlot(RelationGetDescr(table), &TTSOpsVirtual);
	insert->context->ecxt_scantuple = insert->slot;

	old = MemoryContextSwitchTo(insert->estate->es_query_cxt);
	insert->target = makeNode(ResultRelInfo);
	InitResultRelInfo(insert->target, table, 0, NULL, 0);
	inv_set_checks(insert->target, plan->checks);
	insert->opened = inv_begin_target_indexes(&plan->indexes, insert->target);
	insert->estate->es_opened_result_relations = lappend(NIL, insert->target);
	insert->estate->es_output_cid = GetCurrentCommandId(true);
	insert->defaults = palloc(sizeof(ExprState *) * plan->default_count);
	for (int i = 0; i < plan->default_count; i++)
	{
		const InvDefaultColumn *column = &plan->defaults[i];

		insert->defaults[i] =
			column->state ? column->state
						  : ExecInitExpr(expression_planner(copyObject(column->expression)), NULL);
	}
	MemoryContextSwitchTo(old);
	AfterTriggerBeginQuery();
}

/*
 * Leave out the check of the foreign key to items: this transaction has written the rows that
 * it would look for, and has them locked.  Nothing of the shop's runs in between that could
 * delete them.
 */
static void
omit_item_check(DirectInsert *insert)
{
	TriggerDesc *triggers = insert->target->ri_TrigDesc;

	for (int i = 0; triggers && i < triggers->numtriggers; i++)
		if (triggers->triggers[i].tgconstraint == insert->plan->item_key &&
			triggers->triggers[i].tgfoid == F_RI_FKEY_CHECK_INS)
			triggers->triggers[i].tgenabled = TRIGGER_DISABLED;
}

/*
 * Leave out the guards of orders, which would find that the engine inserted the row.  Not if
 * a trigger can change the row before: then they record what it changed.
 */
static void
omit_orders_guards(DirectInsert *insert)
{
	TriggerDesc *triggers = insert->target->ri_TrigDesc;
	bool any = false;

	insert->omits_guards = triggers == NULL || !triggers->trig_insert_before_row;
	if (triggers == NULL || !insert->omits_guards)
		return;
	for (int i = 0; i < triggers->numtriggers; i++)
	{
		Trigger *trigger = &triggers->triggers[i];

		if (trigger->tgfoid == insert->plan->orders_guard)
			trigger->tgenabled = TRIGGER_DISABLED;
		any = any || (trigger->tgenabled != TRIGGER_DISABLED &&
					  TRIGGER_TYPE_MATCHES(trigger->tgtype, TRIGGER_TYPE_ROW, TRIGGER_TYPE_AFTER,
										   TRIGGER_TYPE_INSERT));
	}
	/* the executor then does not look through them */
	triggers->trig_insert_after_row = triggers->trig_insert_after_row && any;
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
	if (insert->omits_guards)
		AfterTriggerEndQuery(insert->estate);
	else
		fire_triggers(insert);
	ExecCloseIndices(insert->target);
	ExecDropSingleTupleTableSlot(insert->slot);
	ExecResetTupleTable(insert->estate->es_tupleTable, false);
	FreeExecutorState(insert->estate);
	CommandCounterIncrement();
}

/* Put a row together in the slot: what it gives, the defaults, and null. */
static void
fill_slot(DirectInsert *insert, const InvDirectRow *row)
{
	const InvDirectInsertPlan *plan = insert->plan;
	TupleTableSlot *slot = insert->slot;

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

/* Open the indexes that the row in the slot belongs to. */
static void
open_indexes(DirectInsert *insert)
{
	MemoryContext old = MemoryContextSwitchTo(insert->estate->es_query_cxt);

	inv_open_target_indexes(&insert->plan->indexes, insert->target, insert->opened,
							insert->context);
	MemoryContextSwitchTo(old);
}

/* Report what became of a row, with its key. */
static void
report_row(const DirectInsert *insert, InvDirectRow *row)
{
	TupleTableSlot *slot = insert->slot;
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
		DirectInsert insert;

		if (plan->runs_shop_code)
			inv_pin_path(store);
		/* functions that the table calls see what the call has written so far */
		CommandCounterIncrement();
		PushActiveSnapshot(GetTransactionSnapshot());
		begin_insert(&insert, plan, table);
		if (items_written && OidIsValid(plan->item_key))
			omit_item_check(&insert);
		insert.items = store->items;
		insert.rows = rows;
		insert.count = count;
		insert.omits_guards = true;
		if (OidIsValid(plan->orders_guard))
			omit_orders_guards(&insert);
		for (int i = 0; i < count; i++)
		{
			fill_slot(&insert, &rows[i]);
			open_indexes(&insert);
			ExecSimpleRelationInsert(insert.target, insert.estate, insert.slot);
			report_row(&insert, &rows[i]);
			ResetExprContext(insert.context);
		}
		end_insert(&insert);
		PopActiveSnapshot();
	}
	table_close(table, NoLock);
	return usable;
}
