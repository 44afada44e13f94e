/*
 * guard_check.c
 *		Do the guards see every write of items and orders?
 *
 * Reads only.  Expects an entered store.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "store/binding.h"
#include "store/catalog.h"
#include "stock/guard_check.h"

#define EVERY_ROW                                                                                  \
	(TRIGGER_TYPE_ROW | TRIGGER_TYPE_INSERT | TRIGGER_TYPE_UPDATE | TRIGGER_TYPE_DELETE)

/* Is it the guard of this type, with this function and this argument (null for none)? */
static bool
is_guard_of_type(const Trigger *trigger, int16 type, const char *function, const char *argument)
{
	char *name;

	if (trigger->tgtype != type || trigger->tgnattr != 0 || trigger->tgqual != NULL)
		return false;
	if (argument && (trigger->tgnargs != 1 || strcmp(trigger->tgargs[0], argument) != 0))
		return false;
	name = get_func_name(trigger->tgfoid);
	return name && strcmp(name, function) == 0 &&
		   get_func_namespace(trigger->tgfoid) == get_namespace_oid(INV_SCHEMA, false);
}

/*
 * What is wrong with a guard of a table, or null.  It must fire in every mode, for every such
 * event and every row, or changes are not booked (invariants 7 and 9).
 */
static const char *
find_problem(Oid table, int16 type, const char *function, const char *argument)
{
	Relation rel = table_open(table, NoLock);
	/* a copy, because a look-up can replace the relcache's */
	TriggerDesc *triggers = CopyTriggerDesc(rel->trigdesc);
	const char *problem = "guard_missing";

	for (int i = 0; triggers && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];

		if (!is_guard_of_type(trigger, type, function, argument))
			continue;
		if (trigger->tgenabled == TRIGGER_FIRES_ALWAYS)
		{
			problem = NULL;
			break;
		}
		problem =
			trigger->tgenabled == TRIGGER_DISABLED ? "guard_disabled" : "guard_not_always_enabled";
	}
	table_close(rel, NoLock);
	return problem;
}

static const char *
find_truncate_problem(InvStore *store, Oid table)
{
	return find_problem(table, TRIGGER_TYPE_BEFORE | TRIGGER_TYPE_TRUNCATE, "guard_truncate",
						store->store_name);
}

/* What is wrong with the guard triggers on items, or null. */
const char *
inv_guard_problem(InvStore *store)
{
	const char *problem = find_problem(store->items, EVERY_ROW, "guard", NULL);

	return problem ? problem : find_truncate_problem(store, store->items);
}

/*
 * What is wrong with the guard triggers on orders, on one of their partitions or on their
 * header, or null.
 */
const char *
inv_orders_guard_problem(InvStore *store)
{
	const char *problem = NULL;
	List *tables = list_make1_oid(store->orders);
	ListCell *cell;

	if (get_rel_relkind(store->orders) == RELKIND_PARTITIONED_TABLE)
		tables = find_all_inheritors(store->orders, AccessShareLock, NULL);
	foreach (cell, tables)
		if (problem == NULL)
			problem = find_problem(lfirst_oid(cell), EVERY_ROW, "guard_orders", store->store_name);
	if (problem == NULL)
		problem = find_truncate_problem(store, store->orders);
	if (problem == NULL && OidIsValid(store->header))
		problem = find_truncate_problem(store, store->header);
	return problem ? psprintf("orders_%s", problem) : NULL;
}
