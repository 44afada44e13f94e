/*
 * counter_wait.h
 *		Wait for other transactions that have units of a hot item in flight.
 */
#ifndef INV_COUNTER_WAIT_H
#define INV_COUNTER_WAIT_H

#include "shmem/counter.h"
#include "shmem/hot_table.h"

extern bool inv_counter_wait(const InvCounterRef *counter, InvCounterTake *take, int64 deadline);

#endif /* INV_COUNTER_WAIT_H */
