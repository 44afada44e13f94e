/*
 * inventory.c
 *		Module magic, and what the library registers when it is loaded.
 *
 * At the end of a transaction the server calls the registered functions in the reverse
 * order.  hot_room.c comes after counter_xact.c: an item that was cooled and heated again in
 * one transaction loses its entry first, and then gets a new one.  Otherwise none depends
 * on another's.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"

#include "base/guc.h"
#include "base/prepared_wait.h"
#include "base/refusal_log.h"
#include "shmem/counter_xact.h"
#include "shmem/hot_room.h"
#include "shmem/shmem.h"
#include "shmem/worker_slot.h"
#include "store/catalog_write.h"
#include "store/query_insert.h"
#include "store/query_plan.h"
#include "store/store.h"
#include "store/store_name.h"
#include "stock/expected.h"
#include "stock/expected_line.h"
#include "stock/hot_item.h"
#include "stock/keep.h"
#include "stock/notify.h"
#include "stock/opened_line.h"
#include "stock/orders_guard.h"
#include "stock/pending.h"
#include "maintenance/launcher.h"

PG_MODULE_MAGIC;

void _PG_init(void);

void
_PG_init(void)
{
	/* interrupted in the middle, the library could not be loaded again: settings are defined once */
	HOLD_INTERRUPTS();
	inv_guc_init();
	inv_refusal_log_init();
	inv_prepared_wait_init();
	inv_shmem_init();
	inv_catalog_write_init();
	inv_store_name_init();
	inv_store_init();
	inv_query_insert_init();
	inv_hot_room_init();
	inv_query_plan_init();
	inv_counter_xact_init();
	inv_hot_item_init();
	inv_expected_init();
	inv_expected_line_init();
	inv_keep_init();
	inv_orders_guard_init();
	inv_opened_line_init();
	inv_pending_init();
	inv_notify_init();
	inv_worker_slot_init();
	inv_launcher_init();
	RESUME_INTERRUPTS();
}
