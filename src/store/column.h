/*
 * column.h
 *		Values of bound columns.
 */
#ifndef INV_COLUMN_H
#define INV_COLUMN_H

#include "executor/tuptable.h"

#include "base/fact.h"
#include "store/binding.h"

/*
 * The longest text that can be the id of an item, a user or an order without orders: two of
 * them fit into one row of an index.
 */
#define INV_MAX_ID_BYTES 1024

extern void inv_check_id_length(Oid type, Datum id, const char *name);
extern InvFacts *inv_item_facts(InvStore *store, Datum item);
extern InvFacts *inv_item_key_facts(InvStore *store, Datum item);
extern char *inv_item_text(InvStore *store, Datum item);
extern int inv_item_compare(InvStore *store, Datum a, Datum b);
extern uint64 inv_item_hash(InvStore *store, Datum item, uint64 seed);
extern bool inv_same_user(InvStore *store, Datum a, Datum b);
extern bool inv_same_users(InvStore *store, const InvUser *a, const InvUser *b);
extern uint64 inv_user_hash(InvStore *store, const InvUser *user);
extern int inv_header_compare(InvStore *store, Datum a, Datum b);
extern int inv_order_compare(InvStore *store, Datum a, Datum b);
extern Datum inv_item_of_order(InvStore *store, Datum value);
extern Datum inv_item_for_order(InvStore *store, Datum item);

extern bool inv_items_are_as_bound(const InvStore *store, TupleDesc items);
extern int64 inv_column_number(TupleTableSlot *slot, const InvColumn *column, int64 if_null,
							   bool *isnull);
extern int64 inv_max_units(InvStore *store);
extern int64 inv_min_units(InvStore *store);
extern int64 inv_row_floor(InvStore *store, TupleTableSlot *row);
extern Datum inv_quantity_datum(InvStore *store, int64 quantity);

#endif /* INV_COLUMN_H */
