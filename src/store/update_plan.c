/*
 * update_plan.c
 *		What is known of a table whose rows are updated without a statement.
 *
 * They are not if an UPDATE of these columns would do more than to write the row and its
 * index entries: if a trigger of the shop or a rule would run, if the table is a partition or
 * has generated columns, if a policy is forced, or if a foreign key depends on what is
 * written.  CHECKs are compiled and kept; where they call functions of the shop, a statement
 * is needed.
 *
 * Reads only.  Expects an entered store: a change of the table makes the store invalid,
 * and is kept away by its lock.
 */
#include "postgres.h"

#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "utils/rel.h"

#include "base/compat.h"
#include "store/binding.h"
#include "store/expression.h"
#include "store/shop_code.h"
#include "store/update_plan.h"

static int
written_bit(AttrNumber attnum)
{
	return attnum - FirstLowInvalidHeapAttributeNumber;
}

static bool
is_written(const InvUpdatePlan *plan, AttrNumber attnum)
{
	return bms_is_member(written_bit(attnum), plan->written);
}

/* Note that a column is written; false if its value needs more than the engine computes. */
bool
inv_add_written_column(InvUpdatePlan *plan, TupleDesc desc, AttrNumber attnum, Oid type)
{
	Form_pg_attribute column = TupleDescAttr(desc, attnum - 1);

	plan->written = bms_add_member(plan->written, written_bit(attnum));
	return column->atttypid == type && !column->attidentity;
}

/* ---- triggers and foreign keys ---- */

/* Does a trigger of the shop have nothing to do when these columns are written? */
static bool
ignores_update(const InvUpdatePlan *plan, const Trigger *trigger)
{
	/* of a disabled trigger the table's summary says that there is one */
	if (trigger->tgenabled == TRIGGER_DISABLED || !TRIGGER_FOR_UPDATE(trigger->tgtype))
		return true;
	/* foreign keys on other columns, which writes_key_columns() has seen to */
	if (RI_FKey_trigger_type(trigger->tgfoid) != RI_TRIGGER_NONE)
		return true;
	if (trigger->tgnattr == 0)
		return false;
	for (int i = 0; i < trigger->tgnattr; i++)
		if (is_written(plan, trigger->tgattr[i]))
			return false;
	return true;
}

/* Does an UPDATE fire a trigger, beside those that is_own(), which may be null, knows? */
static bool
fires_trigger(const InvUpdatePlan *plan, Relation table, bool (*is_own)(const Trigger *))
{
	/* a copy, because a look-up can replace the relcache's */
	TriggerDesc *triggers = CopyTriggerDesc(table->trigdesc);

	for (int i = 0; triggers && i < triggers->numtriggers; i++)
		if (!ignores_update(plan, &triggers->triggers[i]) &&
			!(is_own && is_own(&triggers->triggers[i])))
			return true;
	return false;
}

/* Does a foreign key from or to the table depend on a column that is written? */
static bool
writes_key_columns(InvUpdatePlan *plan, Relation table)
{
	/* a copy, because a look-up can replace the relcache's */
	List *keys = copyObject(RelationGetFKeyList(table));
	ListCell *cell;

	plan->has_foreign_keys = keys != NIL;
	foreach (cell, keys)
	{
		const ForeignKeyCacheInfo *key = lfirst(cell);

		for (int i = 0; i < key->nkeys; i++)
			if (is_written(plan, key->conkey[i]))
				return true;
	}
	/* those to the table refer to columns of a unique index */
	return bms_overlap(RelationGetIndexAttrBitmap(table, INDEX_ATTR_BITMAP_KEY), plan->written);
}

/* ---- constraints ---- */

/* Keep the CHECKs of the table; false if one of them cannot be kept. */
static bool
add_checks(InvUpdatePlan *plan, TupleDesc desc, Relation table)
{
	int count = desc->constr ? desc->constr->num_check : 0;

	plan->checks = palloc(sizeof(ExprState *) * count);
	for (int i = 0; i < count; i++)
	{
		const ConstrCheck *check = &desc->constr->check[i];
		Node *condition;

		if (!inv_check_is_enforced(check))
			continue;
		condition = inv_check_condition(check, table);
		if (!inv_may_keep_expression(condition))
			return false;
		plan->checks[plan->check_count++] = inv_keep_expression(condition);
	}
	return true;
}

/* Note which columns may not be null; false if a column is generated. */
static bool
add_columns(InvUpdatePlan *plan, TupleDesc desc)
{
	plan->not_null = palloc(sizeof(AttrNumber) * desc->natts);
	for (AttrNumber attnum = 1; attnum <= desc->natts; attnum++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, attnum - 1);

		if (attribute->attisdropped)
			continue;
		if (attribute->attgenerated)
			return false;
		if (attribute->attnotnull)
			plan->not_null[plan->not_null_count++] = attnum;
	}
	return true;
}

/* Is the table one of which an UPDATE does nothing but write the row and its index entries? */
static bool
is_plain_table(InvStore *store, Relation table)
{
	const FormData_pg_class *form = table->rd_rel;

	return form->relkind == RELKIND_RELATION && form->relam == HEAP_TABLE_AM_OID &&
		   !form->relispartition && table->rd_rules == NULL && !store->forces_policies;
}

/*
 * Complete a plan that knows which columns are written, in the current memory context.  True if
 * an UPDATE would do more than to write the row and its index entries and to fire the triggers
 * that is_own(), which may be null, knows.  To simplify an expression can run functions of the
 * shop: expects the search_path of the store.
 */
bool
inv_update_needs_statement(InvUpdatePlan *plan, InvStore *store, Relation table,
						   bool (*is_own)(const Trigger *))
{
	/* a copy, because a look-up can replace the relcache's */
	TupleDesc desc = CreateTupleDescCopyConstr(RelationGetDescr(table));

	if (!is_plain_table(store, table) || !add_columns(plan, desc) ||
		writes_key_columns(plan, table) || fires_trigger(plan, table, is_own) ||
		!add_checks(plan, desc, table))
		return true;
	/* no foreign key is checked: see inv_update_row() */
	plan->runs_shop_code = inv_write_runs_shop_code(table);
	/* neither a trigger nor a generated column changes the row */
	inv_list_target_indexes(&plan->indexes, table, true);
	plan->context = CreateStandaloneExprContext();
	return false;
}
