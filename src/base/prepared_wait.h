/*
 * prepared_wait.h
 *		A call does not wait indefinitely for a transaction that is prepared.
 */
#ifndef INV_PREPARED_WAIT_H
#define INV_PREPARED_WAIT_H

/* A call whose waits are bounded, or that runs within one. */
typedef struct InvPreparedWait
{
	bool on; /* its waits are bounded, and it is the outermost such call */
	ErrorContextCallback context;
} InvPreparedWait;

extern void inv_prepared_wait_init(void);
extern void inv_prepared_wait_begin(InvPreparedWait *wait);
extern void inv_prepared_wait_end(InvPreparedWait *wait);
extern bool inv_prepared_wait_was_cancelled(void);

#endif /* INV_PREPARED_WAIT_H */
