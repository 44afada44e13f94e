/*
 * shmem.h
 *		The block of shared memory.
 *
 * inv_shmem is null where there is none: then no worker runs and no item has a counter.
 */
#ifndef INV_SHMEM_H
#define INV_SHMEM_H

#include "storage/lwlock.h"
#include "utils/timestamp.h"

/* The worker of one database. */
typedef struct InvWorkerSlot
{
	Oid database;		  /* InvalidOid: free */
	pid_t pid;			  /* 0: registered, not running yet */
	bool wanted;		  /* a session has asked for it since it last tried to leave */
	TimestampTz since;	  /* when the slot was reserved */
	TimestampTz last_run; /* 0: not yet */
} InvWorkerSlot;

/* how many databases of the server may have a worker */
#define INV_WORKER_SLOTS 64

typedef struct InvShmem
{
	int tranche;	   /* of the locks */
	LWLock lock;	   /* guards workers */
	LWLock stats_lock; /* guards the hash table of stats.c */
	InvWorkerSlot workers[INV_WORKER_SLOTS];
} InvShmem;

extern InvShmem *inv_shmem;

extern void inv_shmem_init(void);
extern void inv_shmem_open(void);

#endif /* INV_SHMEM_H */
