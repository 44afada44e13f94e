/*
 * ledger.c
 *		Movements, their opening, and the proof that they explain the stock.
 *
 * The ledger is append-only: this file inserts and sums, it never updates.
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/xlog.h"
#include "catalog/namespace.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "store/direct_insert.h"
#include "commands/argument.h"
#include "base/error.h"
#include "stock/hot_item.h"
#include "stock/ledger.h"

/* Who did it: the role outside of the generated functions. */
static Datum
actor(void)
{
	return CStringGetTextDatum(GetUserNameFromId(GetOuterUserId(), false));
}

/*
 * The time of a movement is that of the writing, not of the transaction or the
 * call: with the item's row locked it orders the movements of an item.
 */
static Datum
written_at(void)
{
	return TimestampTzGetDatum(GetCurrentTimestamp());
}

const InvUser inv_nobody = { (Datum) 0, true };

void
inv_book_init(InvBook *book, int most)
{
	book->movements = palloc(sizeof(InvMovement) * most);
	book->count = 0;
}

/* One more movement, of nobody and without order until the caller says otherwise. */
InvMovement *
inv_book_add(InvBook *book, Datum item, int64 delta, const char *kind)
{
	InvMovement *new = &book->movements[book->count++];

	memset(new, 0, sizeof(*new));
	new->item = item;
	new->delta = delta;
	new->kind = kind;
	new->user = inv_nobody;
	new->no_order = true;
	return new;
}

/*
 * The return of units that were held.  Where no stock got them, because it is
 * not tracked or was not when they were held, a second movement takes them off
 * the balance again: two rows of room.
 */
void
inv_book_return(InvBook *book, Datum item, int64 quantity, const char *kind, const InvUser *user,
				Datum reservation, bool given, int64 epoch)
{
	InvMovement *back = inv_book_add(book, item, quantity, kind);

	back->user = *user;
	back->reservation = reservation;
	back->epoch = epoch;
	if (!given)
		inv_book_add(book, item, -quantity, "adjustment")->reason = "untracked";
}

/* The movements as rows; the order of the columns is that of direct_insert.c and INV_MOVEMENTS. */
static InvRow *
movement_rows(const InvBook *book)
{
	InvRow *rows = palloc(sizeof(InvRow) * book->count);
	Datum by = actor();
	Datum at = written_at();

	for (int i = 0; i < book->count; i++)
	{
		const InvMovement *m = &book->movements[i];
		InvRow row = {
			.values = { m->item, Int64GetDatum(m->delta), CStringGetTextDatum(m->kind),
						m->user.value, m->order, m->reservation,
						m->reason ? CStringGetTextDatum(m->reason) : (Datum) 0,
						Int64GetDatum(m->epoch), by, at },
			.nulls = { false, false, false, m->user.isnull, m->no_order, m->reservation == 0,
					   m->reason == NULL, m->epoch == 0, false, false },
		};

		rows[i] = row;
	}
	return rows;
}

/* One column of the rows as an array. */
static Datum
column(const InvRow *rows, int count, int n, Oid type)
{
	Datum *values = palloc(sizeof(Datum) * count);
	bool *nulls = palloc(sizeof(bool) * count);

	for (int i = 0; i < count; i++)
	{
		values[i] = rows[i].values[n];
		nulls[i] = rows[i].nulls[n];
	}
	return inv_array(type, values, nulls, count);
}

/* The rows in one statement; how many were written. */
static uint64
insert_rows(InvStore *store, const InvRow *rows, int count)
{
	Oid types[] = { store->item_id.base, INT8OID, TEXTOID, store->user_type,
					store->order_type,	 UUIDOID, TEXTOID, INT8OID };
	Datum values[INV_ROW_COLUMNS];

	for (size_t i = 0; i < lengthof(types); i++)
		values[i] = column(rows, count, i, types[i]);
	/* actor and time are the same in all */
	for (size_t i = lengthof(types); i < INV_ROW_COLUMNS; i++)
		values[i] = rows[0].values[i];
	return inv_execute(store, INV_MOVEMENTS, values, NULL, INV_TRANSACTION);
}

/* Write the movements, in their order. */
void
inv_book_write(InvStore *store, InvBook *book)
{
	InvRow *rows = movement_rows(book);
	uint64 written = 0;

	if (book->count == 0)
		return;
	if (inv_append(store, INV_TO_MOVEMENTS, rows, book->count))
		for (int i = 0; i < book->count; i++)
			written += rows[i].written;
	else
		written = insert_rows(store, rows, book->count);
	if (written != (uint64) book->count)
		inv_error_broken_store(store->label,
							   "A trigger or rule keeps movements from being written.");
	book->count = 0;
}

/* ---- SQL functions ---- */

PG_FUNCTION_INFO_V1(inventory_open_ledger);
PG_FUNCTION_INFO_V1(inventory_verify);

/*
 * open_ledger(store_name): book an opening for every tracked item that has no
 * movement, and what an older ledger does not explain as direct.  attach calls it
 * with the items locked against writers; it sees what is committed by then.
 */
Datum
inventory_open_ledger(PG_FUNCTION_ARGS)
{
	InvCall call;
	Datum values[2];
	uint64 booked;

	inv_store_enter(&call, inv_label(fcinfo), "open_ledger");
	LockRelationOid(call.store->items, ShareRowExclusiveLock);
	values[0] = actor();
	values[1] = written_at();
	booked = inv_execute(call.store, INV_OPEN_LEDGER, values, NULL, INV_LATEST);
	inv_store_leave(&call);
	PG_RETURN_INT64(booked);
}

static void
report(ReturnSetInfo *result, Datum item, bool no_item, const char *problem, Datum expected,
	   Datum actual, bool no_numbers, bool no_actual)
{
	Datum values[] = { item, CStringGetTextDatum(problem), expected, actual };
	bool nulls[] = { no_item, false, no_numbers, no_numbers || no_actual };

	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/*
 * What is wrong with the guard trigger of this type, or null.  It must fire in
 * every mode, for every such event and every row, or changes go unbooked.
 */
static const char *
guard_problem(Relation rel, int16 type)
{
	const char *problem = "guard_missing";

	for (int i = 0; rel->trigdesc && i < rel->trigdesc->numtriggers; i++)
	{
		Trigger *trigger = &rel->trigdesc->triggers[i];
		char *name;

		if (trigger->tgtype != type || trigger->tgnattr != 0 || trigger->tgqual != NULL)
			continue;
		name = get_func_name(trigger->tgfoid);
		if (name == NULL || strcmp(name, "guard") != 0 ||
			get_func_namespace(trigger->tgfoid) != get_namespace_oid(INV_SCHEMA, false))
			continue;
		if (trigger->tgenabled == TRIGGER_FIRES_ALWAYS)
			return NULL;
		problem =
			trigger->tgenabled == TRIGGER_DISABLED ? "guard_disabled" : "guard_not_always_enabled";
	}
	return problem;
}

static void
verify_guard(InvStore *store, ReturnSetInfo *result)
{
	Relation rel = relation_open(store->items, AccessShareLock);
	const char *problem = guard_problem(rel, TRIGGER_TYPE_ROW | TRIGGER_TYPE_INSERT |
												 TRIGGER_TYPE_UPDATE | TRIGGER_TYPE_DELETE);

	if (problem == NULL)
		problem = guard_problem(rel, TRIGGER_TYPE_BEFORE | TRIGGER_TYPE_TRUNCATE);
	if (problem)
		report(result, (Datum) 0, true, problem, (Datum) 0, (Datum) 0, true, true);
	relation_close(rel, NoLock);
}

/* Report what a statement finds: item, problem, expected, actual. */
static void
report_rows(InvStore *store, InvStatement which, Datum *values, const char *nulls,
			ReturnSetInfo *result)
{
	uint64 rows = inv_execute(store, which, values, nulls, INV_LATEST);

	for (uint64 row = 0; row < rows; row++)
	{
		Datum found[4];
		bool isnull[4];

		for (int i = 0; i < 4; i++)
			found[i] = inv_result(row, i + 1, &isnull[i]);
		report(result, found[0], isnull[0], TextDatumGetCString(found[1]), found[2], found[3],
			   isnull[2], isnull[3]);
	}
}

/* The counters of hot items, or that of one. */
static void
verify_counters(InvStore *store, bool all, Datum item, ReturnSetInfo *result)
{
	uint64 rows = 1;
	Datum *items = &item;
	bool isnull;

	if (inv_hot_none(store) || RecoveryInProgress())
		return;
	if (all)
	{
		rows = inv_execute(store, INV_HOT_ROWS, NULL, NULL, INV_LATEST);
		items = palloc(sizeof(Datum) * Max(rows, 1));
		for (uint64 row = 0; row < rows; row++)
			items[row] = inv_result(row, 1, &isnull);
	}
	for (uint64 row = 0; row < rows; row++)
	{
		int64 expected, actual;

		if (inv_hot_differs(store, items[row], &expected, &actual))
			report(result, CStringGetTextDatum(inv_item_text(store, items[row])), false,
				   "counter_differs_from_stock", Int64GetDatum(expected), Int64GetDatum(actual),
				   false, false);
	}
}

/*
 * verify(items, item): a row for each item where stock is not the sum of its
 * movements, for a counter that is not what the tables say, and for a guard that
 * would let changes pass.
 */
Datum
inventory_verify(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	InvCall call;
	InvStore *store;
	Datum values[1] = { (Datum) 0 };
	char nulls[] = { 'n' };

	InitMaterializedSRF(fcinfo, 0);
	inv_store_enter_owned(&call, PG_ARGISNULL(0) ? InvalidOid : PG_GETARG_OID(0));
	store = call.store;
	if (!PG_ARGISNULL(1))
	{
		values[0] = inv_item(store, fcinfo, 1);
		nulls[0] = ' ';
	}
	verify_guard(store, result);
	report_rows(store, INV_VERIFY, values, nulls, result);
	report_rows(store, INV_VERIFY_HOLDS, values, nulls, result);
	verify_counters(store, nulls[0] == 'n', values[0], result);
	inv_store_leave(&call);
	return (Datum) 0;
}
