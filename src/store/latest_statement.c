/*
 * latest_statement.c
 *		Executes a statement of the SQL scripts with the latest snapshot.
 *
 * attach locks the tables of a store, and then reads what they have.  From REPEATABLE READ on
 * its snapshot can be older than the locks: it would miss what was committed while it waited.
 * Policies that are forced on the owner would hide rows from it, too.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"

#include "base/error.h"
#include "base/settings.h"

PG_FUNCTION_INFO_V1(inventory_execute_latest);

/* Set settings in a list of texts "name=value"; returns a level for AtEOXact_GUC, or 0. */
static int
enter_given_settings(ArrayType *given)
{
	InvSettings *settings;
	List *texts = NIL;
	const char *unknown;
	Datum *elements;
	int count;

	deconstruct_array(given, TEXTOID, -1, false, TYPALIGN_INT, &elements, NULL, &count);
	for (int i = 0; i < count; i++)
		texts = lappend(texts, TextDatumGetCString(elements[i]));
	unknown = inv_settings_read(texts, &settings);
	if (unknown)
		inv_error_value(psprintf("This server does not know the value of \"%s\".", unknown), NULL);
	return inv_settings_enter(settings);
}

/*
 * execute_latest(statement, settings): executes it with the rights and the search_path of the caller,
 * who sees all rows of his own tables, under the settings of a store if they are not null; returns the
 * number of rows.
 */
Datum
inventory_execute_latest(PG_FUNCTION_ARGS)
{
	SPIPlanPtr plan;
	uint64 rows;
	Oid user;
	int security, result, nest = 0;

	if (PG_ARGISNULL(0))
		inv_error_null("statement");
	if (!PG_ARGISNULL(1))
		nest = enter_given_settings(PG_GETARG_ARRAYTYPE_P(1));
	GetUserIdAndSecContext(&user, &security);
	SetUserIdAndSecContext(user, security | SECURITY_NOFORCE_RLS);
	SPI_connect();
	plan = SPI_prepare(text_to_cstring(PG_GETARG_TEXT_PP(0)), 0, NULL);
	if (plan == NULL)
		inv_error_value(psprintf("The statement could not be prepared: %s.",
								 SPI_result_code_string(SPI_result)),
						NULL);
	result = SPI_execute_snapshot(plan, NULL, NULL, GetLatestSnapshot(), InvalidSnapshot, false,
								  true, 0);
	if (result < 0)
		inv_error_value(
			psprintf("The statement could not be executed: %s.", SPI_result_code_string(result)),
			NULL);
	/* SPI_finish() puts back the number of the caller's last statement */
	rows = SPI_processed;
	SPI_finish();
	SetUserIdAndSecContext(user, security);
	if (nest)
		AtEOXact_GUC(true, nest);
	PG_RETURN_INT64(rows);
}
