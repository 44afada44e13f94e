/*
 * worker.h
 *		The background worker of a database.
 */
#ifndef INV_WORKER_H
#define INV_WORKER_H

extern void inv_worker_init(void);
extern void inv_worker_need(void);
extern void inv_worker_start(void);

#endif /* INV_WORKER_H */
