/*
 * take_plan.c
 *		Can units be taken from the rows of items without a statement, and how?
 *
 * Not if an UPDATE of the stock would do more than to write the row and its index
 * entries and to fire the guard: if a trigger of the shop or a rule would run, if the
 * items are a partition or have generated columns, if a policy is forced, or if a
 * foreign key depends on what is written.  CHECKs and the condition on what is for sale
 * are compiled and kept; where they call functions of the shop, a statement is needed.
 *
 * Reads only.  Expects an entered store: a change of the table makes the store invalid,
 * and is kept away by its lock.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "optimizer/clauses.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "base/compat.h"
#include "base/settings.h"
#include "store/binding.h"
#include "store/catalog.h"
#include "store/condition.h"
#include "store/enter.h"
#include "store/expression.h"
#include "store/index_lookup.h"
#include "store/shop_code.h"
#include "stock/take_plan.h"

static int
written_bit(AttrNumber attnum)
{
	return attnum - FirstLowInvalidHeapAttributeNumber;
}

static bool
is_written(const InvDirectTakePlan *plan, AttrNumber attnum)
{
	return bms_is_member(written_bit(attnum), plan->written);
}

/* Note that a column is written; false if its value needs more than the engine computes. */
static bool
add_written_column(InvDirectTakePlan *plan, TupleDesc desc, const InvColumn *column)
{
	Form_pg_attribute attribute;

	if (column->attnum == InvalidAttrNumber)
		return true;
	attribute = TupleDescAttr(desc, column->attnum - 1);
	plan->written = bms_add_member(plan->written, written_bit(column->attnum));
	if (column->type != column->base)
		plan->has_domains = true;
	return attribute->atttypid == column->type && !attribute->attidentity;
}

/* ---- triggers and foreign keys ---- */

/* Is a trigger the guard, as attach makes it? */
static bool
is_guard(const Trigger *trigger)
{
	char *name;

	if (trigger->tgenabled != TRIGGER_FIRES_ALWAYS || trigger->tgnattr != 0 ||
		trigger->tgqual != NULL ||
		trigger->tgtype !=
			(TRIGGER_TYPE_ROW | TRIGGER_TYPE_INSERT | TRIGGER_TYPE_UPDATE | TRIGGER_TYPE_DELETE))
		return false;
	name = get_func_name(trigger->tgfoid);
	return name && strcmp(name, "guard") == 0 &&
		   get_func_namespace(trigger->tgfoid) == get_namespace_oid(INV_SCHEMA, true);
}

/* Does a trigger, which is not the guard, have nothing to do when these columns are written? */
static bool
ignores_update(const InvDirectTakePlan *plan, const Trigger *trigger)
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

/* Does an UPDATE fire the guard once, and no other trigger? */
static bool
fires_only_guard(const InvDirectTakePlan *plan, Relation items)
{
	/* a copy, because a look-up can replace the relcache's */
	TriggerDesc *triggers = CopyTriggerDesc(items->trigdesc);
	int guards = 0;

	for (int i = 0; triggers && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];

		if (is_guard(trigger))
			guards++;
		else if (!ignores_update(plan, trigger))
			return false;
	}
	return guards == 1;
}

/* Does a foreign key from or to items depend on a column that is written? */
static bool
writes_key_columns(InvDirectTakePlan *plan, Relation items)
{
	/* a copy, because a look-up can replace the relcache's */
	List *keys = copyObject(RelationGetFKeyList(items));
	ListCell *cell;

	plan->has_foreign_keys = keys != NIL;
	foreach (cell, keys)
	{
		const ForeignKeyCacheInfo *key = lfirst(cell);

		for (int i = 0; i < key->nkeys; i++)
			if (is_written(plan, key->conkey[i]))
				return true;
	}
	/* those to items refer to columns of a unique index */
	return bms_overlap(RelationGetIndexAttrBitmap(items, INDEX_ATTR_BITMAP_KEY), plan->written);
}

/* ---- constraints ---- */

/* Keep the CHECKs of the table; false if one of them cannot be kept. */
static bool
add_checks(InvDirectTakePlan *plan, TupleDesc desc)
{
	int count = desc->constr ? desc->constr->num_check : 0;

	plan->checks = palloc(sizeof(ExprState *) * count);
	for (int i = 0; i < count; i++)
	{
		const ConstrCheck *check = &desc->constr->check[i];
		Node *condition;

		if (!inv_check_is_enforced(check))
			continue;
		condition = stringToNode(check->ccbin);
		if (!inv_may_keep_expression(condition))
			return false;
		plan->checks[plan->check_count++] = inv_keep_expression(condition);
	}
	return true;
}

/* Note which columns may not be null; false if a column is generated. */
static bool
add_columns(InvDirectTakePlan *plan, TupleDesc desc)
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

/* Keep the condition on what is for sale, under its settings; false if it cannot be kept. */
static bool
add_sellable(InvDirectTakePlan *plan, const InvCondition *condition)
{
	Node *expression;
	int nest;

	if (condition == NULL)
		return true;
	expression = copyObject(condition->expression);
	if (contain_subplans(expression) || !inv_may_keep_expression(expression))
		return false;
	nest = condition->settings ? inv_settings_enter(condition->settings) : 0;
	plan->sellable = inv_keep_expression(expression);
	if (nest)
		AtEOXact_GUC(true, nest);
	return true;
}

/* ---- plans ---- */

/* Is the table one of which an UPDATE does nothing but write the row and its index entries? */
static bool
is_plain_table(InvStore *store, Relation items)
{
	const FormData_pg_class *form = items->rd_rel;

	return form->relkind == RELKIND_RELATION && form->relam == HEAP_TABLE_AM_OID &&
		   !form->relispartition && items->rd_rules == NULL && !store->forces_policies;
}

static InvDirectTakePlan *
make_take_plan(InvStore *store, Relation items)
{
	InvDirectTakePlan *plan = palloc0(sizeof(InvDirectTakePlan));
	/* a copy, because a look-up can replace the relcache's */
	TupleDesc desc = CreateTupleDescCopyConstr(RelationGetDescr(items));

	plan->item_index = inv_find_item_index(store, items);
	plan->usable = is_plain_table(store, items) && OidIsValid(plan->item_index) &&
				   add_written_column(plan, desc, &store->stock) &&
				   add_written_column(plan, desc, &store->version) && add_columns(plan, desc) &&
				   !writes_key_columns(plan, items) && fires_only_guard(plan, items) &&
				   add_checks(plan, desc) && add_sellable(plan, store->sellable);
	if (plan->usable)
	{
		plan->runs_shop_code = plan->has_domains || inv_write_runs_shop_code(store, items);
		inv_init_same_item(store, &plan->same_item);
		plan->context = CreateStandaloneExprContext();
	}
	return plan;
}

/* The plan for a table that is open; not kept if it may have changed since the store was entered. */
InvDirectTakePlan *
inv_take_plan(InvStore *store, Relation items)
{
	MemoryContext old;

	if (store->valid && store->direct_take)
		return store->direct_take;
	/* to simplify an expression can run functions of the shop */
	inv_pin_path(store);
	if (!store->valid)
		return make_take_plan(store, items);
	old = MemoryContextSwitchTo(store->context);
	store->direct_take = make_take_plan(store, items);
	MemoryContextSwitchTo(old);
	return store->direct_take;
}
