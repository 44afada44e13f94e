/*
 * inventory.c
 *		Module magic and the order of registration.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"

#include "guard.h"
#include "hot.h"
#include "inflight.h"
#include "notify.h"
#include "setting.h"
#include "shared.h"
#include "store.h"
#include "worker.h"

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
