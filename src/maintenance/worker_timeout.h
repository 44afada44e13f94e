/*
 * worker_timeout.h
 *		The time that the worker spends on a store is bounded.
 */
#ifndef INV_WORKER_TIMEOUT_H
#define INV_WORKER_TIMEOUT_H

extern void inv_worker_timeout_init(void);
extern void inv_worker_timeout_begin(int milliseconds);
extern bool inv_worker_timeout_end(void);

#endif /* INV_WORKER_TIMEOUT_H */
