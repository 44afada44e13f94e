/*
 * counter.h
 *		The counter of a hot item: take and give.
 */
#ifndef INV_COUNTER_H
#define INV_COUNTER_H

#include "shmem/hot_table.h"

/* How an attempt ended. */
typedef enum InvCounterResult
{
	INV_COUNTER_DONE,
	INV_COUNTER_SHORT,	  /* and no transaction in flight could change that */
	INV_COUNTER_WAIT,	  /* a transaction in flight could change the result */
	INV_COUNTER_NOT_HOT,  /* the item is not hot any more, or not published */
	INV_COUNTER_OVERFLOW, /* more than the stock column can have */
	INV_COUNTER_OWN		  /* this transaction has units in flight itself, and has to end first */
} InvCounterResult;

/* Units of one item to be taken. */
typedef struct InvCounterTake
{
	int64 quantity;
	bool below_floor; /* it may go below the floor, */
	int64 least;	  /* as long as so much is left */
	int64 left;		  /* out: the stock after the take, or without it if it was refused */
	int64 floor;	  /* out */
	int64 epoch;	  /* out: the movement of the take has to carry it */
} InvCounterTake;

/* reading */
extern InvHotState inv_counter_read(const InvCounterRef *counter, InvCounterValues *values);
extern InvHotState inv_counter_read_with_own(const InvCounterRef *counter,
											 InvCounterValues *values);
extern void inv_counter_refresh_limits(const InvCounterRef *counter, const InvCounterValues *read);
extern bool inv_counter_has_own_units(const InvCounterRef *counter);
extern bool inv_counter_at_rest(const InvCounterRef *counter, uint64 *changes);

/* taking and giving */
extern InvCounterResult inv_counter_peek(const InvCounterRef *counter, InvCounterTake *take);
extern InvCounterResult inv_counter_take(const InvCounterRef *counter, InvCounterTake *take,
										 int64 now);
extern InvCounterResult inv_counter_give(const InvCounterRef *counter, int64 quantity, int64 *epoch,
										 int64 now);
extern InvCounterResult inv_counter_change_unchecked(const InvCounterRef *counter, int64 change);
extern InvCounterResult inv_counter_change_floor(const InvCounterRef *counter, int64 from,
												 int64 to);
extern void inv_counter_invalidate_limits(const InvCounterRef *counter);
extern void inv_counter_count_again(const InvCounterRef *counter);

/* holds that expire */
extern void inv_counter_note_expiry(const InvCounterRef *counter, TimestampTz when);
extern void inv_counter_set_next_expiry(const InvCounterRef *counter, TimestampTz next,
										uint64 changes);

#endif /* INV_COUNTER_H */
