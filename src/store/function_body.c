/*
 * function_body.c
 *		The expression of a function that is one RETURN, and the columns that it reads.
 */
#include "postgres.h"

#include "catalog/pg_proc.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "utils/builtins.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "base/compat.h"
#include "base/error.h"
#include "base/store_error.h"
#include "store/function_body.h"

/* The body of a function that is one RETURN. */
Query *
inv_function_body(Oid function)
{
	HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Datum body;
	bool isnull;
	Node *node;

	if (!HeapTupleIsValid(tuple))
		inv_error_no_function(function);
	body = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosqlbody, &isnull);
	node = isnull ? NULL : stringToNode(TextDatumGetCString(body));
	ReleaseSysCache(tuple);
	if (node == NULL || !IsA(node, Query))
		inv_error_value("the function has no expression", NULL);
	return (Query *) node;
}

/* Is it an argument of the function?  What a sub-select returns is a Param, too. */
static bool
is_argument(const Node *node)
{
	return IsA(node, Param) && ((const Param *) node)->paramkind == PARAM_EXTERN;
}

/* The whole row is read.  Partitions do not have the columns that were dropped before. */
static void
add_all_columns(const Param *param, Bitmapset **columns)
{
	TupleDesc desc = lookup_rowtype_tupdesc_noerror(param->paramtype, -1, true);

	if (desc == NULL)
		return;
	for (int i = 0; i < desc->natts; i++)
		if (!TupleDescAttr(desc, i)->attisdropped)
			*columns = bms_add_member(*columns, i + 1);
	ReleaseTupleDesc(desc);
}

static bool
find_columns_read(Node *node, void *context)
{
	Bitmapset **read = context;

	if (node == NULL)
		return false;
	if (IsA(node, FieldSelect) && is_argument((Node *) ((FieldSelect *) node)->arg))
	{
		FieldSelect *field = (FieldSelect *) node;
		Bitmapset **columns = &read[((Param *) field->arg)->paramid - 1];

		*columns = bms_add_member(*columns, field->fieldnum);
		return false;
	}
	if (is_argument(node))
		add_all_columns((Param *) node, &read[((Param *) node)->paramid - 1]);
	return expression_tree_walker(node, find_columns_read, context);
}

/*
 * Add to each set the columns that the expression of a function reads of the argument of this
 * number, which is a row.
 */
void
inv_columns_of_arguments(Oid function, Bitmapset **columns)
{
	(void) find_columns_read((Node *) inv_function_body(function)->targetList, columns);
}

/*
 * A function of a schema with arguments of these types; InvalidOid if there is none.  Roles that
 * may write orders need not have the rights on the ledger that a look-up by name asks for.
 */
Oid
inv_find_function(Oid schema, const char *name, const Oid *types, int count)
{
	oidvector *arguments = buildoidvector(types, count);

	return GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum(name),
						   PointerGetDatum(arguments), ObjectIdGetDatum(schema));
}
