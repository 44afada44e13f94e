/*
 * worker_slot.h
 *		Which databases need a worker, and whose turn it is.
 */
#ifndef INV_WORKER_SLOT_H
#define INV_WORKER_SLOT_H

#include "shmem/shmem.h"

extern void inv_worker_slot_init(void);

/* for sessions, and inv_worker_slot_read for the worker, too */
extern void inv_worker_start_at_commit(void);
extern void inv_worker_start(void);
extern bool inv_worker_slot_read(InvWorkerSlot *copy);

/* for the launcher */
extern bool inv_worker_start_in(Oid database);

/* for the worker itself */
extern bool inv_worker_slot_take(Oid database, bool *kept_out);
extern void inv_worker_slot_begin_round(void);
extern void inv_worker_slot_ran(void);
extern bool inv_worker_slot_may_leave(void);
extern bool inv_worker_slot_yield(long work_in_ms);
extern void inv_worker_slot_hand_over(Oid behind, bool kept_out);
extern void inv_worker_slot_start_waiting(void);
extern void inv_worker_slot_set_next_prune(int64 instant);

#endif /* INV_WORKER_SLOT_H */
