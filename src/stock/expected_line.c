/*
 * expected_line.c
 *		The order lines that the engine announces before it writes them.
 *
 * The guard on orders tells by them what the engine writes from what others write, and sees
 * where a trigger of the shop has changed a line before it was written.  As in expected.c
 * the announcements are a stack in the memory of this session, and go with an aborted
 * subtransaction.  Rows that are inserted without a statement need none (direct_insert.c).
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "utils/memutils.h"

#include "base/array.h"
#include "store/binding.h"
#include "stock/expected_line.h"

static InvExpectedLine *lines = NULL; /* in TopMemoryContext */
static int line_count = 0;
static int line_room = 0;

/*
 * Begin to announce; the result is for inv_expect_lines_end.  What is written next has a
 * command number that nothing has used yet.
 */
int
inv_expect_lines_begin(void)
{
	CommandCounterIncrement();
	return line_count;
}

/* The next statement writes a line. */
void
inv_expect_line(InvStore *store, Datum item, int64 quantity, const InvUser *user)
{
	InvExpectedLine *new;

	lines = inv_make_room(lines, line_count, &line_room, sizeof(InvExpectedLine), TopMemoryContext);
	new = &lines[line_count++];
	new->items = store->items;
	new->item = item;
	new->quantity = quantity;
	new->user = *user;
	new->seen = false;
	new->command = GetCurrentCommandId(false);
	new->nesting = GetCurrentTransactionNestLevel();
}

/* The statement has ended. */
void
inv_expect_lines_end(int base)
{
	Assert(base >= 0 && base <= line_count);
	line_count = base;
}

static void
expected_lines_at_subxact_end(SubXactEvent event, SubTransactionId self pg_attribute_unused(),
							  SubTransactionId parent pg_attribute_unused(),
							  void *arg pg_attribute_unused())
{
	if (event != SUBXACT_EVENT_ABORT_SUB)
		return;
	while (line_count > 0 && lines[line_count - 1].nesting >= GetCurrentTransactionNestLevel())
		line_count--;
}

static void
expected_lines_at_xact_end(XactEvent event, void *arg pg_attribute_unused())
{
	if (event == XACT_EVENT_ABORT || event == XACT_EVENT_COMMIT)
		line_count = 0;
}

void
inv_expected_line_init(void)
{
	RegisterXactCallback(expected_lines_at_xact_end, NULL);
	RegisterSubXactCallback(expected_lines_at_subxact_end, NULL);
}

/*
 * The announcement of a row that the guard is fired for; null if there is none.  Rows are
 * written in the order of their announcements.  What code of the shop writes while the engine's
 * statement runs, in a trigger or in the default of a column, has another command number.
 */
const InvExpectedLine *
inv_expected_line_match(InvStore *store, HeapTuple row)
{
	CommandId command;

	if (line_count == 0)
		return NULL;
	command = HeapTupleHeaderGetCmin(row->t_data);
	for (int i = 0; i < line_count; i++)
		if (!lines[i].seen && lines[i].command == command && lines[i].items == store->items)
		{
			lines[i].seen = true;
			return &lines[i];
		}
	return NULL;
}
