/*
 * index_lookup.c
 *		Rows found through an index, without a statement.
 *
 * direct_read.c and direct_take.c find an item by its unique index, and direct_read.c
 * overdue holds by theirs.  An index is used only if it compares as the engine does
 * (inv_item_compare), and if every snapshot can use it.
 *
 * Reads only.  Expects the table to be open and locked.  A scan takes the predicate locks
 * that the scan of a statement takes.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/tableam.h"
#include "catalog/pg_am.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "base/compat.h"
#include "store/binding.h"
#include "store/index_lookup.h"

/* Does a column of an index compare as inv_item_compare does? */
bool
inv_index_compares_items(InvStore *store, Relation index, int column)
{
	return index->rd_rel->relam == BTREE_AM_OID &&
		   index->rd_opfamily[column] == store->item_ops->btree_opf &&
		   index->rd_opcintype[column] == store->item_ops->btree_opintype &&
		   index->rd_indcollation[column] == store->item_id.collation;
}

/* The first index of a table for which fits() is true, or InvalidOid. */
Oid
inv_find_index(InvStore *store, Relation table, bool (*fits)(InvStore *, Relation))
{
	Oid found = InvalidOid;
	ListCell *cell;

	foreach (cell, RelationGetIndexList(table))
	{
		Relation index = index_open(lfirst_oid(cell), AccessShareLock);

		if (fits(store, index))
			found = lfirst_oid(cell);
		index_close(index, NoLock);
		if (OidIsValid(found))
			break;
	}
	return found;
}

static bool
is_item_index(InvStore *store, Relation index)
{
	Form_pg_index form = index->rd_index;

	return form->indisunique && form->indisvalid && !form->indcheckxmin && form->indimmediate &&
		   form->indnkeyatts == 1 && form->indkey.values[0] == store->item_id.attnum &&
		   RelationGetIndexPredicate(index) == NIL && inv_index_compares_items(store, index, 0);
}

/* A unique index on the key of items, or InvalidOid. */
Oid
inv_find_item_index(InvStore *store, Relation items)
{
	return inv_find_index(store, items, is_item_index);
}

/* Prepare the comparison of keys for inv_init_item_key, in the current memory context. */
void
inv_init_same_item(InvStore *store, FmgrInfo *same_item)
{
	Oid equal = get_opfamily_member(store->item_ops->btree_opf, store->item_ops->btree_opintype,
									store->item_ops->btree_opintype, BTEqualStrategyNumber);

	fmgr_info_cxt(get_opcode(equal), same_item, CurrentMemoryContext);
}

/* The condition "the first column of the index is this item". */
void
inv_init_item_key(InvStore *store, FmgrInfo *same_item, Datum item, ScanKey key)
{
	ScanKeyEntryInitializeWithInfo(key, 0, 1, BTEqualStrategyNumber, InvalidOid,
								   store->item_id.collation, same_item, item);
}

void
inv_begin_lookup(InvLookup *lookup, Relation table, Oid index, Snapshot snapshot, ScanKey keys,
				 int key_count)
{
	lookup->index = index_open(index, AccessShareLock);
	lookup->slot = table_slot_create(table, NULL);
	lookup->scan = inv_index_beginscan(table, lookup->index, snapshot, key_count);
	index_rescan(lookup->scan, keys, key_count, NULL, 0);
}

/* Look up other rows, with the same index and snapshot: that costs less than to begin. */
void
inv_repeat_lookup(InvLookup *lookup, ScanKey keys, int key_count)
{
	index_rescan(lookup->scan, keys, key_count, NULL, 0);
}

bool
inv_next_lookup_row(InvLookup *lookup)
{
	return index_getnext_slot(lookup->scan, ForwardScanDirection, lookup->slot);
}

void
inv_end_lookup(InvLookup *lookup)
{
	index_endscan(lookup->scan);
	ExecDropSingleTupleTableSlot(lookup->slot);
	index_close(lookup->index, NoLock);
}
