/*
 * trigger_check.c
 *		Whose triggers fire when the engine writes a table.
 *
 * The engine writes as the owner of the tables, and so run their triggers.  A
 * trigger is fine if its function, and the functions and types of its WHEN, belong
 * to the owner, or to a role that has the owner's rights anyway.  A role that was only
 * granted TRIGGER must not gain them here.  It does not help that a function runs as
 * its definer, because the definer can change that.  What such a role could pass to a
 * function of the owner or of a superuser is not seen here: an event trigger keeps it
 * from creating triggers on the tables of a store.  A role with REFERENCES must not gain
 * them by what its foreign keys cascade to.
 *
 * The extension's own functions belong to a superuser, but what they do is not for
 * every role that may execute them to choose: a second guard would book each change
 * twice.  Which trigger binds the columns is checked by binding_read.c.
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
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_func.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "base/compat.h"
#include "base/error.h"
#include "base/store_error.h"
#include "store/catalog.h"
#include "store/expression.h"
#include "store/trigger_check.h"

/* The function of the guards of orders. */
Oid
inv_orders_guard_function(void)
{
	return LookupFuncName(list_make2(makeString(INV_SCHEMA), makeString("guard_orders")), 0, NULL,
						  false);
}

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

/* A trigger that is checked, and for whom. */
typedef struct TriggerCheck
{
	const char *store_name;
	Oid owner;
	Relation rel;
	const Trigger *trigger;
	InvDependencies *dependencies; /* or null */
} TriggerCheck;

/* Raise if the owner of a function or type that the trigger uses has not the rights of the table's owner. */
static void
check_owner(const TriggerCheck *check, InvDependencyKind kind, Oid oid, Oid owner)
{
	if (!has_privs_of_role(owner, check->owner))
		inv_error_foreign_trigger(check->store_name, check->trigger->tgname,
								  inv_catalog_table_name(RelationGetRelid(check->rel)), owner,
								  check->owner);
	if (check->dependencies == NULL)
		return;
	inv_depend(check->dependencies, kind, oid);
	if (owner == check->owner)
		return;
	/* that role can lose the owner's rights */
	inv_depend(check->dependencies, INV_DEPENDENCY_ROLE, owner);
	if (!superuser_arg(owner))
		inv_depend(check->dependencies, INV_DEPENDENCY_MEMBERSHIP, InvalidOid);
}

static bool
check_when_function(Oid oid, void *context)
{
	HeapTuple tuple = inv_is_of_shop(oid) ? SearchSysCache1(PROCOID, ObjectIdGetDatum(oid)) : NULL;

	if (HeapTupleIsValid(tuple))
	{
		Oid owner = ((Form_pg_proc) GETSTRUCT(tuple))->proowner;

		ReleaseSysCache(tuple);
		check_owner(context, INV_DEPENDENCY_FUNCTION, oid, owner);
	}
	return false;
}

/* A domain has checks, which can call any function, and a row type can have columns of a domain. */
static void
check_when_type(const TriggerCheck *check, Oid oid)
{
	HeapTuple tuple =
		inv_type_has_shop_code(oid) ? SearchSysCache1(TYPEOID, ObjectIdGetDatum(oid)) : NULL;

	if (HeapTupleIsValid(tuple))
	{
		Oid owner = ((Form_pg_type) GETSTRUCT(tuple))->typowner;

		ReleaseSysCache(tuple);
		check_owner(check, INV_DEPENDENCY_TYPE, oid, owner);
	}
}

static bool
check_when(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (!IsA(node, List) && !IsA(node, CaseWhen))
		check_when_type(context, exprType(node));
	(void) check_functions_in_node(node, check_when_function, context);
	return expression_tree_walker(node, check_when, context);
}

/* Is an earlier trigger of the list the same guard?  Orders have one for each of their stores. */
static const Trigger *
find_same_guard(const TriggerDesc *triggers, const Trigger *guard)
{
	for (const Trigger *trigger = triggers->triggers; trigger < guard; trigger++)
		if (trigger->tgenabled != TRIGGER_DISABLED && trigger->tgfoid == guard->tgfoid &&
			TRIGGER_FOR_ROW(trigger->tgtype) && trigger->tgnargs == guard->tgnargs &&
			(guard->tgnargs == 0 || strcmp(trigger->tgargs[0], guard->tgargs[0]) == 0))
			return trigger;
	return NULL;
}

/* Raise unless the trigger, which has a function of the extension, is one that attach makes. */
static void
check_own_function(const TriggerCheck *check, const TriggerDesc *triggers, const char *function,
				   InvTriggerRole role)
{
	/* the functions of guards */
	static const char *const guards[][4] = {
		[INV_TRIGGERS_OF_ITEMS] = { "guard" },
		[INV_TRIGGERS_OF_ORDERS] = { "guard_orders", "guard_headers", "follow_orders" },
		[INV_TRIGGERS_OF_OTHERS] = { NULL },
	};
	/* how the names of their triggers begin */
	static const char name[] = "inventory_";
	const char *table = inv_catalog_table_name(RelationGetRelid(check->rel));
	const char *const *guard = guards[role];
	const Trigger *trigger = check->trigger;
	const Trigger *same;

	/* the function of the binding trigger does nothing, the other looks for a store of its table */
	if (strcmp(function, "binding") == 0 || strcmp(function, "guard_truncate") == 0)
		return;
	/* any number of these triggers does what one does */
	if (role == INV_TRIGGERS_OF_ITEMS && strcmp(function, "keep_stock") == 0)
		return;
	while (*guard && strcmp(function, *guard) != 0)
		guard++;
	if (*guard == NULL)
		inv_error_surplus_trigger(check->store_name, trigger->tgname, table);
	/* the guard itself refuses to be fired in any other way than attach fires it */
	if (!TRIGGER_FOR_ROW(trigger->tgtype) || (same = find_same_guard(triggers, trigger)) == NULL)
		return;
	inv_error_surplus_trigger(
		check->store_name,
		strncmp(same->tgname, name, strlen(name)) == 0 ? trigger->tgname : same->tgname, table);
}

/* Does the trigger belong to a foreign key that changes rows which reference those of its table? */
static bool
changes_references(const Trigger *trigger)
{
	switch (trigger->tgfoid)
	{
		case F_RI_FKEY_CASCADE_DEL:
		case F_RI_FKEY_CASCADE_UPD:
		case F_RI_FKEY_SETNULL_DEL:
		case F_RI_FKEY_SETNULL_UPD:
		case F_RI_FKEY_SETDEFAULT_DEL:
		case F_RI_FKEY_SETDEFAULT_UPD:
			return true;
		default:
			return false;
	}
}

/*
 * Raise if a foreign key to a table of the ledger belongs to a role without the owner's
 * rights.  The server changes the rows that reference as their owner, but fires their AFTER
 * triggers as the role that deleted.  Of items and orders the engine deletes nothing, nor does
 * it change their keys.
 */
static void
check_reference(const TriggerCheck *check)
{
	Oid referencing = check->trigger->tgconstrrelid;
	Oid owner = inv_catalog_table_owner(referencing);

	Assert(changes_references(check->trigger));
	if (OidIsValid(owner) && !has_privs_of_role(owner, check->owner))
		inv_error_foreign_reference(check->store_name,
									inv_catalog_table_name(RelationGetRelid(check->rel)),
									inv_catalog_table_name(referencing), owner, check->owner);
	if (!OidIsValid(owner))
		return;
	if (check->dependencies)
		inv_depend(check->dependencies, INV_DEPENDENCY_RELATION, referencing);
	/* that role can lose the owner's rights */
	check_owner(check, INV_DEPENDENCY_ROLE, owner, owner);
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

	Assert(OidIsValid(owner));
	if (rel->trigdesc == NULL)
		return;
	/* a copy, because each look-up can rebuild the relation's own */
	triggers = CopyTriggerDesc(rel->trigdesc);
	for (int i = 0; i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];
		TriggerCheck check = { store_name, owner, rel, trigger, dependencies };
		TriggerFunction function;

		/* the version of the items table has all of them, also those that never fire */
		if (dependencies && role == INV_TRIGGERS_OF_ITEMS && !trigger->tgisinternal)
			inv_depend(dependencies, INV_DEPENDENCY_FUNCTION, trigger->tgfoid);
		if (trigger->tgenabled == TRIGGER_DISABLED ||
			!find_trigger_function(trigger->tgfoid, &function))
			continue;
		if (function.is_ours)
			check_own_function(&check, triggers, NameStr(function.name), role);
		else
			check_owner(&check, INV_DEPENDENCY_FUNCTION, trigger->tgfoid, function.owner);
		if (role == INV_TRIGGERS_OF_OTHERS && changes_references(trigger))
			check_reference(&check);
		if (trigger->tgqual)
			(void) check_when(stringToNode(trigger->tgqual), &check);
	}
	FreeTriggerDesc(triggers);
}
