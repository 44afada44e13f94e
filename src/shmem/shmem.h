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

typedef enum InvWorkerState
{
	INV_WORKER_IDLE,	 /* nothing is to be done, as far as is known */
	INV_WORKER_WAITING,	 /* for its turn, or for a slot of the server */
	INV_WORKER_STARTING, /* registered, not running yet */
	INV_WORKER_RUNNING
} InvWorkerState;

/* The worker of one database.  Instants are those of base/clock.h. */
typedef struct InvWorkerSlot
{
	Oid database; /* InvalidOid: free */
	InvWorkerState state;
	pid_t pid;			  /* of the worker that runs, or 0 */
	bool wanted;		  /* a session has asked for it since its round began */
	bool kept_out;		  /* another session wants the database: a worker first waits outside */
	int64 since;		  /* when the state began */
	int64 due;			  /* while it waits: when there is work for it */
	int64 next_prune;	  /* when it is to prune next */
	TimestampTz last_run; /* 0: not yet */
	Oid ended_by;		  /* the store that ended the last worker, by its items; InvalidOid: none */
} InvWorkerSlot;

/*
 * A store with which the worker had errors, or an owner one of whose stores ended a worker:
 * the worker leaves them alone for a while.
 */
typedef struct InvStoreRest
{
	Oid database; /* InvalidOid: free */
	Oid class;	  /* pg_class or pg_authid */
	Oid object;	  /* the table of items, or the owner */
	int errors;	  /* rounds in a row that ended in an error */
	int64 until;  /* by base/clock.h */
} InvStoreRest;

#define INV_WORKER_SLOTS 256 /* how many databases of the server can need a worker */
#define INV_STORE_RESTS 256	 /* how many stores and owners rest */

/* of the block with its tables: another number after each change of one of their structures */
#define INV_SHMEM_LAYOUT 5

typedef struct InvShmem
{
	int tranche;	   /* of the locks */
	LWLock lock;	   /* guards what follows, except for stats_lock */
	LWLock stats_lock; /* guards the table of stats.c */
	int64 refused;	   /* when the server had no slot for a worker, by base/clock.h; 0: it had */
	InvWorkerSlot workers[INV_WORKER_SLOTS];
	InvStoreRest rests[INV_STORE_RESTS];
} InvShmem;

extern InvShmem *inv_shmem;

extern void inv_shmem_init(void);
extern void inv_shmem_open(void);

#endif /* INV_SHMEM_H */
