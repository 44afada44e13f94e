/*
 * expression.c
 *		Expressions of a table: whether they call code of the shop, and their compiled form.
 *
 * A plan without a statement keeps compiled defaults, predicates and CHECKs as long as
 * the store is valid.  A change of a table makes the store invalid, but a change of a
 * function or of a domain does not; so only expressions without code of the shop are kept.
 * Nor is one kept that converts values to text or from text: with constants that is done
 * when it is compiled, under the settings of that call.
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

#include "base/compat.h"
#include "store/expression.h"

/* The condition of a CHECK of a table, with the expressions of virtual columns in their place. */
Node *
inv_check_condition(const ConstrCheck *check, Relation table)
{
	return inv_expand_virtual_columns(stringToNode(check->ccbin), table);
}

/* Is it something that was not there when the database was created? */
bool
inv_is_of_shop(Oid oid)
{
	return oid >= FirstNormalObjectId;
}

/* Is it a function of the server that is not immutable, but looks no name up, and runs no text? */
static bool
is_harmless(Oid function)
{
	switch (function)
	{
		case F_NEXTVAL:
		case F_NOW:
		case F_CLOCK_TIMESTAMP:
		case F_STATEMENT_TIMESTAMP:
		case F_GEN_RANDOM_UUID:
		case F_DATE_TRUNC_TEXT_TIMESTAMPTZ:
		case F_TIMESTAMP_TIMESTAMPTZ:
		case F_TIMESTAMPTZ_TIMESTAMP:
		case F_DATE_TIMESTAMPTZ:
			return true;
		default:
			return false;
	}
}

static bool
may_run_shop_code(Oid function, void *context pg_attribute_unused())
{
	return inv_is_of_shop(function) ||
		   (func_volatile(function) != PROVOLATILE_IMMUTABLE && !is_harmless(function));
}

/*
 * Do values of a type bring code of the shop with them?  Those of an enum do not; others can
 * be compared, converted or checked by functions that no expression names.
 */
bool
inv_type_has_shop_code(Oid type)
{
	Oid element = get_element_type(type);

	if (!inv_is_of_shop(type))
		return false;
	return get_typtype(OidIsValid(element) ? element : type) != TYPTYPE_ENUM;
}

static bool
find_shop_code(Node *node, void *context)
{
	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
		case T_List:
		case T_CaseWhen:
			break;
		case T_SQLValueFunction:
			return castNode(SQLValueFunction, node)->op == SVFOP_CURRENT_SCHEMA;
		case T_Var:
		case T_Const:
		case T_Param:
		case T_FuncExpr:
		case T_OpExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
		case T_ScalarArrayOpExpr:
		case T_BoolExpr:
		case T_RelabelType:
		case T_CoerceViaIO:
		case T_ArrayCoerceExpr:
		case T_CaseExpr:
		case T_CaseTestExpr:
		case T_ArrayExpr:
		case T_SubscriptingRef:
		case T_CoalesceExpr:
		case T_MinMaxExpr:
		case T_NullTest:
		case T_BooleanTest:
		case T_CollateExpr:
		case T_NextValueExpr:
		case T_XmlExpr:
			if (inv_type_has_shop_code(exprType(node)))
				return true;
			break;
		default:

			/*
			 * Any other node can bring code along that no function of the tree names: the
			 * checks of a domain, the comparison of rows, the result type of JSON_VALUE.
			 */
			return true;
	}
	return check_functions_in_node(node, may_run_shop_code, context) ||
		   expression_tree_walker(node, find_shop_code, context);
}

/*
 * Can an expression run code of the shop, or look up names?  The first can change without a
 * change of the table, and both depend on search_path.  Where that is not certain the answer
 * is yes.
 */
bool
inv_calls_shop_code(Node *expression)
{
	return find_shop_code(expression, NULL);
}

static bool
find_conversion(Node *node, void *context)
{
	if (node == NULL)
		return false;
	return IsA(node, CoerceViaIO) || IsA(node, XmlExpr) ||
		   expression_tree_walker(node, find_conversion, context);
}

/* May the compiled form of an expression be kept as long as its table does not change? */
bool
inv_may_keep_expression(Node *expression)
{
	return !inv_calls_shop_code(expression) && !find_conversion(expression, NULL);
}

/* Compile an expression, in the current memory context; the columns are those of the scan's row. */
ExprState *
inv_keep_expression(Node *expression)
{
	Assert(inv_may_keep_expression(expression));
	return ExecInitExpr(expression_planner((Expr *) expression), NULL);
}
