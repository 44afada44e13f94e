/*
 * settings.c
 *		Settings of the session on which the value of an expression can depend.
 *
 * Any role can change them, so a condition of the owner's is evaluated under those
 * that were recorded.  Changing and restoring them costs more than the evaluation,
 * and most sessions have the same: they are compared first, by the variables of the
 * server where a header without other libraries declares them.
 *
 * Knows no store.  Only the settings listed here are ever changed, whatever a record
 * says.
 */
#include "postgres.h"

#include "access/gin.h"
#include "miscadmin.h"
#include "parser/parse_expr.h"
#include "pgtime.h"
#include "tsearch/ts_cache.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/bytea.h"
#include "utils/float.h"
#include "utils/guc.h"
#include "utils/xml.h"

#include "base/settings.h"

typedef enum VariableKind
{
	VARIABLE_NONE, /* looked up by its name each time */
	VARIABLE_TEXT, /* a char * */
	VARIABLE_BYTES /* of a length; equal settings have equal bytes */
} VariableKind;

/*
 * session_settings() of script/40_binding.sql records them by these names.  A setting with
 * two variables has two entries, one after the other.
 */
static const struct
{
	const char *name;
	VariableKind kind;
	const void *variable;
	size_t length;
	const char *fallback; /* for a value that this server does not know; null: an error */
} known[] = {
	/* first: the text of default_text_search_config depends on it */
	{ "quote_all_identifiers", VARIABLE_BYTES, &quote_all_identifiers, sizeof(bool), NULL },
	{ "TimeZone", VARIABLE_BYTES, &session_timezone, sizeof(pg_tz *), NULL },
	{ "timezone_abbreviations", VARIABLE_NONE, NULL, 0, "Default" },
	{ "DateStyle", VARIABLE_BYTES, &DateStyle, sizeof(int), NULL },
	{ "DateStyle", VARIABLE_BYTES, &DateOrder, sizeof(int), NULL },
	{ "IntervalStyle", VARIABLE_BYTES, &IntervalStyle, sizeof(int), NULL },
	{ "lc_monetary", VARIABLE_NONE, NULL, 0, "C" },
	{ "lc_numeric", VARIABLE_NONE, NULL, 0, "C" },
	{ "lc_time", VARIABLE_NONE, NULL, 0, "C" },
	{ "extra_float_digits", VARIABLE_BYTES, &extra_float_digits, sizeof(int), NULL },
	{ "bytea_output", VARIABLE_BYTES, &bytea_output, sizeof(int), NULL },
	{ "default_text_search_config", VARIABLE_TEXT, &TSCurrentConfig, 0, "pg_catalog.simple" },
	{ "array_nulls", VARIABLE_BYTES, &Array_nulls, sizeof(bool), NULL },
	{ "xmlbinary", VARIABLE_BYTES, &xmlbinary, sizeof(int), NULL },
	{ "xmloption", VARIABLE_BYTES, &xmloption, sizeof(int), NULL },
	/* a function's body is read under them, too */
	{ "standard_conforming_strings", VARIABLE_NONE, NULL, 0, "on" },
	{ "transform_null_equals", VARIABLE_BYTES, &Transform_null_equals, sizeof(bool), NULL },
	{ "gin_fuzzy_search_limit", VARIABLE_BYTES, &GinFuzzySearchLimit, sizeof(int), NULL },
};

/* A value for each entry of the list, as the server writes it; null if it was not recorded. */
struct InvSettings
{
	const char *values[lengthof(known)];
	char *bytes[lengthof(known)]; /* the variable, where it is compared by its bytes */
};

/*
 * Change a setting of the session, until the transaction ends (GUC_ACTION_LOCAL) or the
 * level of settings (GUC_ACTION_SAVE).
 */
void
inv_set_setting(const char *name, const char *value, GucAction action)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, action, true, 0, false);
}

static bool
set_setting(const char *name, const char *value, int elevel)
{
	return set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, elevel,
							 false) > 0;
}

/* The recorded value of a setting, in a list of texts "name=value"; or null. */
static char *
recorded_value(List *recorded, const char *name)
{
	size_t length = strlen(name);
	ListCell *cell;

	foreach (cell, recorded)
	{
		char *entry = lfirst(cell);

		if (pg_strncasecmp(entry, name, length) == 0 && entry[length] == '=')
			return pstrdup(entry + length + 1);
	}
	return NULL;
}

/*
 * Read recorded settings, in the current memory context.  Returns the name of one whose
 * value this server does not know, or null.  A locale that another server had is
 * replaced, because what matters is that no caller chooses it.
 */
const char *
inv_settings_read(List *recorded, InvSettings **settings)
{
	InvSettings *read = palloc0(sizeof(InvSettings));
	const char *unknown = NULL;
	int nest = NewGUCNestLevel();

	for (size_t i = 0; i < lengthof(known); i++)
	{
		const char *value = recorded_value(recorded, known[i].name);

		if (value && !set_setting(known[i].name, value, DEBUG5))
		{
			if (known[i].fallback == NULL)
			{
				unknown = known[i].name;
				break;
			}
			(void) set_setting(known[i].name, known[i].fallback, ERROR);
		}
		if (value == NULL)
			continue;
		read->values[i] = pstrdup(GetConfigOption(known[i].name, false, false));
		if (known[i].kind == VARIABLE_BYTES)
		{
			read->bytes[i] = palloc(known[i].length);
			memcpy(read->bytes[i], known[i].variable, known[i].length);
		}
	}
	AtEOXact_GUC(true, nest);
	*settings = read;
	return unknown;
}

/* Were the same values recorded?  Both may be null. */
bool
inv_settings_equal(const InvSettings *a, const InvSettings *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	for (size_t i = 0; i < lengthof(known); i++)
		if (a->values[i] && b->values[i] ? strcmp(a->values[i], b->values[i]) != 0
										 : a->values[i] != b->values[i])
			return false;
	return true;
}

static bool
is_current(const InvSettings *settings, size_t i)
{
	const char *value = settings->values[i];
	const char *current;

	if (value == NULL)
		return true;
	switch (known[i].kind)
	{
		case VARIABLE_BYTES:
			return memcmp(settings->bytes[i], known[i].variable, known[i].length) == 0;
		case VARIABLE_TEXT:
			return strcmp(value, *(char *const *) known[i].variable) == 0;
		default:
			Assert(known[i].kind == VARIABLE_NONE);
			current = GetConfigOption(known[i].name, false, false);
			return current && strcmp(value, current) == 0;
	}
}

/* Does the session have these settings? */
bool
inv_settings_are_current(const InvSettings *settings)
{
	for (size_t i = 0; i < lengthof(known); i++)
		if (!is_current(settings, i))
			return false;
	return true;
}

/*
 * Set these settings.  Returns a level for AtEOXact_GUC, which restores those of the
 * session, as the abort of the transaction does; or 0 if the session has them.
 */
int
inv_settings_enter(const InvSettings *settings)
{
	int nest = 0;

	for (size_t i = 0; i < lengthof(known); i++)
	{
		if (is_current(settings, i))
			continue;
		if (nest == 0)
			nest = NewGUCNestLevel();
		(void) set_setting(known[i].name, settings->values[i], ERROR);
	}
	Assert(inv_settings_are_current(settings));
	return nest;
}
