/*
 * hot_mirror.h
 *		The counter of a hot item follows its row.
 */
#ifndef INV_HOT_MIRROR_H
#define INV_HOT_MIRROR_H

#include "store/binding.h"

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

#endif /* INV_HOT_MIRROR_H */
