/*
 * table_name.c
 *		The type of the columns of inventory.store that name tables.
 *
 * It is regclass in all but its input, which raises no error for a table that does not
 * exist.  The rows of all stores of a dump are restored by one COPY: a table that could
 * not be restored must not keep the rows of other stores out (catalog_write.c).
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "nodes/makefuncs.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/varlena.h"

PG_FUNCTION_INFO_V1(inventory_table_name_in);
PG_FUNCTION_INFO_V1(inventory_table_name_out);

/* The OID of a table; 0 if it does not exist.  A number is a name, and not an OID. */
Datum
inventory_table_name_in(PG_FUNCTION_ARGS)
{
	List *names = textToQualifiedNameList(cstring_to_text(PG_GETARG_CSTRING(0)));

	PG_RETURN_OID(RangeVarGetRelid(makeRangeVarFromNameList(names), NoLock, true));
}

Datum
inventory_table_name_out(PG_FUNCTION_ARGS)
{
	return DirectFunctionCall1(regclassout, PG_GETARG_DATUM(0));
}
