/*
 * opened_line.c
 *		Order lines that were refunded before the ledger knew them.
 *
 * Such a line is taken for one that is older than the store, and booked for its refund as a sale
 * that an opening supplied.  A trigger of the shop can refund a line in the statement that inserts
 * it, before the ledger is told of it: then the sale is still to come, and what was refunded would
 * be forgotten with what is taken for a former line.  follow_line.c looks for it here.
 *
 * Memory of this session alone, to the end of the transaction; lines of an aborted subtransaction are
 * dropped with it.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "store/binding.h"
#include "store/column.h"
#include "stock/opened_line.h"

typedef struct OpenedLine
{
	uint64 layout; /* of the store */
	Datum order;
	int nesting; /* level of the (sub)transaction */
} OpenedLine;

static List *opened_lines = NIL; /* in TopTransactionContext */

/* A line is booked that the ledger did not know. */
void
inv_opened_line_add(InvStore *store, Datum order)
{
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);
	OpenedLine *line = palloc(sizeof(OpenedLine));
	int16 length;
	bool byval;

	get_typlenbyval(store->order_type, &length, &byval);
	line->layout = store->line_layout;
	line->order = datumCopy(order, byval, length);
	line->nesting = GetCurrentTransactionNestLevel();
	opened_lines = lappend(opened_lines, line);
	MemoryContextSwitchTo(old);
}

/* Was this line booked so in this transaction? */
bool
inv_opened_line_has(InvStore *store, Datum order)
{
	ListCell *cell;

	foreach (cell, opened_lines)
	{
		const OpenedLine *line = lfirst(cell);

		if (line->layout == store->line_layout && inv_order_compare(store, line->order, order) == 0)
			return true;
	}
	return false;
}

static void
opened_line_at_subxact_end(SubXactEvent event, SubTransactionId self pg_attribute_unused(),
						   SubTransactionId parent pg_attribute_unused(),
						   void *arg pg_attribute_unused())
{
	int level = GetCurrentTransactionNestLevel();

	/* levels never fall along the list */
	for (int i = list_length(opened_lines) - 1; i >= 0; i--)
	{
		OpenedLine *line = list_nth(opened_lines, i);

		if (line->nesting < level)
			break;
		if (event == SUBXACT_EVENT_ABORT_SUB)
			opened_lines = list_truncate(opened_lines, i);
		else if (event == SUBXACT_EVENT_COMMIT_SUB)
			line->nesting = level - 1;
	}
}

static void
opened_line_at_xact_end(XactEvent event, void *arg pg_attribute_unused())
{
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
		opened_lines = NIL;
}

void
inv_opened_line_init(void)
{
	RegisterXactCallback(opened_line_at_xact_end, NULL);
	RegisterSubXactCallback(opened_line_at_subxact_end, NULL);
}
