/*
 * order_row.c
 *		The bound columns of an order row, as a trigger sees it.
 *
 * Nothing that the shop writes into these columns is an error here.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/tupconvert.h"
#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/rel.h"

#include "store/binding.h"
#include "stock/order_row.h"

/* The column of a row; "rel" is orders or a partition, whose columns can have other numbers. */
static Datum
row_value(InvStore *store, Relation rel, TupleTableSlot *slot, const InvColumn *column,
		  bool *isnull)
{
	AttrNumber attnum = column->attnum;

	*isnull = true;
	if (attnum == InvalidAttrNumber)
		return (Datum) 0;
	if (RelationGetRelid(rel) != store->orders)
		attnum = get_attnum(RelationGetRelid(rel), column->key);
	return attnum == InvalidAttrNumber ? (Datum) 0 : slot_getattr(slot, attnum, isnull);
}

/* The whole units of a numeric, as far as a bigint goes; 0 for NaN. */
static int64
numeric_units(Numeric quantity)
{
	Datum whole;

	if (numeric_is_nan(quantity))
		return 0;
	whole = DirectFunctionCall2(numeric_trunc, NumericGetDatum(quantity), Int32GetDatum(0));
	if (DatumGetBool(DirectFunctionCall2(numeric_gt, whole,
										 NumericGetDatum(int64_to_numeric(PG_INT64_MAX)))))
		return PG_INT64_MAX;
	if (DatumGetBool(DirectFunctionCall2(numeric_lt, whole,
										 NumericGetDatum(int64_to_numeric(-PG_INT64_MAX)))))
		return -PG_INT64_MAX;
	return DatumGetInt64(DirectFunctionCall1(numeric_int8, whole));
}

static void
read_units(InvStore *store, Datum quantity, InvOrderRow *row)
{
	const InvColumn *column = &store->order_quantity;

	if (column->attnum == InvalidAttrNumber)
	{
		row->units = 1;
		row->no_units = false;
	}
	else if (!row->no_units)
		row->units = column->base == INT2OID   ? DatumGetInt16(quantity)
					 : column->base == INT4OID ? DatumGetInt32(quantity)
					 : column->base == INT8OID ? DatumGetInt64(quantity)
											   : numeric_units(DatumGetNumeric(quantity));
}

void
inv_order_row_read(InvStore *store, Relation rel, TupleTableSlot *slot, InvOrderRow *row)
{
	Datum quantity;

	row->exists = true;
	row->order = row_value(store, rel, slot, &store->order_id, &row->no_order);
	row->item = row_value(store, rel, slot, &store->order_item, &row->no_item);
	quantity = row_value(store, rel, slot, &store->order_quantity, &row->no_units);
	read_units(store, quantity, row);
	row->user.value = row_value(store, rel, slot, &store->order_user, &row->user.isnull);
	row->header = row_value(store, rel, slot, &store->order_header, &row->no_header);
}

/* A whole row of a table as a value of its row type; "rel" is the table or a partition. */
Datum
inv_order_row_whole(Oid table, Relation rel, HeapTuple row)
{
	Relation root = table_open(table, AccessShareLock);
	TupleConversionMap *map = convert_tuples_by_name(RelationGetDescr(rel), RelationGetDescr(root));
	Datum value;

	if (map)
		row = execute_attr_map_tuple(row, map);
	value = heap_copy_tuple_as_datum(row, RelationGetDescr(root));
	table_close(root, NoLock);
	return value;
}

/* Does one of these columns of a table differ between two rows of it, or of a partition? */
bool
inv_row_changed(Oid table, Relation rel, HeapTuple old, HeapTuple new, const Bitmapset *columns)
{
	TupleDesc desc = RelationGetDescr(rel);
	int column = -1;

	while ((column = bms_next_member(columns, column)) >= 0)
	{
		AttrNumber attnum = column;
		Form_pg_attribute attribute;
		bool no_old, no_new;
		Datum before, after;

		if (RelationGetRelid(rel) != table)
			attnum = get_attnum(RelationGetRelid(rel), get_attname(table, column, false));
		attribute = TupleDescAttr(desc, attnum - 1);
		before = heap_getattr(old, attnum, desc, &no_old);
		after = heap_getattr(new, attnum, desc, &no_new);
		if (no_old != no_new ||
			(!no_old && !datum_image_eq(before, after, attribute->attbyval, attribute->attlen)))
			return true;
	}
	return false;
}

/* Copy what a row points to into the current memory context. */
void
inv_order_row_copy(InvStore *store, InvOrderRow *row)
{
	struct
	{
		Datum *value;
		bool isnull;
		Oid type;
	} values[] = { { &row->order, row->no_order, store->order_type },
				   { &row->item, row->no_item, store->order_item.base },
				   { &row->user.value, row->user.isnull, store->user_type },
				   { &row->header, row->no_header, store->header_type } };

	for (size_t i = 0; i < lengthof(values); i++)
	{
		int16 length;
		bool byval;

		get_typlenbyval(values[i].type, &length, &byval);
		if (!values[i].isnull)
			*values[i].value = datumCopy(*values[i].value, byval, length);
	}
}

/* Are two values the same, as they are stored? */
static bool
same_value(Oid type, Datum a, bool a_null, Datum b, bool b_null)
{
	int16 length;
	bool byval;

	if (a_null || b_null)
		return a_null == b_null;
	get_typlenbyval(type, &length, &byval);
	return datum_image_eq(a, b, byval, length);
}

bool
inv_order_row_same_key(InvStore *store, const InvOrderRow *a, const InvOrderRow *b)
{
	return same_value(store->order_type, a->order, a->no_order, b->order, b->no_order);
}

bool
inv_order_row_same_item(InvStore *store, const InvOrderRow *a, const InvOrderRow *b)
{
	return same_value(store->order_item.base, a->item, a->no_item, b->item, b->no_item);
}

bool
inv_order_row_same_units(const InvOrderRow *a, const InvOrderRow *b)
{
	return a->no_units == b->no_units && (a->no_units || a->units == b->units);
}

bool
inv_order_row_same_user(InvStore *store, const InvOrderRow *a, const InvOrderRow *b)
{
	return same_value(store->user_type, a->user.value, a->user.isnull, b->user.value,
					  b->user.isnull);
}

bool
inv_order_row_same_header(InvStore *store, const InvOrderRow *a, const InvOrderRow *b)
{
	return same_value(store->header_type, a->header, a->no_header, b->header, b->no_header);
}

/* Do two rows with the same key have the same item, units and user? */
bool
inv_order_row_same(InvStore *store, const InvOrderRow *a, const InvOrderRow *b)
{
	return inv_order_row_same_units(a, b) && inv_order_row_same_item(store, a, b) &&
		   inv_order_row_same_user(store, a, b);
}
