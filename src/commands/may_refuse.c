/*
 * may_refuse.c
 *		Could the shop refuse an order line that sets only the bound columns?
 *
 * A part of a cart over several databases becomes an order after the cart is decided.  Where
 * something of the shop's could refuse that order, it is tried before; this says whether it
 * has to be.  The answer errs on the side of true.  It is read from the open table at each
 * call, so that it follows ALTER TABLE and CREATE TRIGGER.
 *
 * Expects the transaction to hold a part, whose lock keeps others from changing the table.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "nodes/nodeFuncs.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"

#include "base/compat.h"
#include "store/binding.h"
#include "store/enter.h"
#include "store/insert_plan.h"
#include "store/trigger_check.h"
#include "commands/argument.h"
#include "commands/call.h"
#include "commands/may_refuse.h"

/* Can a default do more than draw a number, an id or the time? */
static bool
default_may_fail(Node *node, void *context)
{
	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
		case T_Const:
		case T_RelabelType:
		case T_NextValueExpr:
		case T_SQLValueFunction:
			break;
		case T_FuncExpr:
			switch (((FuncExpr *) node)->funcid)
			{
				case F_NEXTVAL:
				case F_NOW:
				case F_CLOCK_TIMESTAMP:
				case F_GEN_RANDOM_UUID:
				case F_INT4_INT8:
					break;
				default:
					return true;
			}
			break;
		default:
			return true;
	}
	return expression_tree_walker(node, default_may_fail, context);
}

/* Could a column that no line gives be null, or its default fail? */
static bool
defaults_may_fail(const InvDirectInsertPlan *plan, Relation table)
{
	TupleDesc desc = RelationGetDescr(table);

	for (AttrNumber attnum = 1; attnum <= desc->natts; attnum++)
	{
		Form_pg_attribute column = TupleDescAttr(desc, attnum - 1);
		bool filled = column->attisdropped || !column->attnotnull;

		for (int i = 0; !filled && i < plan->given_count; i++)
			filled = plan->given[i].attnum == attnum;
		for (int i = 0; !filled && i < plan->default_count; i++)
			filled = plan->defaults[i].attnum == attnum;
		if (!filled)
			return true;
	}
	for (int i = 0; i < plan->default_count; i++)
		if (default_may_fail((Node *) plan->defaults[i].expression, NULL))
			return true;
	return false;
}

/* Is there an index that could refuse a row, beside the one of the key that the table itself draws? */
static bool
indexes_may_refuse(InvStore *store, Relation table)
{
	List *indexes = RelationGetIndexList(table);
	ListCell *cell;
	bool refuses = false;

	foreach (cell, indexes)
	{
		Relation index = index_open(lfirst_oid(cell), AccessShareLock);
		const FormData_pg_index *form = index->rd_index;

		/* the key of an expression or a predicate is 0 or is computed */
		refuses = refuses || form->indisexclusion || index->rd_indextuple == NULL ||
				  !heap_attisnull(index->rd_indextuple, Anum_pg_index_indexprs, NULL) ||
				  !heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, NULL) ||
				  (form->indisunique &&
				   (form->indnkeyatts != 1 || form->indkey.values[0] != store->order_id.attnum));
		index_close(index, AccessShareLock);
	}
	return refuses;
}

/*
 * Is there a trigger that fires for this event, also one of a foreign key, beside the guard of
 * orders; or a rule?
 */
static bool
triggers_may_refuse(Relation table, int16 event)
{
	const TriggerDesc *triggers = table->trigdesc;

	for (int i = 0; triggers && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];

		if ((trigger->tgtype & event) && trigger->tgenabled != TRIGGER_DISABLED &&
			trigger->tgfoid != inv_orders_guard_function())
			return true;
	}
	return table->rd_rel->relhasrules;
}

/*
 * Could a table of the ledger refuse a write, or is it gone?  "checks" is the number of the engine's
 * own CHECKs.
 */
static bool
ledger_table_may_refuse(Oid relation, int16 event, int checks)
{
	Relation table = try_table_open(relation, AccessShareLock);
	bool refuses;

	if (table == NULL)
		return true;
	refuses = (table->rd_att->constr && table->rd_att->constr->num_check > checks) ||
			  triggers_may_refuse(table, event);
	table_close(table, NoLock);
	return refuses;
}

/* Could the ledger refuse what a confirmation writes there? */
static bool
ledger_may_refuse(InvStore *store)
{
	return ledger_table_may_refuse(store->ledger[INV_LEDGER_MOVEMENTS], TRIGGER_TYPE_INSERT, 0) ||
		   ledger_table_may_refuse(store->ledger[INV_LEDGER_RESERVATIONS], TRIGGER_TYPE_UPDATE, 2);
}

/* Could an order without columns of the caller be refused?  The store is entered. */
bool
inv_orders_may_refuse(InvStore *store)
{
	Relation table;
	InvDirectInsertPlan *plan;
	bool refuses;

	if (!OidIsValid(store->orders))
		return ledger_may_refuse(store);
	if (OidIsValid(store->header) || OidIsValid(store->prepare) || inv_follows_orders(store) ||
		store->forces_policies)
		return true;
	/* an id that the column does not take */
	if (store->order_item.base != store->item_id.base ||
		(store->order_user.attnum != InvalidAttrNumber &&
		 store->order_user.base != store->user_type))
		return true;
	table = inv_open_target(store, INV_TARGET_ORDERS);
	plan = inv_insert_plan(store, INV_TARGET_ORDERS, table);
	refuses = !plan->usable || plan->runs_shop_code || plan->referenced != NIL ||
			  table->rd_rel->relkind != RELKIND_RELATION || table->rd_rel->relispartition ||
			  table->rd_rel->relhassubclass ||
			  (table->rd_att->constr && table->rd_att->constr->num_check > 0) ||
			  triggers_may_refuse(table, TRIGGER_TYPE_INSERT) || defaults_may_fail(plan, table) ||
			  indexes_may_refuse(store, table);
	table_close(table, NoLock);
	return refuses || ledger_may_refuse(store);
}

PG_FUNCTION_INFO_V1(inventory_orders_may_refuse);

/* orders_may_refuse(store_name): true if an order without columns of the caller could be refused. */
Datum
inventory_orders_may_refuse(PG_FUNCTION_ARGS)
{
	InvCall call;
	bool refuses;

	inv_call_enter(&call, inv_getarg_store_name(fcinfo), NULL);
	refuses = inv_orders_may_refuse(call.store);
	inv_store_leave(&call);
	PG_RETURN_BOOL(refuses);
}
