/*
 * shmem.c
 *		Shared memory: one block, in which each room has its part.
 *
 * Where the library is preloaded the block is asked for at the server's start.
 * From PostgreSQL 17 on, the first session that needs it makes it otherwise.
 *
 * Everything in it is lost when a backend is killed, and may be: the worker is
 * started again by whoever needs it, counters begin at 0, hot items are counted
 * again.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/shmem.h"

#include "base/compat.h"
#include "base/stats.h"
#include "shmem/hot_table.h"
#include "shmem/shmem.h"

#define NAME "inventory"

InvShmem *inv_shmem = NULL;

static shmem_request_hook_type next_request = NULL;
static shmem_startup_hook_type next_startup = NULL;

static Size
block_size(void)
{
	return add_size(PG_CACHE_LINE_SIZE + sizeof(InvShmem), inv_hot_table_size());
}

static void *
hot_table_part(void *block)
{
	return (void *) TYPEALIGN(PG_CACHE_LINE_SIZE, (char *) block + sizeof(InvShmem));
}

static void
fill_block(void *block)
{
	InvShmem *new = block;

	memset(new, 0, sizeof(InvShmem));
	new->tranche = LWLockNewTrancheId();
	LWLockInitialize(&new->lock, new->tranche);
	LWLockInitialize(&new->stats_lock, new->tranche);
	inv_hot_table_init(hot_table_part(block), new->tranche);
}

static void
use_block(void *block)
{
	inv_shmem = block;
	LWLockRegisterTranche(inv_shmem->tranche, NAME);
	inv_hot_table_attach(hot_table_part(block));
}

static void
shmem_request(void)
{
	if (next_request)
		next_request();
	RequestAddinShmemSpace(add_size(block_size(), inv_stats_size()));
}

static void
shmem_startup(void)
{
	void *block;
	bool found;

	if (next_startup)
		next_startup();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	block = ShmemInitStruct(NAME, block_size(), &found);
	if (!found)
		fill_block(block);
	use_block(block);
	inv_stats_attach(&inv_shmem->stats_lock);
	LWLockRelease(AddinShmemInitLock);
}

/* Join the others, if they share anything. */
void
inv_shmem_open(void)
{
	void *block;

	if (inv_shmem || !IsUnderPostmaster)
		return;
	block = inv_named_segment(NAME, block_size(), fill_block);
	if (block)
		use_block(block);
}

void
inv_shmem_init(void)
{
	if (!process_shared_preload_libraries_in_progress)
		return;
	next_request = shmem_request_hook;
	shmem_request_hook = shmem_request;
	next_startup = shmem_startup_hook;
	shmem_startup_hook = shmem_startup;
}
