/*
 * quantity.h
 *		Quantities of one item: taken, given, on hand.
 */
#ifndef INV_QUANTITY_H
#define INV_QUANTITY_H

#include "base/error.h"
#include "shmem/hot_table.h"

/* One item of a purchase, its lines summed. */
typedef struct InvTake
{
	Datum item;
	int64 quantity;
	InvStatus status;
	bool tracked; /* false: stock is null, sells without limit */
	int64 stock;  /* as last seen, or left after the take */
	int64 floor;
	bool limited;
	int64 limit; /* units one user may have */
	int64 used;	 /* units this user has */
	int64 version;
	int64 overdue; /* units of holds that are overdue and not given back yet */
	bool hot;
	InvCounterRef counter; /* of a hot item */
	int64 epoch;		   /* that its movement has to carry; 0: none */
} InvTake;

/* Units of one item that come back. */
typedef struct InvGive
{
	Datum item;
	int64 quantity;
	bool tracked; /* false: there is no number to add to, or no such item */
	bool hot;
	InvCounterRef counter;
	int64 epoch;
} InvGive;

/* The stock of an item after a change. */
typedef struct InvStock
{
	bool tracked;
	int64 stock;
	int64 floor;
	bool hot;
	InvCounterRef counter;
	int64 epoch;
} InvStock;

/* What a row has after the statement that wrote it. */
typedef struct InvRowLevel
{
	int64 stock;
	int64 floor;
	bool hot; /* units were taken from the row of a hot item: the engine has to undo that */
} InvRowLevel;

extern int64 inv_available(int64 stock, int64 floor);
extern bool inv_has_status(const InvTake *takes, int count, InvStatus status);
extern InvStatus inv_judge_take(const InvTake *take);

#endif /* INV_QUANTITY_H */
