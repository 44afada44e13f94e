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
#include "executor/executor.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"

#include "store/expression.h"

static bool
is_shop_function(Oid function, void *context pg_attribute_unused())
{
	return function >= FirstNormalObjectId;
}

static bool
find_shop_code(Node *node, void *context)
{
	if (node == NULL)
		return false;
	/* the checks of a domain can call anything, and change */
	if (IsA(node, CoerceToDomain))
		return true;
	return check_functions_in_node(node, is_shop_function, context) ||
		   expression_tree_walker(node, find_shop_code, context);
}

/* Does an expression call code of the shop?  That can change without a change of the table. */
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
