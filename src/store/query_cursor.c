/*
 * query_cursor.c
 *		Statements with large results, which are read in batches.
 *
 * Such a statement joins whole tables, and is executed rarely.  Its plan is not kept, so
 * that it fits the tables as they are, and has no nested loop: with wrong statistics that
 * could read one table again for each row of the other, and never end.
 *
 * Expects the store to be entered.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/guc.h"

#include "base/error.h"
#include "base/settings.h"
#include "base/store_error.h"
#include "store/binding.h"
#include "store/enter.h"
#include "store/query_cursor.h"
#include "store/query_expand.h"
#include "store/query_letter.h"
#include "store/query_text.h"

#define MAX_CURSOR_PARAMETERS 4

/* Begin to execute a statement, with a snapshot of the caller's transaction. */
Portal
inv_cursor_open(InvStore *store, InvStatement statement, Datum *values)
{
	const InvTemplate *template = inv_statement_template(statement);
	Oid types[MAX_CURSOR_PARAMETERS];
	int count = strlen(template->parameters);
	SPIPlanPtr plan;
	Portal cursor;
	int nest;
	int security;
	MemoryContext caller = CurrentMemoryContext;

	Assert(GetUserId() == store->owner && count <= MAX_CURSOR_PARAMETERS);
	inv_pin_path(store);
	nest = NewGUCNestLevel();
	for (int i = 0; i < count; i++)
		types[i] = inv_letter_type(store, template->parameters[i]);
	inv_set_setting("enable_nestloop", "off", GUC_ACTION_SAVE);
	security = inv_lift_policies(store);
	plan = SPI_prepare(inv_expand_template(store, template->text), count, types);
	if (plan == NULL)
		inv_error_broken_store(
			store->store_name, store->items,
			psprintf("A statement could not be prepared: %s.", SPI_result_code_string(SPI_result)));
	cursor = SPI_cursor_open(NULL, plan, values, NULL, false);
	MemoryContextSwitchTo(caller);
	inv_restore_policies(store, security);
	AtEOXact_GUC(true, nest);
	return cursor;
}

/* Read at most so many rows more, with inv_result; returns how many. */
uint64
inv_cursor_fetch(Portal cursor, int count)
{
	MemoryContext caller = CurrentMemoryContext;

	SPI_cursor_fetch(cursor, true, count);
	MemoryContextSwitchTo(caller);
	return SPI_processed;
}

void
inv_cursor_close(Portal cursor)
{
	SPI_cursor_close(cursor);
}

/* Free the rows of the last statement, which otherwise stay until the store is left. */
void
inv_result_free(void)
{
	SPI_freetuptable(SPI_tuptable);
	SPI_tuptable = NULL;
}
