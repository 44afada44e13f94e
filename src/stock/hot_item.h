/*
 * hot_item.h
 *		Hot items as the tables have them, and how their counters come to be.
 */
#ifndef INV_HOT_ITEM_H
#define INV_HOT_ITEM_H

#include "shmem/hot_table.h"
#include "store/binding.h"
#include "store/query.h"

/* An item's row in "hot". */
typedef struct InvHotRow
{
	int64 number;
	int64 settled; /* movements up to this epoch are in the stock column */
	bool hot;
	bool own; /* written by this transaction */
} InvHotRow;

extern void inv_hot_init(void);

extern bool inv_hot_none(InvStore *store);
extern bool inv_hot_left_out(InvStore *store);
extern bool inv_hot_not(InvStore *store, Datum item);
extern bool inv_hot_any(InvStore *store);
extern bool inv_hot_find(InvStore *store, Datum item, InvEscrow *escrow);
extern InvHeat inv_hot_state(InvStore *store, Datum item, InvEscrow *escrow);
extern bool inv_hot_differs(InvStore *store, Datum item, int64 *expected, int64 *actual);
extern int64 inv_hot_unsettled(InvStore *store, Datum item, InvView view);

/* for heat.c */
extern InvHeated *inv_hot_heated(InvStore *store);
extern bool inv_hot_row(InvStore *store, Datum item, InvView view, InvHotRow *row);
extern int64 inv_hot_sum(InvStore *store, Datum item, int64 after, int64 through, InvView view,
						 int64 *last);
extern void inv_hot_absorb(InvStore *store, Datum item, int64 sum, int64 through, bool hot);
extern void inv_hot_will_change(InvStore *store);
extern bool inv_hot_fold(InvStore *store, Datum item);

#endif /* INV_HOT_ITEM_H */
