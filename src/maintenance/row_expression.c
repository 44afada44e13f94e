/*
 * row_expression.c
 *		Can an expression over the rows of a line and its header say what the line is worth?
 *
 * attach keeps order_units and order_final as functions with an SQL body, so that renames
 * follow.  What they return may depend on these rows alone, because nothing tells the engine
 * when anything else changes: no functions that are not immutable, no other table, and no
 * virtual column.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_proc.h"
#include "fmgr.h"
#include "nodes/parsenodes.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "base/error.h"
#include "base/store_error.h"
#include "store/function_body.h"

/* Raise if one of these columns has its value in no row: the engine keeps rows as they were. */
static void
check_stored(const char *argument, Oid table, const Bitmapset *columns)
{
	int column = -1;

	while ((column = bms_next_member(columns, column)) >= 0)
	{
		HeapTuple tuple =
			SearchSysCache2(ATTNUM, ObjectIdGetDatum(table), Int16GetDatum((int16) column));
		Form_pg_attribute attribute;

		if (!HeapTupleIsValid(tuple))
			continue;
		attribute = (Form_pg_attribute) GETSTRUCT(tuple);
		if (attribute->attgenerated == 'v' && !attribute->attisdropped)
			inv_error_row_expression(ERRCODE_FEATURE_NOT_SUPPORTED, argument,
									 psprintf("It reads the virtual generated column \"%s\".",
											  NameStr(attribute->attname)));
		ReleaseSysCache(tuple);
	}
}

/* The same of the columns of all rows that a function reads. */
static void
check_columns_read(const char *argument, Oid function)
{
	Bitmapset *columns[FUNC_MAX_ARGS] = { NULL };
	Oid *types;
	int count;

	(void) get_func_signature(function, &types, &count);
	inv_columns_of_arguments(function, columns);
	for (int i = 0; i < count; i++)
		check_stored(argument, get_typ_typrelid(types[i]), columns[i]);
}

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
	check_columns_read(argument, PG_GETARG_OID(0));
	PG_RETURN_VOID();
}
