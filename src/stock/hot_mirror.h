/*
 * hot_mirror.h
 *		The counter of a hot item follows its row.
 */
#ifndef INV_HOT_MIRROR_H
#define INV_HOT_MIRROR_H

#include "executor/tuptable.h"

#include "base/compat.h"
#include "store/binding.h"

/* A change of an item's row that is written, but not committed. */
typedef struct InvRowChange
{
	Datum item;
	int64 stock; /* after the change */
	int64 floor;
	int64 old_floor;
	int64 stock_change;		/* that the counter has to follow */
	bool taken;				/* beside stock_change, the engine took units from the row */
	bool tracking_changes;	/* between a number and null; a deleted row counts as null */
	bool limits_may_change; /* purchase_limit, or what is for sale */
	bool replicated;		/* a subscriber applies it: it cannot be refused */
	TupleTableSlot *row;	/* after the change, if the engine did not announce it; or null */
} InvRowChange;

/* What the counter did about a change of the row. */
typedef enum InvMirrored
{
	INV_MIRRORED_COLD,	   /* nothing: the item is cold */
	INV_MIRRORED_FOLLOWED, /* it has the change, or will be counted with it */
	INV_MIRRORED_UNDO	   /* the engine has to put its take back, and take from the counter */
} InvMirrored;

extern InvMirrored inv_hot_mirror(InvStore *store, const InvRowChange *change);

INV_NORETURN extern void inv_error_direct_below_floor(InvStore *store, Datum item, int64 left,
													  int64 floor);

#endif /* INV_HOT_MIRROR_H */
