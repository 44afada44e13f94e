/*
 * trigger_check.c
 *		Whose triggers fire when the engine writes a table.
 *
 * The engine writes as the owner of the tables, and so run their triggers.  A
 * trigger is fine if its function belongs to the owner, or to a role that has the
 * owner's rights anyway.  A role that was only granted TRIGGER must not gain them
 * here.  It does not help that a function runs as its definer, because the
 * definer can change that.
 *
 * Items and orders are checked when the store is read, and a change makes it be
 * read again.  Tables of the ledger, and the partitions of any table, of which no
 * invalidation tells the store, are checked each time they are written.
 *
 * Expects the tables to be locked as a write locks them, which keeps new triggers
 * away; partitions and tables of the ledger are locked here.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_proc.h"
#include "commands/trigger.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "base/error.h"
#include "store/binding.h"
#include "store/ledger_schema.h"
#include "store/trigger_check.h"

/* Raise if a role without the owner's rights owns the function of an enabled trigger. */
void
inv_check_triggers(InvStore *store, Relation rel)
{
	Assert(OidIsValid(store->owner));
	/* each look-up can rebuild the relation's list of triggers: nothing of it is kept over one */
	for (int i = 0; rel->trigdesc && i < rel->trigdesc->numtriggers; i++)
	{
		const Trigger *trigger = &rel->trigdesc->triggers[i];
		NameData name;
		HeapTuple tuple;
		Oid role;

		if (trigger->tgenabled == TRIGGER_DISABLED)
			continue;
		namestrcpy(&name, trigger->tgname);
		tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(trigger->tgfoid));
		if (!HeapTupleIsValid(tuple))
			continue;
		role = ((Form_pg_proc) GETSTRUCT(tuple))->proowner;
		ReleaseSysCache(tuple);
		if (!has_privs_of_role(role, store->owner))
			inv_error_foreign_trigger(
				store->store_name, NameStr(name),
				quote_qualified_identifier(get_namespace_name(RelationGetNamespace(rel)),
										   RelationGetRelationName(rel)),
				role, store->owner);
	}
}

/* The same for a table that is about to be written, with its partitions. */
static void
check_triggers_written(InvStore *store, Relation rel)
{
	ListCell *cell;

	Assert(CheckRelationLockedByMe(rel, RowExclusiveLock, true));
	if (rel->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
	{
		inv_check_triggers(store, rel);
		return;
	}
	/* the table itself is the first of them */
	foreach (cell, find_all_inheritors(RelationGetRelid(rel), RowExclusiveLock, NULL))
	{
		Relation member = table_open(lfirst_oid(cell), NoLock);

		inv_check_triggers(store, member);
		table_close(member, NoLock);
	}
}

/* Before a write to orders: only its partitions are left to check. */
void
inv_check_orders_written(InvStore *store)
{
	Relation orders = table_open(store->orders, NoLock);

	if (orders->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
		check_triggers_written(store, orders);
	table_close(orders, NoLock);
}

/*
 * Before a write to a table of the ledger: lock it as a write does, check its
 * triggers, and return it open.  Each write does this again, because a rollback to
 * a savepoint releases the lock that an earlier call took.
 */
Relation
inv_ledger_table_open(InvStore *store, InvLedgerTable table)
{
	Relation rel;

	Assert(table > INV_LEDGER_NONE && table < INV_LEDGER_COUNT);
	rel = try_table_open(store->ledger[table], RowExclusiveLock);
	if (rel == NULL)
		inv_error_broken_store(store->store_name, "A table of its ledger is gone.");
	check_triggers_written(store, rel);
	return rel;
}
