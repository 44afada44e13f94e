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
#include "store/trigger_check.h"

/* Raise if a role without the owner's rights owns the function of an enabled trigger. */
void
inv_check_triggers(const char *store_name, Oid owner, Relation rel)
{
	Assert(OidIsValid(owner));
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
		if (!has_privs_of_role(role, owner))
			inv_error_foreign_trigger(
				store_name, NameStr(name),
				quote_qualified_identifier(get_namespace_name(RelationGetNamespace(rel)),
										   RelationGetRelationName(rel)),
				role, owner);
	}
}

/* The same for a table that is about to be written, with its partitions. */
void
inv_check_triggers_written(const char *store_name, Oid owner, Relation rel)
{
	ListCell *cell;

	Assert(CheckRelationLockedByMe(rel, RowExclusiveLock, true));
	if (rel->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
	{
		inv_check_triggers(store_name, owner, rel);
		return;
	}
	/* the table itself is the first of them */
	foreach (cell, find_all_inheritors(RelationGetRelid(rel), RowExclusiveLock, NULL))
	{
		Relation member = table_open(lfirst_oid(cell), NoLock);

		inv_check_triggers(store_name, owner, member);
		table_close(member, NoLock);
	}
}
