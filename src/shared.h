/*
 * shared.h
 *		What sessions share, where the library is preloaded.
 *
 * inv_shared is null where it is not: then counters are the session's own, and
 * there is no worker.
 */
#ifndef INV_SHARED_H
#define INV_SHARED_H

#include "port/atomics.h"
#include "storage/lwlock.h"
#include "utils/timestamp.h"

/* The worker of one database. */
typedef struct InvWorkerSlot
{
	Oid database; /* InvalidOid: free */
	pid_t pid;	  /* 0: registered, not running yet */
	bool wanted;  /* a session made work for it */
	TimestampTz since;
	TimestampTz last_run;
} InvWorkerSlot;

#define INV_WORKER_SLOTS 64

typedef struct InvShared
{
	LWLock *lock; /* guards workers */
	InvWorkerSlot workers[INV_WORKER_SLOTS];
} InvShared;

extern InvShared *inv_shared;

extern void inv_shared_init(void);

#endif /* INV_SHARED_H */
