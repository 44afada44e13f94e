/*
 * counter_state.h
 *		How the counter of a hot item is published, its epochs closed, and cooled.
 */
#ifndef INV_COUNTER_STATE_H
#define INV_COUNTER_STATE_H

#include "shmem/counter.h"
#include "shmem/hot_table.h"

extern bool inv_escrow_publish(const InvEscrow *escrow, const InvCounted *counted, bool unsettled);
extern bool inv_escrow_close_epoch(const InvEscrow *escrow, int64 *through);
extern void inv_escrow_settled(const InvEscrow *escrow, int64 through);
extern InvEscrowResult inv_escrow_cool(const InvEscrow *escrow, TimestampTz deadline,
									   int64 *settled);
extern bool inv_escrow_is_cooling(const InvEscrow *escrow);

#endif /* INV_COUNTER_STATE_H */
