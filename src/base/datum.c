/*
 * datum.c
 *		Values as text, and their base types.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"

#include "base/datum.h"

/* The type under its domains; varchar has the operators of text. */
Oid
inv_base_type(Oid type)
{
	Oid base = getBaseType(type);

	return base == VARCHAROID ? TEXTOID : base;
}

char *
inv_datum_text(Oid type, Datum value)
{
	Oid output;
	bool varlena;

	getTypeOutputInfo(type, &output, &varlena);
	return OidOutputFunctionCall(output, value);
}

Datum
inv_from_text(Oid type, char *string)
{
	Oid input, param;

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
