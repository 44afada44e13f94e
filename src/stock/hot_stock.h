/*
 * hot_stock.h
 *		Stock of a hot item, in its counter: what item_row.c is for the others.
 */
#ifndef INV_HOT_STOCK_H
#define INV_HOT_STOCK_H

#include "store/binding.h"
#include "stock/quantity.h"

extern bool inv_hot_find_many(InvStore *store, InvTake *takes, int count);
extern bool inv_hot_read(InvStore *store, InvTake *take);
extern void inv_hot_judge(InvStore *store, InvTake *take);
extern bool inv_hot_take(InvStore *store, InvTake *take);
extern void inv_hot_untake(InvTake *take);
extern bool inv_hot_give(InvStore *store, InvGive *give);
extern bool inv_hot_change(InvStore *store, Datum item, InvStock *stock, int64 delta, int64 lowest);

/* What somebody does to the row of an item. */
typedef struct InvRowChange
{
	Datum item;
	int64 stock_change; /* without what the engine took from it */
	bool taken;			/* the engine took from it */
	int64 floor_change;
	int64 stock; /* after it */
	int64 floor;
	bool vanishes; /* the item, or its number; or it gets one */
	bool limits;   /* perhaps also who may buy it, and how much */
	bool decided;  /* elsewhere: nobody is asked */
} InvRowChange;

/* What has become of that. */
typedef enum InvMirrored
{
	INV_MIRRORED_COLD,
	INV_MIRRORED_FOLLOWED, /* the counter has it, or will be counted with it */
	INV_MIRRORED_UNDO	   /* the engine has to take from the counter instead */
} InvMirrored;

extern InvMirrored inv_hot_mirror(InvStore *store, const InvRowChange *change);

#endif /* INV_HOT_STOCK_H */
