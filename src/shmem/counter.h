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
	INV_COUNTER_SHORT,	  /* and nobody in flight could change that */
	INV_COUNTER_WAIT,	  /* somebody in flight could */
	INV_COUNTER_GONE,	  /* the item is not hot any more, or not published */
	INV_COUNTER_OVERFLOW, /* more than its stock column can have */
	INV_COUNTER_OWN		  /* this transaction has units in flight itself */
} InvCounterResult;

/* One item's part of a purchase. */
typedef struct InvCounterTake
{
	int64 quantity;
	int64 lowest; /* what may be left above the floor; 0, or less for who may go below it */
	int64 left;	  /* above the floor; also what there is when it was not enough */
	int64 epoch;  /* that its movement has to carry */
} InvCounterTake;

/* reading */
extern InvHotState inv_counter_look(const InvCounterRef *counter, InvCounterValues *now);
extern void inv_counter_refresh(const InvCounterRef *counter, const InvCounterValues *read);
extern bool inv_counter_is_own(const InvCounterRef *counter);
extern bool inv_counter_at_rest(const InvCounterRef *counter, uint64 *changes);

/* taking and giving */
extern InvCounterResult inv_counter_peek(const InvCounterRef *counter, InvCounterTake *take);
extern InvCounterResult inv_counter_take(const InvCounterRef *counter, InvCounterTake *take,
										 TimestampTz now);
extern InvCounterResult inv_counter_give(const InvCounterRef *counter, int64 quantity, int64 *epoch,
										 TimestampTz now);
extern InvCounterResult inv_counter_force(const InvCounterRef *counter, int64 change,
										  int64 floor_change);
extern void inv_counter_will_be_stale(const InvCounterRef *counter);
extern void inv_counter_expires(const InvCounterRef *counter, TimestampTz when);
extern void inv_counter_expired(const InvCounterRef *counter, TimestampTz next, uint64 changes);
extern bool inv_counter_wait(const InvCounterRef *counter, InvCounterTake *take,
							 TimestampTz deadline);

#endif /* INV_COUNTER_H */
