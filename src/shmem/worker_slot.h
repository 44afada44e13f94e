/*
 * worker_slot.h
 *		Which database has a worker, and how it is started.
 */
#ifndef INV_WORKER_SLOT_H
#define INV_WORKER_SLOT_H


extern void inv_worker_slot_init(void);

/* for sessions */
extern void inv_worker_start_at_commit(void);
extern void inv_worker_start(void);

/* for the worker itself */
extern bool inv_worker_slot_take(Oid database);
extern void inv_worker_slot_ran(void);
extern bool inv_worker_slot_may_leave(void);

#endif /* INV_WORKER_SLOT_H */
