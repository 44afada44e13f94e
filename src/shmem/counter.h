/*
 * counter.h
 *		The counter of a hot item: take, give, wait.
 */
#ifndef INV_COUNTER_H
#define INV_COUNTER_H

#include "shmem/hot_table.h"

/* How an attempt ended. */
typedef enum InvEscrowResult
{
	INV_ESCROW_DONE,
	INV_ESCROW_SHORT,	 /* and nobody in flight could change that */
	INV_ESCROW_WAIT,	 /* somebody in flight could */
	INV_ESCROW_GONE,	 /* the item is not hot any more, or not published */
	INV_ESCROW_OVERFLOW, /* more than its stock column can have */
	INV_ESCROW_OWN		 /* this transaction has units in flight itself */
} InvEscrowResult;

/* One item's part of a purchase. */
typedef struct InvEscrowTake
{
	int64 quantity;
	int64 lowest; /* what may be left above the floor; 0, or less for who may go below it */
	int64 left;	  /* above the floor; also what there is when it was not enough */
	int64 epoch;  /* that its movement has to carry */
} InvEscrowTake;

/* reading */
extern InvHeat inv_escrow_look(const InvEscrow *escrow, InvCounted *now);
extern void inv_escrow_refresh(const InvEscrow *escrow, const InvCounted *read);
extern bool inv_escrow_is_own(const InvEscrow *escrow);
extern bool inv_escrow_at_rest(const InvEscrow *escrow, uint64 *changes);

/* taking and giving */
extern InvEscrowResult inv_escrow_peek(const InvEscrow *escrow, InvEscrowTake *take);
extern InvEscrowResult inv_escrow_take(const InvEscrow *escrow, InvEscrowTake *take,
									   TimestampTz now);
extern InvEscrowResult inv_escrow_give(const InvEscrow *escrow, int64 quantity, int64 *epoch,
									   TimestampTz now);
extern InvEscrowResult inv_escrow_force(const InvEscrow *escrow, int64 change, int64 floor_change);
extern void inv_escrow_will_be_stale(const InvEscrow *escrow);
extern void inv_escrow_expires(const InvEscrow *escrow, TimestampTz when);
extern void inv_escrow_expired(const InvEscrow *escrow, TimestampTz next, uint64 changes);
extern bool inv_escrow_wait(const InvEscrow *escrow, InvEscrowTake *take, TimestampTz deadline);

#endif /* INV_COUNTER_H */
