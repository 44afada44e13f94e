/*
 * expected.c
 *		The changes of stock that the engine announces before it writes them.
 *
 * The guard trigger subtracts what is announced here from what a row's stock
 * changes by; what is left came from elsewhere.  An announcement that is still
 * there after the statement means that the guard did not run.
 *
 * Announcements belong to a transaction level and go with it when it aborts.
 */
#include "postgres.h"

#include "access/xact.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "base/error.h"
#include "store/binding.h"
#include "store/column.h"
#include "stock/expected.h"
#include "stock/quantity.h"

static InvExpected *expected = NULL;
static int expected_count = 0;
static int expected_size = 0;
static int expected_next = 0; /* where the last one was found, plus one */

/*
 * How many triggers are running.  It tells the engine's own change of a row from
 * what the shop's triggers do to the same row meanwhile, one trigger deeper.
 */
static int
trigger_depth(void)
{
	return DatumGetInt32(DirectFunctionCall1(pg_trigger_depth, (Datum) 0));
}

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
	new->depth = trigger_depth() + 1;
	new->nesting = GetCurrentTransactionNestLevel();
	return new;
}

void
inv_expect(InvStore *store, Datum item, int64 delta)
{
	(void) add_expected(store, item, delta);
}

void
inv_expect_settling(InvStore *store, Datum item, int64 delta)
{
	add_expected(store, item, delta)->settling = true;
}

void
inv_expect_end(InvStore *store, int base, bool written, InvRowLevel *levels)
{
	for (int i = base; written && i < expected_count; i++)
	{
		if (!expected[i].seen)
			inv_error_broken_store(store->store_name,
								   "The guard trigger on its items is missing or disabled.");
		if (levels)
			levels[i - base] = expected[i].level;
	}
	expected_count = base;
}

static void
expected_at_subxact_end(SubXactEvent event, SubTransactionId self, SubTransactionId parent,
						void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		while (expected_count > 0 &&
			   expected[expected_count - 1].nesting >= GetCurrentTransactionNestLevel())
			expected_count--;
}

static void
expected_at_xact_end(XactEvent event, void *arg)
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

/* What was announced for this row, once; null if nothing was.  A cart's rows come mostly in order. */
InvExpected *
inv_expected_take(InvStore *store, Datum item)
{
	int depth;

	if (expected_count == 0)
		return NULL;
	depth = trigger_depth();

	for (int n = 0; n < expected_count; n++)
	{
		int i = (expected_next + n) % expected_count;
		InvExpected *candidate = &expected[i];

		if (candidate->seen || candidate->depth != depth || candidate->items != store->items ||
			inv_item_compare(store, candidate->item, item) != 0)
			continue;
		candidate->seen = true;
		expected_next = i + 1;
		return candidate;
	}
	return NULL;
}
