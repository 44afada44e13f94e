/*
 * launcher.c
 *		When the server starts, each database is looked at once.
 *
 * A store can have holds that expire, and hot items, when the server is started, and it may
 * be long until a session calls the engine.  Where the library is preloaded, the launcher
 * therefore asks for the worker of each database, in turn; one without stores ends at once.
 * Then the launcher ends.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_database.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "base/compat.h"
#include "base/guc.h"
#include "shmem/shmem.h"
#include "shmem/worker_slot.h"
#include "maintenance/launcher.h"

#define RETRY_MS 1000 /* while all slots for databases are in use */

PGDLLEXPORT void inventory_launcher_main(Datum arg);

/* The databases that sessions may use, in a context. */
static List *
read_databases(MemoryContext context)
{
	List *databases = NIL;
	Relation table;
	SysScanDesc scan;
	HeapTuple tuple;

	StartTransactionCommand();
	(void) GetTransactionSnapshot();
	table = table_open(DatabaseRelationId, AccessShareLock);
	scan = systable_beginscan(table, InvalidOid, false, NULL, 0, NULL);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_database database = (Form_pg_database) GETSTRUCT(tuple);
		MemoryContext old;

		/* a negative limit below -1 marks a database whose DROP was interrupted */
		if (!database->datallowconn || database->datistemplate || database->datconnlimit < -1)
			continue;
		old = MemoryContextSwitchTo(context);
		databases = lappend_oid(databases, database->oid);
		MemoryContextSwitchTo(old);
	}
	systable_endscan(scan);
	table_close(table, AccessShareLock);
	CommitTransactionCommand();
	return databases;
}

void
inventory_launcher_main(Datum arg pg_attribute_unused())
{
	static uint32 wait_event = 0;
	ListCell *cell;

	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	if (inv_shmem == NULL)
		proc_exit(0);
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);
	foreach (cell, read_databases(TopMemoryContext))
		while (!inv_worker_start_in(lfirst_oid(cell)))
		{
			(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, RETRY_MS,
							 inv_wait_event(&wait_event, "InventoryLauncher"));
			ResetLatch(MyLatch);
			CHECK_FOR_INTERRUPTS();
		}
	proc_exit(0);
}

/* Register the launcher, if the library is being preloaded and the server can have workers. */
void
inv_launcher_init(void)
{
	BackgroundWorker launcher = { 0 };

	if (!process_shared_preload_libraries_in_progress || max_worker_processes == 0 ||
		inv_max_workers == 0)
		return;
	launcher.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	launcher.bgw_start_time = BgWorkerStart_RecoveryFinished;
	launcher.bgw_restart_time = BGW_NEVER_RESTART;
	strlcpy(launcher.bgw_library_name, "inventory", sizeof(launcher.bgw_library_name));
	strlcpy(launcher.bgw_function_name, "inventory_launcher_main",
			sizeof(launcher.bgw_function_name));
	strlcpy(launcher.bgw_name, "inventory launcher", sizeof(launcher.bgw_name));
	strlcpy(launcher.bgw_type, "inventory launcher", sizeof(launcher.bgw_type));
	RegisterBackgroundWorker(&launcher);
}
