/*
 * counter_state.h
 *		How the counter of a hot item is published, settled and cooled.
 */
#ifndef INV_COUNTER_STATE_H
#define INV_COUNTER_STATE_H

#include "shmem/counter.h"
#include "shmem/hot_table.h"

extern bool inv_counter_publish(const InvCounterRef *counter, const InvCounterValues *counted,
								bool unsettled);
extern bool inv_counter_unpublish(const InvCounterRef *counter);
extern bool inv_counter_close_epoch(const InvCounterRef *counter, int64 *upto_epoch);
extern void inv_counter_settled(const InvCounterRef *counter, int64 upto_epoch);
extern InvCounterResult inv_counter_cool(const InvCounterRef *counter, int64 deadline,
										 int64 *settled);
extern bool inv_counter_is_cooling(const InvCounterRef *counter);
extern void inv_counter_note_problem(const InvCounterRef *counter, const char *problem,
									 int64 retry_at);
extern bool inv_counter_has_problem(const InvCounterRef *counter);

#endif /* INV_COUNTER_STATE_H */
