/*
 * column.c
 *		Values of bound columns: keys of items, numbers, users.
 *
 * Takes no lock and touches no table.  Expects a store whose types were checked.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/lsyscache.h"

#include "base/datum.h"
#include "base/error.h"
#include "base/fact.h"
#include "store/binding.h"
#include "store/column.h"

/*
 * Raise 22001 for an id that the indexes of the ledger could not hold.  They hold most ids
 * that are longer, some only of cold items, and some only if they can be compressed: so that
 * calls do not depend on that, there is one limit.
 */
void
inv_check_id_length(Oid type, Datum id, const char *name)
{
	if (type == TEXTOID && toast_raw_datum_size(id) > INV_MAX_ID_BYTES + VARHDRSZ)
		inv_error_too_long(name, INV_MAX_ID_BYTES);
}

char *
inv_item_text(InvStore *store, Datum item)
{
	return inv_datum_text(store->item_id.base, item);
}

/* The facts about an item, of which the stock is at fault. */
InvFacts *
inv_item_facts(InvStore *store, Datum item)
{
	InvFacts *facts = inv_facts(store->items, store->stock.key);

	facts->name = inv_item_text(store, item);
	inv_fact_text(facts, "item_id", facts->name);
	return facts;
}

/* The same, if the key is at fault. */
InvFacts *
inv_item_key_facts(InvStore *store, Datum item)
{
	InvFacts *facts = inv_item_facts(store, item);

	facts->column = store->item_id.key;
	return facts;
}

/*
 * The order of item keys, in which rows are locked everywhere (invariant 10): that
 * of the column's type and collation.
 */
int
inv_item_compare(InvStore *store, Datum a, Datum b)
{
	Assert(OidIsValid(store->item_ops->cmp_proc_finfo.fn_oid));
	return DatumGetInt32(
		FunctionCall2Coll(&store->item_ops->cmp_proc_finfo, store->item_id.collation, a, b));
}

/* A hash that keys which compare as equal share, even if their texts differ. */
uint64
inv_item_hash(InvStore *store, Datum item, uint64 seed)
{
	Assert(OidIsValid(store->item_ops->hash_extended_proc_finfo.fn_oid));
	return DatumGetUInt64(FunctionCall2Coll(&store->item_ops->hash_extended_proc_finfo,
											store->item_id.collation, item, UInt64GetDatum(seed)));
}

/*
 * A bound column of a row as bigint.  "if_null" is returned for null and for a
 * column that the store does not have; "isnull" may be null.
 */
int64
inv_column_number(TupleTableSlot *slot, const InvColumn *column, int64 if_null, bool *isnull)
{
	Datum value = 0;
	bool null = true;

	Assert(column->attnum == InvalidAttrNumber || column->base == INT2OID ||
		   column->base == INT4OID || column->base == INT8OID);
	if (column->attnum != InvalidAttrNumber)
		value = slot_getattr(slot, column->attnum, &null);
	if (isnull)
		*isnull = null;
	if (null)
		return if_null;
	return column->base == INT2OID	 ? DatumGetInt16(value)
		   : column->base == INT4OID ? DatumGetInt32(value)
									 : DatumGetInt64(value);
}

static bool
is_as_bound(TupleDesc items, const InvColumn *column)
{
	return column->attnum == InvalidAttrNumber ||
		   (column->attnum <= items->natts &&
			TupleDescAttr(items, column->attnum - 1)->atttypid == column->type);
}

/*
 * Have the bound columns of items the types that the store knows?  Code of the shop can change
 * them while a call goes on.
 */
bool
inv_items_are_as_bound(const InvStore *store, TupleDesc items)
{
	return is_as_bound(items, &store->item_id) && is_as_bound(items, &store->stock) &&
		   is_as_bound(items, &store->version) && is_as_bound(items, &store->stock_floor) &&
		   is_as_bound(items, &store->purchase_limit);
}

/* The largest number that the stock column can hold. */
int64
inv_max_units(InvStore *store)
{
	return store->stock.base == INT2OID	  ? PG_INT16_MAX
		   : store->stock.base == INT4OID ? PG_INT32_MAX
										  : PG_INT64_MAX;
}

/* The smallest number that the stock column can hold. */
int64
inv_min_units(InvStore *store)
{
	return store->stock.base == INT2OID	  ? PG_INT16_MIN
		   : store->stock.base == INT4OID ? PG_INT32_MIN
										  : PG_INT64_MIN;
}

/* The floor of an item: 0 where there is none, and nothing below the range of the stock. */
int64
inv_row_floor(InvStore *store, TupleTableSlot *row)
{
	return Max(inv_column_number(row, &store->stock_floor, 0, NULL), inv_min_units(store));
}

/* A quantity in the type of the stock column, cut to its range. */
Datum
inv_quantity_datum(InvStore *store, int64 quantity)
{
	switch (store->stock.base)
	{
		case INT2OID:
			return Int16GetDatum((int16) Max(Min(quantity, PG_INT16_MAX), PG_INT16_MIN));
		case INT4OID:
			return Int32GetDatum((int32) Max(Min(quantity, PG_INT32_MAX), PG_INT32_MIN));
		default:
			Assert(store->stock.base == INT8OID);
			return Int64GetDatum(quantity);
	}
}

/* The order of two order keys: that of their column, by which rows of orders are locked. */
int
inv_order_compare(InvStore *store, Datum a, Datum b)
{
	TypeCacheEntry *ops = lookup_type_cache(store->order_type, TYPECACHE_CMP_PROC_FINFO);
	Oid collation =
		OidIsValid(store->orders) ? store->order_id.collation : get_typcollation(store->order_type);

	return DatumGetInt32(FunctionCall2Coll(&ops->cmp_proc_finfo, collation, a, b));
}

/* The order of two keys of headers, by which their rows are locked. */
int
inv_header_compare(InvStore *store, Datum a, Datum b)
{
	TypeCacheEntry *ops = lookup_type_cache(store->header_type, TYPECACHE_CMP_PROC_FINFO);
	Oid collation = OidIsValid(store->header) ? store->header_id.collation
											  : get_typcollation(store->header_type);

	return DatumGetInt32(FunctionCall2Coll(&ops->cmp_proc_finfo, collation, a, b));
}

/* A key in another base type, by its text. */
static Datum
convert_key(Datum key, Oid from, Oid to)
{
	return from == to ? key : inv_from_text(to, inv_datum_text(from, key));
}

/*
 * The item of an order row as a key of items: the column can be a wider or narrower
 * integer.  Raises if the value does not fit.
 */
Datum
inv_item_of_order(InvStore *store, Datum value)
{
	Assert(store->order_item.attnum != InvalidAttrNumber);
	return convert_key(value, store->order_item.base, store->item_id.base);
}

/* A key of items as the item of an order row. */
Datum
inv_item_for_order(InvStore *store, Datum item)
{
	Assert(store->order_item.attnum != InvalidAttrNumber);
	return convert_key(item, store->item_id.base, store->order_item.base);
}

/*
 * Are two ids the same user?  Users are compared as the user column of orders is, by its
 * type and collation: under some collations one user has several spellings.
 */
bool
inv_same_user(InvStore *store, Datum a, Datum b)
{
	Assert(OidIsValid(store->user_ops->eq_opr_finfo.fn_oid));
	return DatumGetBool(
		FunctionCall2Coll(&store->user_ops->eq_opr_finfo, store->user_collation, a, b));
}

/* The same of users of whom either can be null. */
bool
inv_same_users(InvStore *store, const InvUser *a, const InvUser *b)
{
	if (a->isnull || b->isnull)
		return a->isnull == b->isnull;
	return inv_same_user(store, a->value, b->value);
}

/* A hash that all spellings of a user share; that of a guest is 0. */
uint64
inv_user_hash(InvStore *store, const InvUser *user)
{
	Assert(OidIsValid(store->user_ops->hash_extended_proc_finfo.fn_oid));
	if (user->isnull)
		return 0;
	return DatumGetUInt64(FunctionCall2Coll(&store->user_ops->hash_extended_proc_finfo,
											store->user_collation, user->value, UInt64GetDatum(0)));
}
