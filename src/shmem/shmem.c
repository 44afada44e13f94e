/*
 * shmem.c
 *		The block of shared memory: workers' slots, locks, hot items, and statistics.
 *
 * Where the library is preloaded, the block is requested when the server starts.
 * Otherwise, from PostgreSQL 17 on, the first session that needs the block makes it.
 *
 * All of it is lost when a backend is killed, and may be: the next session that needs the
 * worker starts it, statistics begin at 0, and hot items are counted again.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/shmem.h"

#include "base/compat.h"
#include "base/error.h"
#include "base/layout.h"
#include "base/stats.h"
#include "shmem/hot_table.h"
#include "shmem/shmem.h"

#define SHMEM_NAME "inventory"
#define LAYOUT_NAME "inventory layout"

/* The number of the layout of the block, for libraries that did not make it. */
typedef struct Layout
{
	uint32 number;
} Layout;

INV_PIN_FIELD(Layout, number, 0);
INV_PIN_SIZE(Layout, 4);

INV_PIN_FIELD(InvWorkerSlot, database, 0);
INV_PIN_FIELD(InvWorkerSlot, state, 4);
INV_PIN_FIELD(InvWorkerSlot, pid, 8);
INV_PIN_FIELD(InvWorkerSlot, wanted, 12);
INV_PIN_FIELD(InvWorkerSlot, kept_out, 13);
INV_PIN_FIELD(InvWorkerSlot, since, 16);
INV_PIN_FIELD(InvWorkerSlot, due, 24);
INV_PIN_FIELD(InvWorkerSlot, next_prune, 32);
INV_PIN_FIELD(InvWorkerSlot, last_run, 40);
INV_PIN_FIELD(InvWorkerSlot, ended_by, 48);
INV_PIN_SIZE(InvWorkerSlot, 56);

INV_PIN_FIELD(InvStoreRest, database, 0);
INV_PIN_FIELD(InvStoreRest, class, 4);
INV_PIN_FIELD(InvStoreRest, object, 8);
INV_PIN_FIELD(InvStoreRest, errors, 12);
INV_PIN_FIELD(InvStoreRest, until, 16);
INV_PIN_SIZE(InvStoreRest, 24);

/* the size of a lock is the server's affair */
INV_PIN_FIELD(InvShmem, tranche, 0);
INV_PIN_FIELD(InvShmem, lock, 4);
INV_PIN_FIELD(InvShmem, stats_lock, 4 + sizeof(LWLock));
INV_PIN_FIELD(InvShmem, refused, TYPEALIGN(8, 4 + 2 * sizeof(LWLock)));
INV_PIN_FIELD(InvShmem, workers, offsetof(InvShmem, refused) + 8);
INV_PIN_FIELD(InvShmem, rests, offsetof(InvShmem, workers) + 256 * sizeof(InvWorkerSlot));
INV_PIN_SIZE(InvShmem, offsetof(InvShmem, rests) + 256 * sizeof(InvStoreRest));

InvShmem *inv_shmem = NULL;

static shmem_request_hook_type next_request = NULL;
static shmem_startup_hook_type next_startup = NULL;

/* The block, the table of hot items and the statistics, each aligned to a cache line. */
static Size
block_size(void)
{
	return add_size(add_size(2 * PG_CACHE_LINE_SIZE + sizeof(InvShmem), inv_hot_table_size()),
					inv_stats_size());
}

static void *
hot_table_part(void *block)
{
	return (void *) TYPEALIGN(PG_CACHE_LINE_SIZE, (char *) block + sizeof(InvShmem));
}

static void *
stats_part(void *block)
{
	return (void *) TYPEALIGN(PG_CACHE_LINE_SIZE,
							  (char *) hot_table_part(block) + inv_hot_table_size());
}

/* Fill a new block, before any other process sees it. */
static void
fill_block(void *block)
{
	InvShmem *new = block;

	Assert(block == (void *) MAXALIGN(block));
	memset(new, 0, sizeof(InvShmem));
	new->tranche = inv_new_tranche(SHMEM_NAME);
	LWLockInitialize(&new->lock, new->tranche);
	LWLockInitialize(&new->stats_lock, new->tranche);
	inv_hot_table_init(hot_table_part(block), new->tranche);
	inv_stats_init(stats_part(block));
}

/* Use a block that is filled. */
static void
use_block(void *block)
{
	inv_shmem = block;
	inv_name_tranche(inv_shmem->tranche, SHMEM_NAME);
	inv_hot_table_attach(hot_table_part(block));
	inv_stats_attach(stats_part(block), &inv_shmem->stats_lock);
}

/* Hook: the server asks how much shared memory libraries need. */
static void
request_shmem(void)
{
	if (next_request)
		next_request();
	RequestAddinShmemSpace(block_size());
}

/* Hook: shared memory is made, at the server's start and after a crash. */
static void
start_shmem(void)
{
	void *block;
	bool found;

	if (next_startup)
		next_startup();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	block = ShmemInitStruct(SHMEM_NAME, block_size(), &found);
	if (!found)
		fill_block(block);
	use_block(block);
	LWLockRelease(AddinShmemInitLock);
}

/* Fill a new segment for the number of the layout. */
static void
fill_layout(void *segment)
{
	((Layout *) segment)->number = INV_SHMEM_LAYOUT;
}

/*
 * The block may have been made by another version of the library, which was replaced
 * while the server ran.  Then nothing can be sold before a restart: selling from the rows
 * of items that have a counter in the block would sell units twice.
 */
static void
check_layout(void)
{
	Layout *layout = inv_named_segment(LAYOUT_NAME, sizeof(Layout), fill_layout);

	if (layout && layout->number != INV_SHMEM_LAYOUT)
		inv_error_busy_otherwise(
			psprintf("Another version of the library has made the server's shared memory (layout "
					 "%u, not %u).",
					 layout->number, INV_SHMEM_LAYOUT),
			"Restart the server. Nothing was taken.");
}

/*
 * Use the block that other sessions use, or make it, if there can be one.  Raises if
 * another version of the library has made it.
 */
void
inv_shmem_open(void)
{
	void *block;

	if (inv_shmem || !IsUnderPostmaster)
		return;
	check_layout();
	block = inv_named_segment(SHMEM_NAME, block_size(), fill_block);
	if (block)
		use_block(block);
}

/* Ask for the block, if the library is being preloaded. */
void
inv_shmem_init(void)
{
	if (!process_shared_preload_libraries_in_progress)
		return;
	next_request = shmem_request_hook;
	shmem_request_hook = request_shmem;
	next_startup = shmem_startup_hook;
	shmem_startup_hook = start_shmem;
}
