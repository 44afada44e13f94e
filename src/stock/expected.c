/*
 * expected.c
 *		The changes of stock that the engine announces before it writes them.
 *
 * The guard trigger subtracts what is announced here from the change of a row's
 * stock; what is left was changed by other code.  An announcement that the guard
 * has not seen by the end of the statement means that the guard did not fire:
 * then the ledger would be wrong (invariant 7).
 *
 * Announcements are memory of this session alone.  They form a stack, because a
 * trigger of the shop can call the engine in the middle of its statement; those of
 * an aborted subtransaction are dropped with it.
 */
#include "postgres.h"

#include "access/xact.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "base/error.h"
#include "base/store_error.h"
#include "store/binding.h"
#include "store/column.h"
#include "stock/expected.h"
#include "stock/quantity.h"

static InvExpected *expected = NULL; /* in TopMemoryContext */
static int expected_count = 0;
static int expected_size = 0;
static int expected_next = 0; /* behind the last match: where the next is looked for first */

/*
 * How many triggers are running.  This tells the engine's own change of a row from
 * what the shop's triggers do to the same row, one level deeper.
 */
int
inv_trigger_depth(void)
{
	return DatumGetInt32(DirectFunctionCall1(pg_trigger_depth, (Datum) 0));
}

/* Begin to announce; the result is for inv_expect_end. */
int
inv_expect_begin(void)
{
	return expected_count;
}

static InvExpected *
add_expected(InvStore *store, Datum item, int64 delta)
{
	InvExpected *new;

	if (expected_count == expected_size)
	{
		int size = Max(16, expected_size * 2);

		expected = expected ? repalloc(expected, size * sizeof(InvExpected))
							: MemoryContextAlloc(TopMemoryContext, size * sizeof(InvExpected));
		expected_size = size;
	}
	new = &expected[expected_count++];
	new->items = store->items;
	new->item = item;
	new->delta = delta;
	new->settling = false;
	new->seen = false;
	new->depth = inv_trigger_depth() + 1;
	new->nesting = GetCurrentTransactionNestLevel();
	return new;
}

/* The next statement changes the stock of an item by delta. */
void
inv_expect(InvStore *store, Datum item, int64 delta)
{
	(void) add_expected(store, item, delta);
}

/* The same, of units that the counter of the item has already. */
void
inv_expect_settling(InvStore *store, Datum item, int64 delta)
{
	add_expected(store, item, delta)->settling = true;
}

/*
 * The statement has ended.  If it wrote the rows, each of them must have fired the
 * guard (else 55000), and levels, if not null, is filled in the order of the
 * announcements.
 */
void
inv_expect_end(InvStore *store, int base, bool written, InvRowLevel *levels)
{
	Assert(base >= 0 && base <= expected_count);
	for (int i = base; written && i < expected_count; i++)
	{
		if (!expected[i].seen)
			inv_error_broken_store(store->store_name, store->items,
								   "The guard trigger on its items is missing or disabled.");
		if (levels)
			levels[i - base] = expected[i].level;
	}
	expected_count = base;
}

static void
expected_at_subxact_end(SubXactEvent event, SubTransactionId self pg_attribute_unused(),
						SubTransactionId parent pg_attribute_unused(),
						void *arg pg_attribute_unused())
{
	int level = GetCurrentTransactionNestLevel();

	if (event == SUBXACT_EVENT_ABORT_SUB)
		while (expected_count > 0 && expected[expected_count - 1].nesting >= level)
			expected_count--;
	/* a statement ends at the level at which it began, and with it its announcements */
	Assert(event != SUBXACT_EVENT_COMMIT_SUB || expected_count == 0 ||
		   expected[expected_count - 1].nesting < level);
}

static void
expected_at_xact_end(XactEvent event, void *arg pg_attribute_unused())
{
	if (event == XACT_EVENT_ABORT || event == XACT_EVENT_COMMIT)
		expected_count = 0;
}

void
inv_expected_init(void)
{
	RegisterXactCallback(expected_at_xact_end, NULL);
	RegisterSubXactCallback(expected_at_subxact_end, NULL);
}

/* The place of the announcement of a change of a row whose triggers run; -1 if there is none. */
static int
find_expected(InvStore *store, Datum item)
{
	int depth;

	if (expected_count == 0)
		return -1;
	depth = inv_trigger_depth();
	/* the rows of a cart usually come in the order in which they were announced */
	for (int n = 0; n < expected_count; n++)
	{
		int i = (expected_next + n) % expected_count;
		const InvExpected *candidate = &expected[i];

		if (!candidate->seen && candidate->depth == depth && candidate->items == store->items &&
			inv_item_compare(store, candidate->item, item) == 0)
			return i;
	}
	return -1;
}

/*
 * The place of the announcement of this change of a row, which the guard is fired for; -1 if there
 * is none.  Each matches once.
 */
int
inv_expected_match(InvStore *store, Datum item)
{
	int found = find_expected(store, item);

	if (found >= 0)
	{
		expected[found].seen = true;
		expected_next = found + 1;
	}
	return found;
}

/*
 * The announcement at a place.  It moves when code of the shop calls the engine, which the planning of
 * a statement is enough for, because that can run functions: so whoever goes on asks for it again.
 */
InvExpected *
inv_expected_at(int place)
{
	Assert(place >= 0 && place < expected_count);
	return &expected[place];
}

/* Is this change of a row, before which a trigger is fired, announced? */
bool
inv_expected_announced(InvStore *store, Datum item)
{
	return find_expected(store, item) >= 0;
}
