/*
 * row_check.c
 *		What could refuse a write of the stock: the definition of the items table.
 *
 * Looks for what would refuse a settling of any item, and collects the CHECKs that could
 * refuse one of a single item, for row_proof.c.
 *
 * Reads only.  Expects an entered store.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "nodes/execnodes.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/typcache.h"

#include "store/binding.h"
#include "store/column.h"
#include "store/expression.h"
#include "store/query.h"
#include "store/query_text.h"
#include "stock/guard_check.h"
#include "stock/row_check.h"

/* The columns that an expression over a row reads. */
static Bitmapset *
columns_of(Node *expression)
{
	Bitmapset *columns = NULL;

	pull_varattnos(expression, 1, &columns);
	return columns;
}

/* Are there columns that a settling writes, or the whole row? */
static bool
has_written(const InvRowChecks *checks, const Bitmapset *columns)
{
	return bms_overlap(columns, checks->written) ||
		   bms_is_member(inv_column_bit(InvalidAttrNumber), columns);
}

/* Does an expression read what a settling writes, or the whole row? */
static bool
reads_written(const InvRowChecks *checks, Node *expression)
{
	return has_written(checks, columns_of(expression));
}

/* ---- the table ---- */

/* Add the generated columns that depend on what is written; they depend on no others. */
static void
add_generated_columns(InvRowChecks *checks, TupleDesc columns)
{
	Bitmapset *generated = NULL;

	for (int i = 0; columns->constr && i < columns->constr->num_defval; i++)
	{
		const AttrDefault *value = &columns->constr->defval[i];

		if (TupleDescAttr(columns, value->adnum - 1)->attgenerated &&
			reads_written(checks, stringToNode(value->adbin)))
			generated = bms_add_member(generated, inv_column_bit(value->adnum));
	}
	checks->written = bms_add_members(checks->written, generated);
}

static void
add_check(InvRowChecks *checks, const char *name, Node *condition)
{
	InvRowCheck *check = &checks->checks[checks->count++];

	check->name = pstrdup(name);
	check->condition = condition;
	check->reads_row = !bms_is_subset(columns_of(condition), checks->written);
	checks->read_row = checks->read_row || check->reads_row;
}

/* Find the CHECKs of the table and of the type of the stock that a settling could violate. */
static void
find_checks(InvStore *store, InvRowChecks *checks, Relation items, TupleDesc columns)
{
	int table_checks = columns->constr ? columns->constr->num_check : 0;
	/* it registers itself with its memory */
	DomainConstraintRef *domain = palloc0(sizeof(DomainConstraintRef));
	ListCell *cell;

	if (store->stock.type != store->stock.base)
		InitDomainConstraintRef(store->stock.type, domain, CurrentMemoryContext, false);
	checks->checks =
		palloc(sizeof(InvRowCheck) * (table_checks + list_length(domain->constraints)));
	for (int i = 0; i < table_checks; i++)
	{
		Node *condition = inv_check_condition(&columns->constr->check[i], items);

		if (reads_written(checks, condition))
			add_check(checks, columns->constr->check[i].ccname, condition);
	}
	foreach (cell, domain->constraints)
	{
		const DomainConstraintState *constraint = lfirst(cell);

		if (constraint->constrainttype == DOM_CONSTRAINT_CHECK)
			add_check(checks, constraint->name, (Node *) copyObject(constraint->check_expr));
	}
}

/* Could writing the stock violate an index?  Only if it is unique or excludes rows. */
static bool
index_may_refuse(const InvRowChecks *checks, Relation index)
{
	const FormData_pg_index *form = index->rd_index;

	if (!form->indisunique && !form->indisexclusion)
		return false;
	for (int i = 0; i < form->indnkeyatts; i++)
		if (bms_is_member(inv_column_bit(form->indkey.values[i]), checks->written))
			return true;
	return reads_written(checks, (Node *) RelationGetIndexExpressions(index)) ||
		   reads_written(checks, (Node *) RelationGetIndexPredicate(index));
}

/* The name of such an index, or null. */
static char *
find_refusing_index(const InvRowChecks *checks, Relation items)
{
	char *found = NULL;
	ListCell *cell;

	foreach (cell, RelationGetIndexList(items))
	{
		Relation index = index_open(lfirst_oid(cell), AccessShareLock);

		if (found == NULL && index_may_refuse(checks, index))
			found = pstrdup(RelationGetRelationName(index));
		index_close(index, NoLock);
	}
	return found;
}

/* A trigger that could refuse a settling, and why, or null. */
static char *
find_refusing_trigger(InvStore *store, const InvRowChecks *checks)
{
	Datum *columns = palloc(sizeof(Datum) * (bms_num_members(checks->written) + 1));
	Datum array, reason;
	int count = 0;
	bool none;

	for (int bit = bms_next_member(checks->written, -1); bit >= 0;
		 bit = bms_next_member(checks->written, bit))
		columns[count++] = Int64GetDatum(bit + FirstLowInvalidHeapAttributeNumber);
	array = inv_make_array(INT8OID, columns, NULL, count);
	inv_execute(store, INV_STMT_REFUSING_TRIGGER, &array, NULL, INV_SNAPSHOT_LATEST);
	reason = inv_result(0, 1, &none);
	return none ? NULL : TextDatumGetCString(reason);
}

/* Why no item of the table can be hot, or null. */
static const char *
find_table_refusal(InvStore *store, const InvRowChecks *checks, Relation items)
{
	const char *found = inv_guard_problem(store);

	if (found)
		return psprintf("The guard trigger does not see every write (%s).", found);
	if (items->rd_rules != NULL)
		return "The table has rules.";
	if ((found = find_refusing_index(checks, items)) != NULL)
		return psprintf("Index \"%s\" could refuse it.", found);
	if ((found = find_refusing_trigger(store, checks)) != NULL)
		return psprintf("Trigger %s.", found);
	/* a purchase does not write the row, so the condition would not see what is sold */
	if (store->sellable && has_written(checks, store->sellable->columns))
		return "The condition \"sellable\" reads a column that is written with the stock.";
	return NULL;
}

static InvRowChecks *
make_row_checks(InvStore *store)
{
	InvRowChecks *checks = palloc0(sizeof(InvRowChecks));
	Relation items = table_open(store->items, NoLock);
	/* a copy, because a look-up can replace the relcache's */
	TupleDesc columns = CreateTupleDescCopyConstr(RelationGetDescr(items));

	checks->written = bms_make_singleton(inv_column_bit(store->stock.attnum));
	if (store->version.attnum != InvalidAttrNumber)
		checks->written = bms_add_member(checks->written, inv_column_bit(store->version.attnum));
	add_generated_columns(checks, columns);
	find_checks(store, checks, items, columns);
	checks->refusal = find_table_refusal(store, checks, items);
	table_close(items, NoLock);
	return checks;
}

/* What is known of the table; not kept if it may have changed since the store was entered. */
const InvRowChecks *
inv_row_checks(InvStore *store)
{
	if (!store->valid)
		return make_row_checks(store);
	if (store->row_checks == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(store->context);

		store->row_checks = make_row_checks(store);
		MemoryContextSwitchTo(old);
	}
	return store->row_checks;
}
