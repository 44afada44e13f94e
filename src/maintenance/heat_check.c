/*
 * heat_check.c
 *		Whether an item may become hot.
 *
 * Not if its row could refuse what the counter would allow (stock/row_proof.c).  What that
 * cannot tell from definitions, a trial may: the row is written with the least stock that
 * the counter allows, and with one unit more than it has, and that is rolled back.
 *
 * Expects the item's row to be locked, and the item to be cold.
 */
#include "postgres.h"

#include "common/int.h"
#include "miscadmin.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/error_class.h"
#include "base/isolated.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/query.h"
#include "stock/item_row.h"
#include "stock/row_proof.h"
#include "maintenance/heat_check.h"

/* how long the worker leaves an item alone that may not become hot */
#define REFUSAL_LASTS_MS (10 * 60 * 1000)

/* the items that the worker remembers */
#define REMEMBERED_REFUSALS 64

/* A write of the row for a trial. */
typedef struct Trial
{
	InvStore *store;
	Datum item;
	int64 delta;
	int64 stock;  /* that the row should have then */
	bool changed; /* it has another */
} Trial;

/* An item that may not become hot, for a while. */
typedef struct RememberedRefusal
{
	Oid items;
	uint64 item_hash;
	int64 until; /* by base/clock.h */
} RememberedRefusal;

static RememberedRefusal remembered[REMEMBERED_REFUSALS];
static int remembered_next = 0;

/* Work that is rolled back. */
static bool
write_trial(void *arg)
{
	Trial *trial = arg;
	/* as a settling does: the guard books nothing */
	InvRowLevel level =
		inv_item_row_change(trial->store, trial->item, trial->delta, true, INV_SNAPSHOT_LATEST);

	trial->changed = level.stock != trial->stock;
	return false;
}

/* Why the row refuses a stock, or null. */
static const char *
try_stock(InvStore *store, Datum item, int64 stock, int64 wanted)
{
	Trial trial = { .store = store, .item = item, .stock = wanted };
	ErrorData *error;

	if (pg_sub_s64_overflow(wanted, stock, &trial.delta) || trial.delta == 0)
		return NULL;
	error = inv_run_isolated(write_trial, &trial);
	if (error && !inv_error_is_of_row(error->sqlerrcode))
		ReThrowError(error);
	if (error)
		return psprintf("Its row refuses a stock of " INT64_FORMAT ": %s.", wanted, error->message);
	if (trial.changed)
		return psprintf("A trigger changes a stock of " INT64_FORMAT " that is written.", wanted);
	return NULL;
}

/*
 * Why the row of an item could refuse what its counter would allow, as a sentence, or
 * null.  The item has this stock and floor.
 */
const char *
inv_heat_refusal(InvStore *store, Datum item, int64 stock, int64 floor)
{
	int64 most;
	const char *refusal = inv_row_refusal(store, item, Min(floor, stock), NULL, &most);

	if (refusal == NULL)
		refusal = try_stock(store, item, stock, Min(floor, 0));
	if (refusal == NULL && stock < most)
		refusal = try_stock(store, item, stock, stock + 1);
	return refusal;
}

/* ---- items that the worker would heat ---- */

/* Was the item refused a while ago? */
bool
inv_heat_was_refused(InvStore *store, Datum item)
{
	uint64 hash = inv_item_hash(store, item, 0);
	int64 now = inv_clock_now();

	/* beside an older refusal, whose time is over, there can be another one of the item */
	for (int i = 0; i < REMEMBERED_REFUSALS; i++)
		if (remembered[i].items == store->items && remembered[i].item_hash == hash &&
			now < remembered[i].until)
			return true;
	return false;
}

/* Log that the worker leaves an item cold, and why, and remember it. */
void
inv_heat_log_refusal(InvStore *store, Datum item, const char *refusal)
{
	RememberedRefusal *new = &remembered[remembered_next++ % REMEMBERED_REFUSALS];

	new->items = store->items;
	new->item_hash = inv_item_hash(store, item, 0);
	new->until = inv_clock_after(REFUSAL_LASTS_MS);
	ereport(LOG,
			(errmsg("item \"%s\" of store \"%s\" stays cold, although sessions wait for its row",
					inv_item_text(store, item), store->store_name),
			 errdetail_internal("%s", refusal)));
}
