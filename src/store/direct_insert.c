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
 * Owns the plans for it, which the memory of a store keeps.  Expects the store to be
 * entered: orders are locked, the ledger's table is locked here, and the engine acts
 * as their owner.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteHandler.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/datum.h"
#include "base/error.h"
#include "base/guc.h"
#include "store/binding.h"
#include "store/direct_insert.h"
#include "store/enter.h"
#include "store/expression.h"
#include "store/ledger_schema.h"
#include "store/query_text.h"
#include "store/shop_code.h"
#include "store/table_check.h"

/* A column that a row gives. */
typedef struct GivenColumn
{
	AttrNumber attnum; /* 0: the table has no such column */
	Oid narrow_type;   /* the column's type, if that is an integer smaller than bigint */
	const char *name;  /* for an error */
} GivenColumn;

/* A column that its default fills. */
typedef struct DefaultColumn
{
	AttrNumber attnum;
	Expr *expression;
	ExprState *state; /* null: to be made for each insertion, because it may change */
} DefaultColumn;

/* An index, and which rows it has. */
typedef struct TargetIndex
{
	Oid relid;
	ExprState *predicate; /* null: it may have any row */
} TargetIndex;

/* What is known of a table as long as the binding is valid. */
struct InvDirectInsertPlan
{
	bool usable;
	GivenColumn given[INV_ROW_COLUMNS];
	int given_count;
	DefaultColumn *defaults;
	int default_count;
	TargetIndex *indexes;
	int index_count;
	AttrNumber key; /* the column that is read back, or 0 */
	bool runs_shop_code;
	Oid item_key; /* the foreign key from the item of an order to items, or InvalidOid */
};

/* ---- planning ---- */

/*
 * Add a column that rows give in this type.  False if its values need more than a
 * check of their range.
 */
static bool
add_given_column(InvDirectInsertPlan *plan, TupleDesc desc, const char *name, AttrNumber attnum,
				 Oid type)
{
	GivenColumn *given = &plan->given[plan->given_count++];
	Form_pg_attribute column;

	Assert(plan->given_count <= INV_ROW_COLUMNS && attnum <= desc->natts);
	given->name = name;
	given->attnum = attnum;
	if (attnum == InvalidAttrNumber)
		return true;
	column = TupleDescAttr(desc, attnum - 1);
	if (column->attgenerated || column->attidentity || column->atttypmod >= 0)
		return false;
	if (type == INT8OID && (column->atttypid == INT2OID || column->atttypid == INT4OID))
	{
		given->narrow_type = column->atttypid;
		return true;
	}
	return column->atttypid == type || (column->atttypid == VARCHAROID && type == TEXTOID);
}

static bool
add_order_columns(InvDirectInsertPlan *plan, InvStore *store, TupleDesc desc)
{
	plan->key = store->order_id.attnum;
	Assert(plan->key > 0 && plan->key <= desc->natts);
	if (inv_base_type(TupleDescAttr(desc, plan->key - 1)->atttypid) != store->order_type)
		return false;
	/* in the order of InvOrderColumn */
	return add_given_column(plan, desc, "item_id", store->order_item.attnum, store->item_id.base) &&
		   add_given_column(plan, desc, "quantity", store->order_quantity.attnum, INT8OID) &&
		   add_given_column(plan, desc, "user_id", store->order_user.attnum, store->user_type);
}

static bool
add_movement_columns(InvDirectInsertPlan *plan, InvStore *store, Oid table, TupleDesc desc)
{
	static const char *const names[] = { INV_MOVEMENT_COLUMNS(INV_MOVEMENT_NAME) };

	for (int i = 0; i < INV_MOVEMENT_COLUMN_COUNT; i++)
	{
		AttrNumber attnum = get_attnum(table, names[i]);
		Oid type = inv_letter_type(store, pg_ascii_tolower(INV_MOVEMENT_TYPES[i]));

		if (attnum == InvalidAttrNumber || !add_given_column(plan, desc, names[i], attnum, type))
			return false;
	}
	return true;
}

/*
 * Add the defaults of the columns that no row gives.  False if one of them can
 * change, or can forbid null, without an invalidation of the table.
 */
static bool
add_default_columns(InvDirectInsertPlan *plan, Relation table)
{
	TupleDesc desc = RelationGetDescr(table);

	plan->defaults = palloc(sizeof(DefaultColumn) * desc->natts);
	for (AttrNumber attnum = 1; attnum <= desc->natts; attnum++)
	{
		Form_pg_attribute column = TupleDescAttr(desc, attnum - 1);
		DefaultColumn *new = &plan->defaults[plan->default_count];
		bool given = column->attisdropped || column->attgenerated;

		for (int i = 0; !given && i < plan->given_count; i++)
			given = plan->given[i].attnum == attnum;
		if (given)
			continue;
		if (get_typtype(column->atttypid) == TYPTYPE_DOMAIN)
			return false;
		new->attnum = attnum;
		new->expression = (Expr *) build_column_default(table, attnum);
		if (new->expression == NULL)
			continue;
		new->state = NULL;
		if (inv_calls_shop_code((Node *) new->expression))
			plan->runs_shop_code = true;
		if (inv_may_keep_expression((Node *) new->expression))
			new->state = inv_keep_expression((Node *) new->expression);
		plan->default_count++;
	}
	return true;
}

/*
 * List the indexes.  Opening one costs more than evaluating its predicate, and a
 * sale, for instance, is never in the partial index of refunds.  The predicate can
 * tell that only if nothing changes the row after it was put together.
 */
static void
list_target_indexes(InvDirectInsertPlan *plan, Relation table)
{
	List *relids = RelationGetIndexList(table);
	bool row_is_final = !(table->trigdesc && table->trigdesc->trig_insert_before_row) &&
						!(table->rd_att->constr && table->rd_att->constr->has_generated_stored);
	ListCell *cell;

	plan->indexes = palloc(sizeof(TargetIndex) * list_length(relids));
	foreach (cell, relids)
	{
		TargetIndex *new = &plan->indexes[plan->index_count++];
		Relation index = index_open(lfirst_oid(cell), AccessShareLock);
		List *predicate = RelationGetIndexPredicate(index);

		new->relid = lfirst_oid(cell);
		new->predicate = NULL;
		if (row_is_final && predicate && inv_may_keep_expression((Node *) predicate))
			new->predicate = ExecInitQual((List *) expression_planner((Expr *) predicate), NULL);
		index_close(index, NoLock);
	}
}

/* The foreign key from orders to the key of items; InvalidOid if there is none, or it has another type. */
static Oid
find_item_key(InvStore *store, Relation orders)
{
	/* a copy, because a look-up can replace the relcache's */
	List *keys = copyObject(RelationGetFKeyList(orders));
	ListCell *cell;

	foreach (cell, keys)
	{
		const ForeignKeyCacheInfo *key = lfirst(cell);

		if (key->confrelid == store->items && key->nkeys == 1 &&
			key->conkey[0] == store->order_item.attnum &&
			key->confkey[0] == store->item_id.attnum &&
			store->order_item.type == store->item_id.type)
			return key->conoid;
	}
	return InvalidOid;
}

static InvDirectInsertPlan *
make_insert_plan(InvStore *store, InvTarget target, Relation table)
{
	InvDirectInsertPlan *plan = palloc0(sizeof(InvDirectInsertPlan));
	TupleDesc desc = RelationGetDescr(table);

	plan->usable = target == INV_TARGET_ORDERS
					   ? add_order_columns(plan, store, desc)
					   : add_movement_columns(plan, store, RelationGetRelid(table), desc);
	plan->usable = plan->usable && add_default_columns(plan, table);
	if (plan->usable)
	{
		list_target_indexes(plan, table);
		plan->runs_shop_code = plan->runs_shop_code || inv_write_runs_shop_code(table);
		if (target == INV_TARGET_ORDERS && !plan->runs_shop_code)
			plan->item_key = find_item_key(store, table);
	}
	return plan;
}

/* The plan for an open table.  It is kept unless the table changed since the store was entered. */
static InvDirectInsertPlan *
insert_plan_for(InvStore *store, InvTarget target, Relation table)
{
	MemoryContext old;

	if (store->valid && store->direct_inserts[target])
		return store->direct_inserts[target];
	/* to simplify an expression can run functions of the shop */
	inv_pin_path(store);
	if (!store->valid)
		return make_insert_plan(store, target, table);
	old = MemoryContextSwitchTo(store->context);
	store->direct_inserts[target] = make_insert_plan(store, target, table);
	MemoryContextSwitchTo(old);
	return store->direct_inserts[target];
}

/* Does an INSERT into the table have no effects except those for each row? */
static bool
allows_direct_insert(Relation table)
{
	TriggerDesc *triggers = table->trigdesc;

	if (table->rd_rel->relkind != RELKIND_RELATION || table->rd_rules != NULL)
		return false;
	if (triggers && (triggers->trig_insert_before_statement ||
					 triggers->trig_insert_after_statement || triggers->trig_insert_new_table))
		return false;
	/* a REVOKE can have taken it from the owner: then the INSERT raises the error */
	return pg_class_aclcheck(RelationGetRelid(table), GetUserId(), ACL_INSERT) == ACLCHECK_OK;
}

/* ---- inserting ---- */

/* A bigint in the smaller integer type of a column; raises if it is out of range. */
static Datum
narrow_integer(const GivenColumn *given, Datum value)
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
	insert->target->ri_IndexRelationDescs = palloc(sizeof(Relation) * plan->index_count);
	insert->target->ri_IndexRelationInfo = palloc(sizeof(IndexInfo *) * plan->index_count);
	insert->opened = palloc0(sizeof(bool) * plan->index_count);
	insert->estate->es_opened_result_relations = lappend(NIL, insert->target);
	insert->estate->es_output_cid = GetCurrentCommandId(true);
	insert->defaults = palloc(sizeof(ExprState *) * plan->default_count);
	for (int i = 0; i < plan->default_count; i++)
	{
		const DefaultColumn *column = &plan->defaults[i];

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

static void
end_insert(DirectInsert *insert)
{
	AfterTriggerEndQuery(insert->estate);
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
		const GivenColumn *given = &plan->given[i];

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
	ResultRelInfo *target = insert->target;
	MemoryContext old = MemoryContextSwitchTo(insert->estate->es_query_cxt);

	for (int i = 0; i < insert->plan->index_count; i++)
	{
		const TargetIndex *index = &insert->plan->indexes[i];
		Relation relation;

		if (insert->opened[i] || (index->predicate && !ExecQual(index->predicate, insert->context)))
			continue;
		relation = index_open(index->relid, RowExclusiveLock);
		target->ri_IndexRelationDescs[target->ri_NumIndices] = relation;
		target->ri_IndexRelationInfo[target->ri_NumIndices++] = BuildIndexInfo(relation);
		insert->opened[i] = true;
	}
	MemoryContextSwitchTo(old);
}

/* Report what became of a row, with its key. */
static void
report_row(const DirectInsert *insert, InvDirectRow *row)
{
	TupleTableSlot *slot = insert->slot;
	AttrNumber key = insert->plan->key;

	row->written = ItemPointerIsValid(&slot->tts_tid);
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
	table = target == INV_TARGET_ORDERS ? table_open(store->orders, NoLock)
										: inv_ledger_table_open(store, INV_LEDGER_MOVEMENTS);
	plan = insert_plan_for(store, target, table);
	usable = plan->usable && allows_direct_insert(table);
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
