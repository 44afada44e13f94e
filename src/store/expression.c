/*
 * expression.c
 *		Expressions of a table that are compiled once and kept.
 *
 * A plan without a statement keeps compiled defaults, predicates and CHECKs as long as
 * the store is valid.  A change of a table makes the store invalid, but a change of a
 * function or of a domain does not; so only expressions without these are kept.
 */
#include "postgres.h"

#include "access/transam.h"
#include "executor/executor.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"

#include "store/expression.h"

static bool
is_user_function(Oid function, void *context pg_attribute_unused())
{
	return function >= FirstNormalObjectId;
}

/* Does an expression call what can change while a plan is kept? */
static bool
calls_user_function(Node *node, void *context)
{
	if (node == NULL)
		return false;
	/* the checks of a domain can change too */
	if (IsA(node, CoerceToDomain))
		return true;
	return check_functions_in_node(node, is_user_function, context) ||
		   expression_tree_walker(node, calls_user_function, context);
}

/* May the compiled form of an expression be kept as long as its table does not change? */
bool
inv_may_keep_expression(Node *expression)
{
	return !calls_user_function(expression, NULL);
}

/* Compile an expression, in the current memory context; the columns are those of the scan's row. */
ExprState *
inv_keep_expression(Node *expression)
{
	Assert(inv_may_keep_expression(expression));
	return ExecInitExpr(expression_planner((Expr *) expression), NULL);
}
