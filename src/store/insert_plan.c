/*
 * insert_plan.c
 *		What is known of a table into which rows are inserted without a statement.
 *
 * A plan is kept in the memory of its store, as long as that is valid: which columns rows
 * give, compiled defaults and CHECKs, the indexes, and whether code of the shop can run.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "rewrite/rewriteHandler.h"
#include "storage/lmgr.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "base/compat.h"
#include "base/datum.h"
#include "store/binding.h"
#include "store/enter.h"
#include "store/expression.h"
#include "store/insert_plan.h"
#include "store/ledger_schema.h"
#include "store/query_letter.h"
#include "store/shop_code.h"
#include "store/table_check.h"
#include "store/trigger_check.h"

/*
 * Add a column that rows give in this type.  False if its values need more than a
 * check of their range.
 */
static bool
add_given_column(InvDirectInsertPlan *plan, TupleDesc desc, const char *name, AttrNumber attnum,
				 Oid type)
{
	InvGivenColumn *given = &plan->given[plan->given_count++];
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
		   add_given_column(plan, desc, "user_id", store->order_user.attnum, store->user_type) &&
		   add_given_column(plan, desc, "header_id", store->order_header.attnum,
							store->header_type);
}

static bool
add_header_columns(InvDirectInsertPlan *plan, InvStore *store, TupleDesc desc)
{
	plan->key = store->header_id.attnum;
	Assert(plan->key > 0 && plan->key <= desc->natts);
	/* in the order of InvHeaderColumn */
	return inv_base_type(TupleDescAttr(desc, plan->key - 1)->atttypid) == store->header_type &&
		   add_given_column(plan, desc, "user_id", store->header_user.attnum, store->user_type);
}

/* The tables of the ledger among the targets, with the columns that rows give and their types. */
static const struct
{
	InvLedgerTable table;
	const char *names[INV_ROW_COLUMNS];
	const char *types;
} ledger_targets[INV_TARGET_COUNT] = {
	[INV_TARGET_MOVEMENTS] = { INV_LEDGER_MOVEMENTS,
							   { INV_MOVEMENT_COLUMNS(INV_COLUMN_NAME) },
							   INV_MOVEMENT_TYPES },
	[INV_TARGET_HOLDS] = { INV_LEDGER_RESERVATIONS,
						   { INV_HOLD_COLUMNS(INV_COLUMN_NAME) },
						   INV_HOLD_COLUMNS(INV_COLUMN_TYPE) },
	[INV_TARGET_REQUESTS] = { INV_LEDGER_REQUESTS,
							  { INV_REQUEST_COLUMNS(INV_COLUMN_NAME) },
							  INV_REQUEST_COLUMNS(INV_COLUMN_TYPE) },
};

static bool
add_ledger_columns(InvDirectInsertPlan *plan, InvStore *store, InvTarget target, Oid table,
				   TupleDesc desc)
{
	const char *types = ledger_targets[target].types;

	for (int i = 0; types[i]; i++)
	{
		const char *name = ledger_targets[target].names[i];
		AttrNumber attnum = get_attnum(table, name);
		Oid type = inv_letter_type(store, pg_ascii_tolower(types[i]));

		if (attnum == InvalidAttrNumber || !add_given_column(plan, desc, name, attnum, type))
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

	plan->defaults = palloc(sizeof(InvDefaultColumn) * desc->natts);
	for (AttrNumber attnum = 1; attnum <= desc->natts; attnum++)
	{
		Form_pg_attribute column = TupleDescAttr(desc, attnum - 1);
		InvDefaultColumn *new = &plan->defaults[plan->default_count];
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

/* Does a row that was put together reach the table as it is? */
static bool
row_is_final(Relation table)
{
	return !(table->trigdesc && table->trigdesc->trig_insert_before_row) &&
		   !(table->rd_att->constr && table->rd_att->constr->has_generated_stored);
}

/* Keep the CHECKs of the table, unless one of them cannot be kept. */
static void
add_row_checks(InvDirectInsertPlan *plan, Relation table)
{
	/* a copy, because a look-up can replace the relcache's */
	TupleDesc desc = CreateTupleDescCopyConstr(RelationGetDescr(table));
	int count = desc->constr ? desc->constr->num_check : 0;
	ExprState **checks = palloc(sizeof(ExprState *) * Max(count, 1));

	for (int i = 0; i < count; i++)
	{
		Node *condition = inv_check_condition(&desc->constr->check[i], table);

		if (!inv_may_keep_expression(condition))
			return;
		checks[i] =
			inv_check_is_enforced(&desc->constr->check[i]) ? inv_keep_expression(condition) : NULL;
	}
	plan->checks = checks;
}

/*
 * The foreign key from orders to the key of items, if an order of an item whose row the call has
 * written directly need not be checked: nothing of the shop's runs in between that could delete
 * that row.  Else, or if there is none or it has another type, InvalidOid.  Expects that inserting
 * an order runs no code of the shop.
 */
static Oid
find_item_key(InvStore *store, Relation orders)
{
	/* a copy, because a look-up can replace the relcache's */
	List *keys = copyObject(RelationGetFKeyList(orders));
	ListCell *cell;

	/* the checks of a domain can call anything */
	if (store->stock.type != store->stock.base || store->version.type != store->version.base)
		return InvalidOid;
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

	if (target == INV_TARGET_ORDERS)
		plan->usable = add_order_columns(plan, store, desc);
	else if (target == INV_TARGET_HEADER)
		plan->usable = add_header_columns(plan, store, desc);
	else
		plan->usable = add_ledger_columns(plan, store, target, RelationGetRelid(table), desc);
	plan->usable =
		plan->usable && inv_owner_may_name(store, table) && add_default_columns(plan, table);
	if (plan->usable)
	{
		inv_list_target_indexes(&plan->indexes, table, row_is_final(table));
		add_row_checks(plan, table);
		plan->runs_shop_code = plan->runs_shop_code || inv_write_runs_shop_code(table) ||
							   inv_key_checks_run_shop_code(store, table, &plan->referenced);
		/* else a trigger, or a function, can look for the rows before its own */
		plan->at_once = !plan->runs_shop_code && row_is_final(table);
		if (target == INV_TARGET_ORDERS)
			plan->orders_guard = inv_orders_guard_function();
		if (target == INV_TARGET_ORDERS && !plan->runs_shop_code)
			plan->item_key = find_item_key(store, table);
	}
	return plan;
}

/*
 * Lock the tables that foreign keys refer to as their checks do it, which shows what has changed
 * there: the store is then not valid any more.
 */
static void
lock_referenced(const InvDirectInsertPlan *plan)
{
	ListCell *cell;

	foreach (cell, plan->referenced)
		LockRelationOid(lfirst_oid(cell), RowShareLock);
}

/* The plan for an open table.  It is kept unless the table changed since the store was entered. */
InvDirectInsertPlan *
inv_insert_plan(InvStore *store, InvTarget target, Relation table)
{
	MemoryContext old;

	if (store->valid && store->direct_inserts[target])
	{
		lock_referenced(store->direct_inserts[target]);
		if (store->valid)
			return store->direct_inserts[target];
	}
	/* to simplify an expression can run functions of the shop */
	inv_pin_path(store);
	if (!store->valid)
		return make_insert_plan(store, target, table);
	old = MemoryContextSwitchTo(store->context);
	store->direct_inserts[target] = make_insert_plan(store, target, table);
	MemoryContextSwitchTo(old);
	return store->direct_inserts[target];
}

/* Open the table of a target, which is locked already, or is a table of the ledger. */
Relation
inv_open_target(InvStore *store, InvTarget target)
{
	if (target == INV_TARGET_ORDERS)
		return table_open(store->orders, NoLock);
	if (target == INV_TARGET_HEADER)
		return table_open(store->header, NoLock);
	return inv_ledger_table_open(store, ledger_targets[target].table);
}
