/*
 * row_expression.c
 *		Can an expression over the rows of a line and its header say what the line is worth?
 *
 * attach keeps order_units and order_final as functions with an SQL body, so that renames
 * follow.  What they return may depend on these rows alone, because nothing tells the engine
 * when anything else changes: no functions that are not immutable, and no other table.
 */
#include "postgres.h"

#include "fmgr.h"
#include "nodes/parsenodes.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"

#include "base/error.h"
#include "base/store_error.h"
#include "store/function_body.h"

PG_FUNCTION_INFO_V1(inventory_check_row_expression);

/* check_row_expression(function, argument): raise unless its body is such an expression. */
Datum
inventory_check_row_expression(PG_FUNCTION_ARGS)
{
	const char *argument;
	Query *body;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		inv_error_null("function");
	argument = text_to_cstring(PG_GETARG_TEXT_PP(1));
	body = inv_function_body(PG_GETARG_OID(0));
	if (body->hasSubLinks || body->hasAggs || body->hasWindowFuncs || body->hasTargetSRFs)
		inv_error_row_expression(ERRCODE_FEATURE_NOT_SUPPORTED, argument,
								 "It has a sub-select, an aggregate or a set.");
	if (contain_mutable_functions((Node *) body->targetList))
		inv_error_row_expression(ERRCODE_INVALID_OBJECT_DEFINITION, argument,
								 "It calls a function that is not immutable, or converts a type by "
								 "the settings of the session.");
	PG_RETURN_VOID();
}
