/*
 * row_proof.c
 *		Could the row of an item refuse what its counter allows?
 *
 * The buyers of a hot item do not write its row: it is written when the item is settled or
 * cooled, and must not refuse then what was sold.  The counter allows any stock from the
 * floor, or 0 if that is less (a stock-take goes down to it), or what direct writes left, up
 * to a greatest number.  So nothing that runs when the stock is written may refuse any of these
 * numbers:
 *
 *		CHECKs of the table and of the type of the stock are proved, as the planner proves
 *		that it can use a partial index, with the other columns of the row as constants; one
 *		that limits the stock from above lowers the greatest number
 *		triggers must not be able to refuse, as far as their source text tells
 *		unique indexes and exclusion constraints must not use the stock
 *		the guard must see every write
 *
 * What a proof cannot tell counts as a refusal.  Reads only.  Expects an entered store.
 */
#include "postgres.h"

#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/prep.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/compat.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/enter.h"
#include "store/query.h"
#include "store/query_text.h"
#include "stock/row_check.h"
#include "stock/row_proof.h"

/* The row of a proof: null if no check reads it. */
typedef struct Proof
{
	InvStore *store;
	const InvRowChecks *checks;
	TupleTableSlot *row;
} Proof;

/* A column that is written, as a variable of its base type. */
static Node *
written_column(const InvColumn *column)
{
	return (Node *) makeVar(1, column->attnum, column->base, -1, InvalidOid, 0);
}

/* A column that is not written, as a constant. */
static Node *
column_constant(const Var *column, TupleTableSlot *row)
{
	int16 length;
	bool byval, isnull;
	Datum value = slot_getattr(row, column->varattno, &isnull);

	get_typlenbyval(column->vartype, &length, &byval);
	return (Node *) makeConst(column->vartype, column->vartypmod, column->varcollid, length, value,
							  isnull, byval);
}

/*
 * Put constants in place of what is not written.  Stock and version become variables of
 * their base types, without the casts that a domain needs.
 */
static Node *
substitute_columns(Node *node, void *context)
{
	const Proof *proof = context;
	Node *result;

	if (node == NULL)
		return NULL;
	if (IsA(node, CoerceToDomainValue))
		return written_column(&proof->store->stock);
	if (IsA(node, Var))
	{
		const Var *column = (const Var *) node;

		if (column->varattno == proof->store->stock.attnum)
			return written_column(&proof->store->stock);
		if (column->varattno == proof->store->version.attnum && column->varattno > 0)
			return written_column(&proof->store->version);
		if (column->varattno > 0 &&
			!bms_is_member(inv_column_bit(column->varattno), proof->checks->written))
			return column_constant(column, proof->row);
		return (Node *) copyObject(column); /* nothing is known of it */
	}
	result = expression_tree_mutator(node, substitute_columns, context);
	if (IsA(result, RelabelType))
	{
		Node *inner = (Node *) ((RelabelType *) result)->arg;

		if (IsA(inner, Var) && exprType(inner) == ((RelabelType *) result)->resulttype)
			return inner;
	}
	return result;
}

/* The fact that a column is at least, or at most, a number. */
static Expr *
bound_of(const InvColumn *column, StrategyNumber strategy, int64 bound)
{
	Oid comparison = get_opfamily_member(INTEGER_BTREE_FAM_OID, column->base, INT8OID, strategy);
	Expr *fact = make_opclause(comparison, BOOLOID, false, (Expr *) written_column(column),
							   (Expr *) makeConst(INT8OID, -1, InvalidOid, sizeof(int64),
												  Int64GetDatum(bound), false, FLOAT8PASSBYVAL),
							   InvalidOid, InvalidOid);

	Assert(OidIsValid(comparison));
	fix_opfuncids((Node *) fact);
	return fact;
}

/* Do all conditions hold for every stock from least to most?  A condition that is null holds. */
static bool
conditions_hold(InvStore *store, List *conditions, int64 least, int64 most)
{
	List *facts = list_make2(bound_of(&store->stock, BTGreaterEqualStrategyNumber, least),
							 bound_of(&store->stock, BTLessEqualStrategyNumber, most));
	ListCell *cell;

	/* a version starts again at 0 */
	if (store->version.attnum != InvalidAttrNumber)
		facts = lappend(facts, bound_of(&store->version, BTGreaterEqualStrategyNumber, 0));
	foreach (cell, conditions)
	{
		Node *condition = lfirst(cell);
		const Const *value = (const Const *) condition;

		if (IsA(condition, Const) && (value->constisnull || DatumGetBool(value->constvalue)))
			continue;
		if (IsA(condition, Const) || !predicate_implied_by(list_make1(condition), facts, false))
			return false;
	}
	return true;
}

/* Do the conditions forbid every stock from a number on, rather than some of them? */
static bool
conditions_fail(InvStore *store, List *conditions, int64 from)
{
	Expr *fact = bound_of(&store->stock, BTGreaterEqualStrategyNumber, from);

	return predicate_refuted_by(conditions, list_make1(fact), false);
}

/* Where a check could end the range of stocks: its integer constants, and one less. */
static bool
collect_bounds(Node *node, void *context)
{
	List **bounds = context;

	if (node == NULL)
		return false;
	if (IsA(node, Const) && !((const Const *) node)->constisnull)
	{
		const Const *value = (const Const *) node;
		int64 *bound = palloc(sizeof(int64));

		*bound = value->consttype == INT2OID   ? DatumGetInt16(value->constvalue)
				 : value->consttype == INT4OID ? DatumGetInt32(value->constvalue)
				 : value->consttype == INT8OID ? DatumGetInt64(value->constvalue)
											   : PG_INT64_MIN;
		*bounds = lappend(*bounds, bound);
	}
	return expression_tree_walker(node, collect_bounds, context);
}

/*
 * Lower *most to the greatest stock up to which a check holds, from least on; false if
 * there is none.
 */
static bool
limit_by_check(InvStore *store, const InvRowCheck *check, Proof *proof, int64 least, int64 *most)
{
	Node *condition = substitute_columns(check->condition, proof);
	List *conditions, *bounds = NIL;
	int64 best = PG_INT64_MIN;
	ListCell *cell;

	condition = eval_const_expressions(NULL, condition);
	condition = (Node *) canonicalize_qual((Expr *) condition, true);
	conditions = make_ands_implicit((Expr *) condition);
	if (conditions_hold(store, conditions, least, *most))
		return true;
	(void) collect_bounds(condition, &bounds);
	foreach (cell, bounds)
		for (int less = 0; less <= 1; less++)
		{
			int64 bound = *(int64 *) lfirst(cell);

			if (bound == PG_INT64_MIN || (bound -= less) < least || bound <= best || bound >= *most)
				continue;
			if (conditions_hold(store, conditions, least, bound) &&
				conditions_fail(store, conditions, bound + 1))
				best = bound;
		}
	*most = best;
	return best != PG_INT64_MIN;
}

/* The item's row, as it is now; null if it is gone. */
static TupleTableSlot *
fetch_row(InvStore *store, Datum item)
{
	Relation items = table_open(store->items, NoLock);
	TupleTableSlot *row = table_slot_create(items, NULL);
	bool found = false, isnull;

	if (inv_execute(store, INV_STMT_ROW_ID, &item, NULL, INV_SNAPSHOT_LATEST) > 0)
	{
		ItemPointer id = (ItemPointer) DatumGetPointer(inv_result(0, 1, &isnull));

		found = table_tuple_fetch_row_version(items, id, SnapshotAny, row);
	}
	table_close(items, NoLock);
	if (found)
		return row;
	ExecDropSingleTupleTableSlot(row);
	return NULL;
}

/*
 * Why the row of an item could refuse what its counter allows, as a sentence; null if it
 * could not, and then *max_stock is the greatest stock that it takes.  "row" is the item's
 * row, or null: then it is read, if that is needed, which expects it to be locked.
 * The counter allows any stock from "least", or from 0 if that is less.
 */
const char *
inv_row_refusal(InvStore *store, Datum item, int64 least, TupleTableSlot *row, int64 *max_stock)
{
	const InvRowChecks *checks;
	TupleTableSlot *fetched = NULL;
	const char *refusal;

	least = Min(least, 0);
	/* to simplify a condition can run functions of the shop */
	inv_pin_path(store);
	checks = inv_row_checks(store);
	refusal = checks->refusal;
	*max_stock = inv_max_units(store);
	if (refusal == NULL && checks->read_row && row == NULL)
	{
		row = fetched = fetch_row(store, item);
		if (row == NULL)
			return "It has no row.";
	}
	for (int i = 0; refusal == NULL && i < checks->count; i++)
	{
		Proof proof = { store, checks, row };

		if (!limit_by_check(store, &checks->checks[i], &proof, least, max_stock))
			refusal =
				psprintf("Constraint \"%s\" could refuse a stock of " INT64_FORMAT " or more.",
						 checks->checks[i].name, least);
	}
	if (fetched)
		ExecDropSingleTupleTableSlot(fetched);
	return refusal;
}
