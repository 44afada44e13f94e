/*
 * table_check.c
 *		May the engine read and write the tables of a store?
 *
 * It may if their rows are in heaps of this server (relation_check.c), and if their
 * triggers give no other role the rights of the owner (trigger_check.c).  All tables
 * are checked when the store is read, and an invalidation of any makes it be read
 * again.  Tables of the ledger and partitions are not locked at that time, and so they
 * are checked again, locked, each time they are written.  The owner's rights are checked
 * where no statement does it.
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/rel.h"

#include "base/compat.h"
#include "base/error.h"
#include "base/store_error.h"
#include "store/binding.h"
#include "store/ledger_schema.h"
#include "store/relation_check.h"
#include "store/table_check.h"
#include "store/trigger_check.h"

/* Others are written only by some calls, which then check their triggers. */
static bool
is_always_written(const InvStore *store, Oid relid)
{
	return relid == store->items || relid == store->orders || relid == store->header ||
		   relid == store->ledger[INV_LEDGER_MOVEMENTS];
}

static void
check_table(InvStore *store, Oid relid)
{
	Relation rel = OidIsValid(relid) ? try_relation_open(relid, AccessShareLock) : NULL;

	if (rel == NULL)
		return;
	inv_check_engine(store->store_name, rel, &store->dependencies);
	if (is_always_written(store, relid))
		inv_check_triggers(store->store_name, store->owner, rel,
						   relid == store->items ? INV_TRIGGERS_OF_ITEMS
						   : relid == store->orders || relid == store->header
							   ? INV_TRIGGERS_OF_ORDERS
							   : INV_TRIGGERS_OF_OTHERS,
						   &store->dependencies);
	relation_close(rel, NoLock);
}

/*
 * While a store is read: raise if another engine has taken over one of its tables, or if
 * a trigger must not fire.  A table of the ledger may be missing.
 */
void
inv_check_tables(InvStore *store)
{
	check_table(store, store->items);
	check_table(store, store->orders);
	check_table(store, store->header);
	for (int i = INV_LEDGER_NONE + 1; i < INV_LEDGER_COUNT; i++)
		check_table(store, store->ledger[i]);
}

/* ---- the owner's rights ---- */

/*
 * May a statement of the owner name the table?  It is asked when the statement is planned, and
 * so when a plan is made for the table.
 */
bool
inv_owner_may_name(const InvStore *store, Relation table)
{
	return inv_may_use_schema(RelationGetNamespace(table), store->owner);
}

/*
 * Has the owner all these rights to a table as a whole?  A REVOKE can have taken one; then, and
 * where he has it for columns, a statement tells.
 */
bool
inv_owner_may(const InvStore *store, Oid table, AclMode rights)
{
	return pg_class_aclmask(table, store->owner, rights, ACLMASK_ALL) == rights;
}

/* ---- tables that are about to be written ---- */

static void
check_written_one(InvStore *store, Relation rel, InvTriggerRole role)
{
	inv_check_storage(store->store_name, rel);
	inv_check_triggers(store->store_name, store->owner, rel, role, NULL);
}

/*
 * A table is about to be written, and is locked for it: check whose storage it has and
 * whose triggers fire, also of its partitions.  If an invalidation arrived since the
 * store was read, it may have come with that lock.
 */
static void
check_written(InvStore *store, Relation rel, InvTriggerRole role)
{
	ListCell *cell;

	Assert(CheckRelationLockedByMe(rel, RowExclusiveLock, true));
	if (!store->valid)
		inv_check_engine(store->store_name, rel, NULL);
	if (rel->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
	{
		check_written_one(store, rel, role);
		return;
	}
	/* the table itself is the first of them */
	foreach (cell, find_all_inheritors(RelationGetRelid(rel), RowExclusiveLock, NULL))
	{
		Relation member = table_open(lfirst_oid(cell), NoLock);

		check_written_one(store, member, role);
		table_close(member, NoLock);
	}
}

/* Before a write to orders: only its partitions are left to check. */
void
inv_check_orders_written(InvStore *store)
{
	Relation orders = table_open(store->orders, NoLock);

	if (orders->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
		check_written(store, orders, INV_TRIGGERS_OF_ORDERS);
	table_close(orders, NoLock);
}

/*
 * Before a write to a table of the ledger: lock it as a write does, check it, and
 * return it open.  Each write does this again, because a rollback to a savepoint
 * releases the lock that an earlier call took.
 */
Relation
inv_ledger_table_open(InvStore *store, InvLedgerTable table)
{
	Relation rel;

	Assert(table > INV_LEDGER_NONE && table < INV_LEDGER_COUNT);
	rel = try_table_open(store->ledger[table], RowExclusiveLock);
	if (rel == NULL)
		inv_error_broken_store(store->store_name, store->items, "A table of its ledger is gone.");
	check_written(store, rel, INV_TRIGGERS_OF_OTHERS);
	return rel;
}

/*
 * Has this transaction locked a table of the ledger against everything?  Then it may have
 * emptied or altered it, and no snapshot shows what others have committed.
 */
bool
inv_ledger_table_is_locked(const InvStore *store, InvLedgerTable table)
{
	Relation rel = try_table_open(store->ledger[table], AccessShareLock);
	bool locked;

	if (rel == NULL)
		return true;
	locked = CheckRelationLockedByMe(rel, AccessExclusiveLock, false);
	table_close(rel, NoLock);
	return locked;
}
