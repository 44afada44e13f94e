/*
 * fact.c
 *		What a refusal is about, for the fields of the error.
 *
 * With inventory.error_format = json the DETAIL of a refusal is an object with the facts, and
 * otherwise a sentence.  Ids are strings in it, because a bigint is more than a client's
 * numbers may hold.
 */
#include "postgres.h"

#include "utils/json.h"
#include "utils/lsyscache.h"

#include "base/fact.h"
#include "base/guc.h"

/* column is the name in the catalog, or null. */
InvFacts *
inv_facts(Oid table, const char *column)
{
	InvFacts *facts = palloc0(sizeof(InvFacts));

	facts->table = table;
	facts->column = column;
	initStringInfo(&facts->json);
	return facts;
}

/* The value is JSON. */
void
inv_fact_json(InvFacts *facts, const char *name, const char *value)
{
	if (inv_error_format != INV_ERROR_FORMAT_JSON)
		return;
	if (facts->json.len > 0)
		appendStringInfoString(&facts->json, ", ");
	escape_json(&facts->json, name);
	appendStringInfo(&facts->json, ": %s", value);
}

void
inv_fact_text(InvFacts *facts, const char *name, const char *value)
{
	StringInfoData json;

	if (inv_error_format != INV_ERROR_FORMAT_JSON)
		return;
	initStringInfo(&json);
	escape_json(&json, value);
	inv_fact_json(facts, name, json.data);
}

void
inv_fact_number(InvFacts *facts, const char *name, int64 value)
{
	if (inv_error_format == INV_ERROR_FORMAT_JSON)
		inv_fact_json(facts, name, psprintf(INT64_FORMAT, value));
}

/* The facts about what is no store: a word for what it is, and its name, or null if it has none. */
InvFacts *
inv_store_facts(const char *kind, const char *name)
{
	InvFacts *facts = inv_facts(InvalidOid, NULL);

	facts->name = psprintf("%s \"%s\"", kind, name ? name : "?");
	inv_fact_text(facts, "store", name ? name : "?");
	return facts;
}

/* Set a field of the error, unless the value is null. */
static void
set_field(int field, const char *value)
{
	if (value)
		err_generic_string(field, value);
}

/*
 * Set the DETAIL and the fields of the error that is being reported.  "rule" is the name of
 * what was broken, as the name of a constraint.
 */
void
inv_report_facts(const InvFacts *facts, const char *rule, const char *sentence)
{
	if (inv_error_format == INV_ERROR_FORMAT_JSON)
		errdetail_internal("{%s}", facts->json.data);
	else
		errdetail_internal("%s", sentence);
	set_field(PG_DIAG_CONSTRAINT_NAME, rule);
	if (!OidIsValid(facts->table) || get_rel_name(facts->table) == NULL)
		return;
	set_field(PG_DIAG_SCHEMA_NAME, get_namespace_name(get_rel_namespace(facts->table)));
	set_field(PG_DIAG_TABLE_NAME, get_rel_name(facts->table));
	set_field(PG_DIAG_COLUMN_NAME, facts->column);
}
