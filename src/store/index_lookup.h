/*
 * index_lookup.h
 *		Rows found through an index, without a statement.
 */
#ifndef INV_INDEX_LOOKUP_H
#define INV_INDEX_LOOKUP_H

#include "access/relscan.h"
#include "access/skey.h"
#include "executor/tuptable.h"

#include "store/binding.h"

/* A scan of a table through an index, and its current row. */
typedef struct InvLookup
{
	Relation index;
	IndexScanDesc scan;
	TupleTableSlot *slot;
} InvLookup;

extern bool inv_index_compares_items(InvStore *store, Relation index, int column);
extern Oid inv_find_index(InvStore *store, Relation table, bool (*fits)(InvStore *, Relation));
extern Oid inv_find_item_index(InvStore *store, Relation items);
extern void inv_init_same_item(InvStore *store, FmgrInfo *same_item);
extern void inv_init_item_key(InvStore *store, FmgrInfo *same_item, Datum item, ScanKey key);

extern void inv_begin_lookup(InvLookup *lookup, Relation table, Oid index, Snapshot snapshot,
							 ScanKey keys, int key_count);
extern void inv_repeat_lookup(InvLookup *lookup, ScanKey keys, int key_count);
extern bool inv_next_lookup_row(InvLookup *lookup);
extern void inv_end_lookup(InvLookup *lookup);

#endif /* INV_INDEX_LOOKUP_H */
