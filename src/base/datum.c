/*
 * datum.c
 *		Values of any type as text, and the base types of types.
 *
 * Nothing here knows of a store.  Results are in the current memory context.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"

#include "base/datum.h"

/* The type under its domains; text for varchar, which has no operators of its own. */
Oid
inv_base_type(Oid type)
{
	Oid base = getBaseType(type);

	return base == VARCHAROID ? TEXTOID : base;
}

/* A value as text, by the output function of its type. */
char *
inv_datum_text(Oid type, Datum value)
{
	Oid output;
	bool varlena;

	Assert(OidIsValid(type));
	getTypeOutputInfo(type, &output, &varlena);
	return OidOutputFunctionCall(output, value);
}

/* A value from text, by the input function of its type; raises what that raises. */
Datum
inv_from_text(Oid type, char *string)
{
	Oid input, param;

	Assert(OidIsValid(type) && string);
	getTypeInputInfo(type, &input, &param);
	return OidInputFunctionCall(input, string, param, -1);
}

/* A JSON string or number as text; null for anything else. */
char *
inv_json_text(const JsonbValue *value)
{
	if (value->type == jbvString)
		return pnstrdup(value->val.string.val, value->val.string.len);
	if (value->type == jbvNumeric)
		return DatumGetCString(
			DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric)));
	return NULL;
}
