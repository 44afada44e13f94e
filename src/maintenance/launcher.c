/*
 * launcher.c
 *		When the server starts, each database is looked at once.
 *
 * A store can have holds that expire, and hot items, when the server is started, and it may
 * be long until a session calls the engine.  Where the library is preloaded, the launcher
 * therefore asks for the worker of each database, in turn; one without stores ends at once.
 * Then the launcher ends.
 *
 * A worker that left its database, because another session wants it without other sessions,
 * waits here for its database, too.
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
#include "storage/lock.h"
#include "tcop/tcopprot.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "base/compat.h"
#include "base/guc.h"
#include "shmem/shmem.h"
#include "shmem/worker_slot.h"
#include "maintenance/launcher.h"

#define RETRY_MS 1000 /* while all slots for databases are in use, or a database is wanted */

PGDLLEXPORT void inventory_launcher_main(Datum arg);

/* Is the launcher to visit a database, or, if one is given, is it that, and can be entered? */
static bool
is_to_visit(Form_pg_database database, Oid given)
{
	/* a negative limit below -1 marks a database whose DROP was interrupted */
	if (!database->datallowconn || database->datconnlimit < -1)
		return false;
	return OidIsValid(given) ? database->oid == given : !database->datistemplate;
}

/* The databases to visit, in a context; of these only the given one, unless it is InvalidOid. */
static List *
read_databases(Oid given, MemoryContext context)
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

		if (!is_to_visit(database, given))
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

/* ---- one database ---- */

/*
 * Does another session have, or wait for, a lock that keeps sessions out of a
 * database, as DROP DATABASE and CREATE DATABASE ... TEMPLATE do?
 */
bool
inv_is_database_wanted(Oid database)
{
	LOCKTAG tag;
	bool granted;

	SET_LOCKTAG_OBJECT(tag, InvalidOid, DatabaseRelationId, database, 0);
	granted = LockAcquire(&tag, RowExclusiveLock, false, true) != LOCKACQUIRE_NOT_AVAIL;
	if (granted)
		LockRelease(&tag, RowExclusiveLock, false);
	return !granted;
}

/*
 * Wait until a database can be entered, connected to none.  Then another worker goes on in it,
 * unless it was dropped.  If other databases have work and there is no place for it, waiting
 * goes on in the next turn.
 */
void
inv_wait_for_database(Oid database)
{
	static uint32 wait_event = 0;

	BackgroundWorkerInitializeConnection(NULL, NULL, 0);
	for (;;)
	{
		bool wanted;

		CHECK_FOR_INTERRUPTS();
		StartTransactionCommand();
		wanted = inv_is_database_wanted(database);
		CommitTransactionCommand();
		if (!wanted)
			break;
		if (inv_worker_slot_yield(RETRY_MS))
			return;
		inv_worker_slot_start_waiting();
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, RETRY_MS,
						 inv_wait_event(&wait_event, "InventoryWorker"));
		ResetLatch(MyLatch);
	}
	if (read_databases(database, TopMemoryContext) != NIL)
		inv_worker_slot_hand_over(InvalidOid, false);
}

/* ---- all databases ---- */

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
	foreach (cell, read_databases(InvalidOid, TopMemoryContext))
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
