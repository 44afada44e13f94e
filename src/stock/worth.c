/*
 * worth.c
 *		What order lines are worth, by order_units and order_final.
 *
 * Headers are locked before their lines are read, and lines are read with the latest snapshot:
 * a line that another session has added to a header while its lock was waited for is seen.
 */
#include "postgres.h"

#include "access/xact.h"

#include "base/compat.h"
#include "base/error.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/query.h"
#include "store/query_cursor.h"
#include "store/query_text.h"
#include "stock/order_lookup.h"
#include "stock/worth.h"

/* Lock headers, in key order. */
void
inv_lock_headers(InvStore *store, Datum *headers, int count)
{
	Datum array;

	if (count == 0)
		return;
	array = inv_make_array(store->header_type, headers, NULL, count);
	inv_execute(store, INV_STMT_LOCK_HEADERS, &array, NULL, INV_SNAPSHOT_LATEST);
	INV_POINT("inventory-after-header-lock");
}

/* The keys of the lines of headers. */
Datum *
inv_lines_of_headers(InvStore *store, Datum *headers, int count, int *line_count)
{
	Datum array, *keys;
	uint64 rows;

	*line_count = 0;
	if (count == 0)
		return NULL;
	array = inv_make_array(store->header_type, headers, NULL, count);
	rows = inv_execute(store, INV_STMT_LINES_OF_HEADERS, &array, NULL, INV_SNAPSHOT_LATEST);
	keys = palloc(sizeof(Datum) * Max(rows, 1));
	for (uint64 row = 0; row < rows; row++)
	{
		bool isnull;

		keys[*line_count] = inv_result(row, 1, &isnull);
		*line_count += !isnull;
	}
	return keys;
}

static void
read_worth_row(InvStore *store, uint64 row, InvLineWorth *line)
{
	bool no_units, isnull;
	int64 units;

	line->exists = true;
	line->item = inv_result(row, 2, &line->no_item);
	if (!line->no_item)
		line->item = inv_item_of_order(store, line->item);
	line->user.value = inv_result(row, 3, &line->user.isnull);
	units = DatumGetInt64(inv_result(row, 4, &no_units));
	line->units = no_units ? 0 : Max(units, 0);
	line->final = DatumGetBool(inv_result(row, 5, &isnull));
	line->header = inv_result(row, 6, &line->no_header);
}

static void
read_worth_as(InvStore *store, InvLineWorth *lines, int count, InvSnapshotMode mode)
{
	Datum *keys = palloc(sizeof(Datum) * count);
	Datum array;
	uint64 rows, row = 0;

	for (int i = 0; i < count; i++)
	{
		keys[i] = lines[i].order;
		lines[i].exists = false;
	}
	array = inv_make_array(store->order_type, keys, NULL, count);
	rows = inv_execute_as_attached(store, INV_STMT_LINE_WORTH, &array, NULL, mode);
	/* both are in key order */
	for (int i = 0; i < count; i++)
	{
		uint64 found;

		if (inv_find_order_row(store, rows, &row, keys[i], &found))
			read_worth_row(store, found, &lines[i]);
	}
}

static bool
same_worth(InvStore *store, const InvLineWorth *a, const InvLineWorth *b)
{
	return a->exists == b->exists &&
		   (!a->exists ||
			(a->units == b->units && a->final == b->final && a->no_item == b->no_item &&
			 (a->no_item || inv_item_compare(store, a->item, b->item) == 0)));
}

/*
 * Read what lines are worth, which are in key order and each once.  From REPEATABLE READ on, a
 * line that the transaction does not see as it is raises 40001.
 */
void
inv_read_worth(InvStore *store, InvLineWorth *lines, int count)
{
	InvLineWorth *seen;

	if (count == 0)
		return;
	read_worth_as(store, lines, count, INV_SNAPSHOT_LATEST);
	if (!IsolationUsesXactSnapshot())
		return;
	seen = palloc(sizeof(InvLineWorth) * count);
	memcpy(seen, lines, sizeof(InvLineWorth) * count);
	read_worth_as(store, seen, count, INV_SNAPSHOT_TRANSACTION);
	for (int i = 0; i < count; i++)
		if (!same_worth(store, &lines[i], &seen[i]))
			inv_error_serialization();
}

/* What a row of orders is worth under a row of its header (0: none), and is it final? */
void
inv_worth_of_row(InvStore *store, Datum row, Datum header, int64 *units, bool *final)
{
	Datum values[] = { row, header };
	char nulls[] = { ' ', header == (Datum) 0 ? 'n' : ' ' };
	bool no_units, isnull;
	int64 worth;

	inv_execute_as_attached(
		store, OidIsValid(store->header) ? INV_STMT_WORTH_OF_ROWS : INV_STMT_WORTH_OF_ROW, values,
		nulls, INV_SNAPSHOT_LATEST);
	worth = DatumGetInt64(inv_result(0, 1, &no_units));
	*units = no_units ? 0 : Max(worth, 0);
	*final = DatumGetBool(inv_result(0, 2, &isnull));
	inv_result_free();
}

/*
 * What a line was worth under a row of its header, before the statement whose end is followed:
 * another part of the statement may have changed it too.
 */
int64
inv_worth_under_header(InvStore *store, Datum order, Datum header)
{
	Datum values[] = { order, header };
	char nulls[] = { ' ', header == (Datum) 0 ? 'n' : ' ' };
	bool no_units;
	int64 worth;

	if (inv_execute_as_attached(store, INV_STMT_WORTH_UNDER_HEADER, values, nulls,
								INV_SNAPSHOT_READ_ONLY) == 0)
		return 0;
	worth = DatumGetInt64(inv_result(0, 1, &no_units));
	inv_result_free();
	return no_units ? 0 : Max(worth, 0);
}

/* Is a line final under a row of its header, which does not exist any more? */
bool
inv_final_under_header(InvStore *store, Datum order, Datum header)
{
	Datum values[] = { order, header };
	bool isnull;

	return inv_execute_as_attached(store, INV_STMT_WORTH_UNDER_HEADER, values, NULL,
								   INV_SNAPSHOT_LATEST) > 0 &&
		   DatumGetBool(inv_result(0, 2, &isnull));
}

static Datum
read_header_as(InvStore *store, Datum key, InvSnapshotMode mode)
{
	bool isnull;

	if (inv_execute(store, INV_STMT_HEADER_ROW, &key, NULL, mode) == 0)
		return (Datum) 0;
	return inv_result(0, 1, &isnull);
}

/* The row of a header; 0 if it does not exist. */
Datum
inv_read_header(InvStore *store, Datum key)
{
	return read_header_as(store, key, INV_SNAPSHOT_LATEST);
}

/*
 * The same before the statement whose end is followed.  Where the statement has several parts,
 * the guards of another one may not have told yet what it has changed.
 */
Datum
inv_read_header_before(InvStore *store, Datum key)
{
	return read_header_as(store, key, INV_SNAPSHOT_READ_ONLY);
}
