/*
 * quantity.h
 *		Quantities of one item: taken, given, corrected.
 */
#ifndef INV_QUANTITY_H
#define INV_QUANTITY_H

#include "storage/itemptr.h"

#include "base/error.h"
#include "shmem/hot_table.h"

/* One item of a purchase, its lines summed. */
typedef struct InvTake
{
	Datum item;
	int64 quantity;

	/* as last read, or left by the take */
	InvStatus status;
	bool tracked; /* false: the stock is null, and any quantity can be sold */
	int64 stock;
	int64 floor;
	bool limited;
	int64 limit;   /* units that one user may have */
	int64 used;	   /* units that this user has */
	bool one_call; /* exceeded is the limit of one call, which "limit" is then */
	int64 version;
	int64 overdue; /* units of overdue holds that are not given back yet */

	const char *order; /* of the line for which other code asks; null in calls of the engine */

	ItemPointerData row_tid; /* where its row was seen last, or invalid; it may be elsewhere now */
	bool row_written;		 /* directly, so this transaction has it locked */
	bool hot;
	InvCounterRef counter; /* of a hot item */
	int64 epoch;		   /* that the movement has to carry; 0: none */
} InvTake;

/* Units of one item that come back. */
typedef struct InvGive
{
	Datum item;
	int64 quantity;
	bool tracked; /* set by inv_give: the stock has them; false: it is null, or there is no item */

	bool hot;
	InvCounterRef counter;
	int64 epoch;
} InvGive;

/* The stock of an item that an operator corrects. */
typedef struct InvStock
{
	Datum item;
	bool tracked;
	int64 stock;
	int64 floor;

	bool hot;
	InvCounterRef counter;
	int64 epoch;
} InvStock;

/* A row after the statement that wrote it, as the guard saw it. */
typedef struct InvRowLevel
{
	int64 stock;
	int64 floor;
	bool hot; /* units were taken from the row of a hot item, and have to go back */
} InvRowLevel;

extern int64 inv_available(int64 stock, int64 floor);
extern int64 inv_above_floor(int64 stock, int64 floor);
extern int64 inv_missing_units(int64 stock, int64 floor, int64 quantity);
extern void inv_check_quantity(int64 quantity, int64 stock);
extern InvStatus inv_judge_take(const InvTake *take);
extern bool inv_has_status(const InvTake *takes, int count, InvStatus status);

#endif /* INV_QUANTITY_H */
