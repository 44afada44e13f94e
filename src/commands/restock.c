/*
 * restock.c
 *		Changes of stock by operators: restock_item, adjust_stock, count_stock.
 *
 * Each locks the item's stock, decides by what it reads under the lock, changes the
 * stock and writes a movement.  An item need not be for sale.
 */
#include "postgres.h"

#include "common/int.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/error.h"
#include "base/stats.h"
#include "base/units.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/enter.h"
#include "store/ledger_schema.h"
#include "store/query.h"
#include "store/query_text.h"
#include "stock/adjust.h"
#include "stock/hot_row.h"
#include "stock/ledger.h"
#include "stock/quantity.h"
#include "commands/argument.h"
#include "commands/call.h"
#include "commands/idempotency.h"

/* A call by an operator, from its arguments to its answer. */
typedef struct Operation
{
	InvCall call;
	InvRequest request;
	Datum item;
	char *reason;
	int64 available;
} Operation;

/*
 * Enter the store of argument 0 for an operation on the item of argument 1; key and
 * reason are the numbers of these arguments.  True: the call is a retry, and
 * op->available is its first answer.
 */
static bool
begin_operation(Operation *op, FunctionCallInfo fcinfo, const char *name, int key, int reason)
{
	InvStore *store;

	inv_call_enter(&op->call, inv_getarg_store_name(fcinfo), name);
	store = op->call.store;
	inv_check_result(store, fcinfo, store->stock.base);
	op->reason = inv_getarg_text(fcinfo, reason);
	if (inv_request_begin(&op->request, store, name, NULL, fcinfo, key, store->item_id.base))
	{
		op->available = DatumGetInt64(inv_request_value(store, &op->request, INT8OID));
		return true;
	}
	op->item = inv_getarg_item(store, fcinfo, 1);
	return false;
}

/* Refuse a change that would leave less than the floor (IV001) or overflow (22003). */
static void
check_floor(Operation *op, const InvStock *stock, int64 delta, int64 floor)
{
	int64 left;
	bool out_of_range = pg_add_s64_overflow(stock->stock, delta, &left);

	/* the smallest bigint is no number of units */
	if (out_of_range && (delta > 0 || delta == PG_INT64_MIN))
		inv_error_overflow("stock");
	if (out_of_range)
		left = PG_INT64_MIN;
	/* units of a hot item that are in flight may come back: its counter decides */
	if (delta < 0 && (left < floor || out_of_range) && !stock->hot)
	{
		InvFacts *facts = inv_item_facts(op->call.store, op->item);

		inv_fact_number(facts, "change", delta);
		inv_fact_number(facts, "left", left);
		inv_fact_number(facts, "floor", floor);
		inv_error_below_floor(facts, psprintf("Item \"%s\": a change by " INT64_FORMAT
											  " would leave " INT64_FORMAT
											  ", at least " INT64_FORMAT " must remain.",
											  facts->name, delta, left, floor));
	}
}

/*
 * Change the locked stock, leaving at least "least" units, and write the movement.
 * False: the item ceased to be hot, nothing was changed, and it must be locked again.
 */
static bool
change_stock(Operation *op, InvStock *stock, int64 delta, int64 least, const char *kind)
{
	InvStore *store = op->call.store;
	InvMovement *movement;
	InvBook book;

	Assert(stock->tracked);
	check_floor(op, stock, delta, least);
	INV_POINT("inventory-before-adjust");
	if (!inv_adjust_change(store, stock, delta, least))
		return false;
	inv_stats_count(INV_STATS_UNITS, inv_units_moved(delta));
	inv_book_init(&book, 1);
	movement = inv_book_add(&book, op->item, delta, kind);
	movement->reason = op->reason;
	movement->epoch = stock->epoch;
	inv_book_write(store, &book);
	op->available = inv_available(stock->stock, stock->floor);
	inv_request_end(store, &op->request, psprintf(INT64_FORMAT, op->available));
	return true;
}

static Datum
end_operation(Operation *op)
{
	Datum result = inv_quantity_datum(op->call.store, op->available);

	inv_store_leave(&op->call);
	return result;
}

PG_FUNCTION_INFO_V1(inventory_restock_item);
PG_FUNCTION_INFO_V1(inventory_adjust_stock);
PG_FUNCTION_INFO_V1(inventory_count_stock);

/*
 * restock_item(store_name, item_id, quantity, reason, idempotency_key, result_type):
 * books a delivery; returns what is available afterwards.
 */
Datum
inventory_restock_item(PG_FUNCTION_ARGS)
{
	Operation op;

	if (!begin_operation(&op, fcinfo, "restock_item", 4, 3))
	{
		int64 quantity = inv_getarg_quantity(fcinfo, 2, "quantity");
		InvStock stock;

		do
			stock = inv_adjust_lock(op.call.store, op.item);
		while (!change_stock(&op, &stock, quantity, 0, INV_KIND_RESTOCK));
	}
	return end_operation(&op);
}

/* Raise because the stock is not what the caller saw (IV011). */
INV_NORETURN static void
error_stock_changed(Operation *op, int64 expected, int64 actual)
{
	InvFacts *facts = inv_item_facts(op->call.store, op->item);

	inv_fact_number(facts, "expected", expected);
	inv_fact_number(facts, "actual", actual);
	inv_error_stock_changed(facts, expected, actual);
}

static bool
is_adjustment(const char *kind)
{
	return strcmp(kind, INV_KIND_ADJUSTMENT) == 0 || strcmp(kind, INV_KIND_WRITE_OFF) == 0;
}

/*
 * adjust_stock(store_name, item_id, delta, reason, expected, kind,
 * idempotency_key, result_type): corrects the stock by delta, if it is still
 * "expected"; returns what is available afterwards.
 */
Datum
inventory_adjust_stock(PG_FUNCTION_ARGS)
{
	Operation op;
	char *kind = inv_getarg_text(fcinfo, 5);

	if (!begin_operation(&op, fcinfo, "adjust_stock", 6, 3))
	{
		int64 delta;
		InvStock stock;

		if (PG_ARGISNULL(2))
			inv_error_null("delta");
		if (op.reason == NULL)
			inv_error_null("reason");
		if (kind == NULL)
			inv_error_null("kind");
		if ((delta = PG_GETARG_INT64(2)) == 0)
			inv_error_value("delta must not be 0", NULL);
		if (op.reason[0] == '\0')
			inv_error_value("reason must not be empty", NULL);
		if (!is_adjustment(kind))
			inv_error_value(psprintf("kind \"%s\" is not one of adjustment, write_off", kind),
							NULL);
		if (strcmp(kind, INV_KIND_WRITE_OFF) == 0 && delta > 0)
			inv_error_value("delta of a write_off must be negative", NULL);
		do
		{
			stock = inv_adjust_lock(op.call.store, op.item);
			if (!PG_ARGISNULL(4) && PG_GETARG_INT64(4) != stock.stock)
				error_stock_changed(&op, PG_GETARG_INT64(4), stock.stock);
		} while (!change_stock(&op, &stock, delta, stock.floor, kind));
	}
	return end_operation(&op);
}

/*
 * The units on hand at the time of the count, by the caller's snapshot: stock and
 * held units, without the movements since "instant".
 *
 * The caller's snapshot and not the latest: a sale that is in flight while the count
 * is entered is neither off the shelf nor among the unshipped orders that the caller
 * could see, so it counts as a later sale.  Movements of kind count do not count as
 * later movements: they moved no unit, and a count that is entered twice must correct
 * the stock once.  An item that was not tracked then has only its present stock.
 */
static int64
stock_counted(Operation *op, const InvStock *now, const TimestampTz *instant)
{
	InvStore *store = op->call.store;
	Datum values[] = { op->item, instant ? TimestampTzGetDatum(*instant) : (Datum) 0 };
	int64 stock = now->stock;
	bool isnull;

	if (instant && *instant > GetCurrentTimestamp())
		inv_error_value("counted_at must not be in the future", NULL);
	if (inv_execute(store, INV_STMT_READ_ANY, values, NULL, INV_SNAPSHOT_READ_ONLY) > 0)
	{
		Datum seen = inv_result(0, 1, &isnull);

		if (!isnull && pg_add_s64_overflow(
						   DatumGetInt64(seen),
						   inv_hot_sum_unsettled(store, op->item, INV_SNAPSHOT_READ_ONLY), &stock))
			inv_error_overflow("stock");
	}
	inv_execute(store, INV_STMT_HELD_UNITS, values, NULL, INV_SNAPSHOT_READ_ONLY);
	if (pg_add_s64_overflow(stock, inv_result_int64(0, 1), &stock))
		inv_error_overflow("stock");
	if (instant == NULL)
		return stock;
	inv_execute(store, INV_STMT_MOVED_SINCE, values, NULL, INV_SNAPSHOT_READ_ONLY);
	if (inv_result_int64(0, 2) == 0)
		inv_error_value("counted_at is before the first movement of the item",
						"The ledger does not know what was there.");
	if (pg_sub_s64_overflow(stock, inv_result_int64(0, 1), &stock))
		inv_error_overflow("stock");
	return stock;
}

/*
 * count_stock(store_name, item_id, counted, unshipped, counted_at, reason,
 * idempotency_key, result_type): a stock-take.  The shelf has the units that can be
 * sold, those that are held, and those that are sold but not shipped.  The correction
 * is the difference to the ledger at counted_at, so that later sales are not undone.
 * The floor does not limit it: units that are missing from the shelf are missing.
 */
Datum
inventory_count_stock(PG_FUNCTION_ARGS)
{
	Operation op;

	if (!begin_operation(&op, fcinfo, "count_stock", 6, 5))
	{
		int64 on_shelf, correction;
		TimestampTz counted_at;
		InvStock stock;

		if (PG_ARGISNULL(2))
			inv_error_null("counted");
		if (PG_ARGISNULL(3))
			inv_error_null("unshipped");
		if (PG_GETARG_INT64(2) < 0)
			inv_error_value("counted must not be negative", NULL);
		if (PG_GETARG_INT64(3) < 0)
			inv_error_value("unshipped must not be negative", NULL);
		on_shelf = PG_GETARG_INT64(2) - PG_GETARG_INT64(3);
		counted_at = PG_ARGISNULL(4) ? 0 : PG_GETARG_TIMESTAMPTZ(4);
		do
		{
			stock = inv_adjust_lock(op.call.store, op.item);
			if (pg_sub_s64_overflow(
					on_shelf, stock_counted(&op, &stock, PG_ARGISNULL(4) ? NULL : &counted_at),
					&correction))
				inv_error_overflow("stock");
		} while (!change_stock(&op, &stock, correction, Min(stock.floor, 0), INV_KIND_STOCK_TAKE));
	}
	return end_operation(&op);
}
