/*
 * order_row.h
 *		The bound columns of an order row.
 */
#ifndef INV_ORDER_ROW_H
#define INV_ORDER_ROW_H

#include "access/htup.h"
#include "executor/tuptable.h"
#include "nodes/bitmapset.h"
#include "utils/relcache.h"

#include "store/binding.h"

/* The bound columns of an order row. */
typedef struct InvOrderRow
{
	bool exists;
	Datum order;
	bool no_order;
	Datum item; /* as orders have it */
	bool no_item;
	int64 units; /* whole units */
	bool no_units;
	InvUser user;
	Datum header;
	bool no_header;
} InvOrderRow;

extern void inv_order_row_read(InvStore *store, Relation rel, TupleTableSlot *slot,
							   InvOrderRow *row);
extern Datum inv_order_row_whole(Oid table, Relation rel, HeapTuple row);
extern bool inv_row_changed(Oid table, Relation rel, HeapTuple old, HeapTuple new,
							const Bitmapset *columns);
extern void inv_order_row_copy(InvStore *store, InvOrderRow *row);
extern bool inv_order_row_same_key(InvStore *store, const InvOrderRow *a, const InvOrderRow *b);
extern bool inv_order_row_same_item(InvStore *store, const InvOrderRow *a, const InvOrderRow *b);
extern bool inv_order_row_same_units(const InvOrderRow *a, const InvOrderRow *b);
extern bool inv_order_row_same_user(InvStore *store, const InvOrderRow *a, const InvOrderRow *b);
extern bool inv_order_row_same_header(InvStore *store, const InvOrderRow *a, const InvOrderRow *b);
extern bool inv_order_row_same(InvStore *store, const InvOrderRow *a, const InvOrderRow *b);

#endif /* INV_ORDER_ROW_H */
