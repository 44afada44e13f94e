/*
 * inventory.c
 *		Module magic and the order of registration.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"

#include "stock/guard.h"
#include "stock/hot_item.h"
#include "shmem/counter_xact.h"
#include "stock/notify.h"
#include "base/guc.h"
#include "shmem/shmem.h"
#include "store/store.h"
#include "maintenance/worker.h"

PG_MODULE_MAGIC;

void _PG_init(void);

void
_PG_init(void)
{
	/* a library that is loaded by half cannot be loaded again */
	HOLD_INTERRUPTS();
	inv_setting_init();
	inv_shared_init();
	inv_store_init();
	inv_inflight_init();
	inv_hot_init();
	inv_guard_init();
	inv_notify_init();
	inv_worker_init();
	RESUME_INTERRUPTS();
}
