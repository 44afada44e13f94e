/*
 * hot_apply.c
 *		A transition of several hot items, one of which may fail.
 *
 * The row of an item can refuse to be written: a trigger or a constraint was added after the
 * item became hot, or depends on other tables.  Then the other items are settled or cooled
 * all the same; the failure is kept with the entry of the item, for hot_entries() and
 * verify(), and the worker tries again after a while.
 *
 * Expects an entered store.  The transitions lock rows in the order of the items, which is
 * that of their keys (invariant 10).
 */
#include "postgres.h"

#include "miscadmin.h"

#include "base/error.h"
#include "base/error_class.h"
#include "base/isolated.h"
#include "store/binding.h"
#include "store/column.h"
#include "stock/hot_item.h"
#include "maintenance/hot_apply.h"

/* A transition of several items. */
typedef struct Batch
{
	InvStore *store;
	Datum *items;
	uint64 count;
	InvItemTransition transition;
	int64 max_items;
	int64 changed;
} Batch;

/* Work that is kept. */
static bool
apply_batch(void *arg)
{
	Batch *batch = arg;

	batch->changed = 0;
	for (uint64 i = 0; i < batch->count && batch->changed < batch->max_items; i++)
	{
		CHECK_FOR_INTERRUPTS();
		batch->changed += batch->transition(batch->store, batch->items[i]);
	}
	return true;
}

/*
 * Apply a batch, all of it or nothing; the error if its items are to blame for that, or
 * null.  Raises any other error.
 */
static ErrorData *
try_batch(Batch *batch)
{
	ErrorData *error = inv_run_isolated(apply_batch, batch);

	if (error && !inv_error_is_of_row(error->sqlerrcode))
		ReThrowError(error);
	for (uint64 i = 0; error == NULL && i < batch->count; i++)
		inv_hot_note_problem(batch->store, batch->items[i], NULL);
	return error;
}

/* Keep and report that the row of an item refuses to be written. */
static void
report_unwritable_row(InvStore *store, Datum item, const ErrorData *error)
{
	inv_hot_note_problem(store, item, inv_error_reason(error));
	ereport(
		WARNING,
		(errmsg("the stock column of hot item \"%s\" of store \"%s\" cannot be written",
				inv_item_text(store, item), store->store_name),
		 errdetail_internal("%s", inv_error_reason(error)),
		 errhint("Nothing is lost. See \"Items that cannot be settled\" in doc/hot-items.md.")));
}

/*
 * Apply a transition to items, in this order, until it has changed max_items; returns how
 * many it has changed.  If one fails, they are tried one by one.
 */
int64
inv_apply_to_items(InvStore *store, Datum *items, uint64 count, InvItemTransition transition,
				   int64 max_items)
{
	Batch all = { store, items, count, transition, max_items, 0 };
	int64 changed = 0;

	Assert(GetUserId() == store->owner); /* the store is entered */
	if (count == 0 || try_batch(&all) == NULL)
		return all.changed;
	for (uint64 i = 0; i < count && changed < max_items; i++)
	{
		Batch one = { store, &items[i], 1, transition, 1, 0 };
		ErrorData *error = try_batch(&one);

		if (error)
			report_unwritable_row(store, items[i], error);
		else
			changed += one.changed;
	}
	return changed;
}
