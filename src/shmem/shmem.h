/*
 * shmem.h
 *		What sessions share.
 *
 * From PostgreSQL 17 on it need not be preloaded for that; counters are the
 * session's own then.  inv_shmem is null where there is nothing: no worker, no
 * hot items.
 */
#ifndef INV_SHMEM_H
#define INV_SHMEM_H

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

typedef struct InvShmem
{
	int tranche; /* of the locks */
	LWLock lock; /* guards workers */
	LWLock stats_lock;
	InvWorkerSlot workers[INV_WORKER_SLOTS];
} InvShmem;

extern InvShmem *inv_shmem;

extern void inv_shmem_init(void);
extern void inv_shmem_open(void);

#endif /* INV_SHMEM_H */
