/*
 * shared.c
 *		Shared memory: asked for and set up when the library is preloaded.
 *
 * Everything in it is lost when a backend is killed, and may be: the worker is
 * started again by whoever needs it, counters begin at 0.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/shmem.h"

#include "shared.h"
#include "stats.h"

#define TRANCHE "inventory"

InvShared *inv_shared = NULL;

static shmem_request_hook_type next_request = NULL;
static shmem_startup_hook_type next_startup = NULL;

static void
request(void)
{
	if (next_request)
		next_request();
	RequestAddinShmemSpace(MAXALIGN(sizeof(InvShared)) + inv_stats_size());
	RequestNamedLWLockTranche(TRANCHE, 2);
}

static void
startup(void)
{
	LWLockPadded *locks;
	bool found;

	if (next_startup)
		next_startup();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	locks = GetNamedLWLockTranche(TRANCHE);
	inv_shared = ShmemInitStruct("inventory", sizeof(InvShared), &found);
	if (!found)
	{
		memset(inv_shared, 0, sizeof(InvShared));
		inv_shared->lock = &locks[0].lock;
	}
	inv_stats_attach(&locks[1].lock);
	LWLockRelease(AddinShmemInitLock);
}

void
inv_shared_init(void)
{
	if (!process_shared_preload_libraries_in_progress)
		return;
	next_request = shmem_request_hook;
	shmem_request_hook = request;
	next_startup = shmem_startup_hook;
	shmem_startup_hook = startup;
}
