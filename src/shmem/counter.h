/*
 * counter.h
 *		The counter of a hot item: take, give, wait.
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
	INV_COUNTER_OWN		  /* this transaction has units in flight itself */
} InvCounterResult;

/* Units of one item to be taken. */
typedef struct InvCounterTake
{
	int64 quantity;
	int64 lowest; /* what must be left above the floor: 0, or less to go below it */
	int64 left;	  /* out: above the floor after the take, or without it if it was refused */
	int64 epoch;  /* out: the movement of the take has to carry it */
} InvCounterTake;

/* reading */
extern InvHotState inv_counter_read(const InvCounterRef *counter, InvCounterValues *values);
extern void inv_counter_refresh_limits(const InvCounterRef *counter, const InvCounterValues *read);
extern bool inv_counter_has_own_units(const InvCounterRef *counter);
extern bool inv_counter_at_rest(const InvCounterRef *counter, uint64 *changes);

/* taking and giving */
extern InvCounterResult inv_counter_peek(const InvCounterRef *counter, InvCounterTake *take);
extern InvCounterResult inv_counter_take(const InvCounterRef *counter, InvCounterTake *take,
										 int64 now);
extern InvCounterResult inv_counter_give(const InvCounterRef *counter, int64 quantity, int64 *epoch,
										 int64 now);
extern InvCounterResult inv_counter_change_unchecked(const InvCounterRef *counter, int64 change,
													 int64 floor_change);
extern void inv_counter_invalidate_limits(const InvCounterRef *counter);

/* holds that expire */
extern void inv_counter_note_expiry(const InvCounterRef *counter, TimestampTz when);
extern void inv_counter_set_next_expiry(const InvCounterRef *counter, TimestampTz next,
										uint64 changes);

/* waiting */
extern bool inv_counter_wait(const InvCounterRef *counter, InvCounterTake *take, int64 deadline);

#endif /* INV_COUNTER_H */
