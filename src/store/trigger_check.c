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
 * The extension's own functions belong to a superuser, but what they do is not for
 * every role that may execute them to choose: a second guard would book each change
 * twice.  Which trigger binds the columns is checked by binding.c.
 *
 * Items and orders are checked when the store is read, and a change makes it be
 * read again.  Tables of the ledger and partitions, which are not locked yet when
 * the store is read, are checked again each time they are written.
 *
 * Expects the table to be locked as a write locks it, which keeps new triggers away.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "base/error.h"
#include "base/store_error.h"
#include "store/catalog.h"
#include "store/trigger_check.h"

/* What is known of a trigger's function. */
typedef struct TriggerFunction
{
	Oid owner;
	bool is_ours; /* a function of the extension */
	NameData name;
} TriggerFunction;

static bool
find_trigger_function(Oid oid, TriggerFunction *function)
{
	HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(oid));
	Form_pg_proc form;
	Oid schema;

	if (!HeapTupleIsValid(tuple))
		return false;
	form = (Form_pg_proc) GETSTRUCT(tuple);
	function->owner = form->proowner;
	namestrcpy(&function->name, NameStr(form->proname));
	schema = form->pronamespace;
	ReleaseSysCache(tuple);
	function->is_ours = schema == get_namespace_oid(INV_SCHEMA, true);
	return true;
}

/* Raise if the owner of the trigger's function has not the rights of the table's owner. */
static void
check_function_owner(const char *store_name, Oid owner, Relation rel, const Trigger *trigger,
					 const TriggerFunction *function, InvDependencies *dependencies)
{
	if (!has_privs_of_role(function->owner, owner))
		inv_error_foreign_trigger(store_name, trigger->tgname,
								  inv_catalog_table_name(RelationGetRelid(rel)), function->owner,
								  owner);
	if (dependencies == NULL)
		return;
	inv_depend(dependencies, INV_DEPENDENCY_FUNCTION, trigger->tgfoid);
	if (function->owner == owner)
		return;
	/* that role can lose the owner's rights */
	inv_depend(dependencies, INV_DEPENDENCY_ROLE, function->owner);
	if (!superuser_arg(function->owner))
		inv_depend(dependencies, INV_DEPENDENCY_MEMBERSHIP, InvalidOid);
}

/* Raise unless the trigger, which has a function of the extension, is one that attach makes. */
static void
check_own_function(const char *store_name, Relation rel, const Trigger *trigger,
				   const TriggerFunction *function, InvTriggerRole role, const char **guard)
{
	/* the function of the binding trigger does nothing */
	if (namestrcmp((Name) &function->name, "binding") == 0)
		return;
	if (role != INV_TRIGGERS_OF_ITEMS || namestrcmp((Name) &function->name, "guard") != 0)
		inv_error_surplus_trigger(store_name, trigger->tgname,
								  inv_catalog_table_name(RelationGetRelid(rel)));
	/* guard() itself refuses to be fired in any other way than attach fires it */
	if (!TRIGGER_FOR_ROW(trigger->tgtype))
		return;
	if (*guard)
		inv_error_surplus_trigger(store_name,
								  strcmp(*guard, "inventory_guard") == 0 ? trigger->tgname : *guard,
								  inv_catalog_table_name(RelationGetRelid(rel)));
	*guard = trigger->tgname;
}

/*
 * Raise if an enabled trigger of the table gives another role the owner's rights, or
 * has a function of the extension and was not made by attach.  "dependencies", which
 * may be null, receives what the answer depends on beside the table.
 */
void
inv_check_triggers(const char *store_name, Oid owner, Relation rel, InvTriggerRole role,
				   InvDependencies *dependencies)
{
	TriggerDesc *triggers;
	const char *guard = NULL;

	Assert(OidIsValid(owner));
	if (rel->trigdesc == NULL)
		return;
	/* a copy, because each look-up can rebuild the relation's own */
	triggers = CopyTriggerDesc(rel->trigdesc);
	for (int i = 0; i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];
		TriggerFunction function;

		if (trigger->tgenabled == TRIGGER_DISABLED ||
			!find_trigger_function(trigger->tgfoid, &function))
			continue;
		if (function.is_ours)
			check_own_function(store_name, rel, trigger, &function, role, &guard);
		else
			check_function_owner(store_name, owner, rel, trigger, &function, dependencies);
	}
	FreeTriggerDesc(triggers);
}
