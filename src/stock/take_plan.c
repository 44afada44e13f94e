/*
 * take_plan.c
 *		Can units be taken from the rows of items without a statement, and how?
 *
 * Not if an UPDATE of the stock would do more than to write the row (update_plan.c) and to
 * fire the extension's own triggers.  The condition on what is for sale is compiled and kept; where it calls
 * functions of the shop, a statement is needed.
 *
 * Reads only.  Expects an entered store: a change of the table makes the store invalid,
 * and is kept away by its lock.
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "executor/executor.h"
#include "optimizer/clauses.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "base/settings.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/condition.h"
#include "store/enter.h"
#include "store/expression.h"
#include "store/index_lookup.h"
#include "store/table_check.h"
#include "store/update_plan.h"
#include "stock/guard_check.h"
#include "stock/take_plan.h"

/* Note that a column is written; false if its value needs more than the engine computes. */
static bool
add_number_column(InvDirectTakePlan *plan, Relation items, const InvColumn *column)
{
	if (column->attnum == InvalidAttrNumber)
		return true;
	if (column->type != column->base)
		plan->has_domains = true;
	return inv_add_written_column(&plan->update, RelationGetDescr(items), column->attnum,
								  column->type);
}

/* Is a trigger one of those that leave the stock as it is, which let the engine's writes pass? */
static bool
is_keep(const Trigger *trigger)
{
	return trigger->tgqual == NULL && inv_trigger_calls(trigger, "keep_stock");
}

static bool
is_own_trigger(const Trigger *trigger)
{
	return inv_is_row_guard(trigger) || is_keep(trigger);
}

/* Is the guard among the triggers, once? */
static bool
has_guard(Relation items)
{
	/* a copy, because a look-up can replace the relcache's */
	TriggerDesc *triggers = CopyTriggerDesc(items->trigdesc);
	int guards = 0;

	for (int i = 0; triggers && i < triggers->numtriggers; i++)
		guards += inv_is_row_guard(&triggers->triggers[i]);
	return guards == 1;
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

static InvDirectTakePlan *
make_take_plan(InvStore *store, Relation items)
{
	InvDirectTakePlan *plan = palloc0(sizeof(InvDirectTakePlan));

	plan->item_index = inv_find_item_index(store, items);
	plan->usable =
		OidIsValid(plan->item_index) && inv_items_are_as_bound(store, RelationGetDescr(items)) &&
		inv_owner_may_name(store, items) && add_number_column(plan, items, &store->stock) &&
		add_number_column(plan, items, &store->version) && has_guard(items) &&
		!inv_update_needs_statement(&plan->update, store, items, is_own_trigger) &&
		add_sellable(plan, store->sellable);
	if (plan->usable)
	{
		/* the checks of a domain can call anything */
		plan->update.runs_shop_code = plan->update.runs_shop_code || plan->has_domains;
		inv_init_same_item(store, &plan->same_item);
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

/* Does a row satisfy the condition on what is for sale? */
bool
inv_row_is_sellable(InvDirectTakePlan *plan, TupleTableSlot *row)
{
	ExprContext *context = plan->update.context;
	bool isnull;

	if (plan->sellable == NULL)
		return true;
	ResetExprContext(context);
	context->ecxt_scantuple = row;
	return DatumGetBool(ExecEvalExprSwitchContext(plan->sellable, context, &isnull)) && !isnull;
}
