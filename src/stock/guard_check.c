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

#define EVERY_CHANGE (TRIGGER_TYPE_INSERT | TRIGGER_TYPE_UPDATE | TRIGGER_TYPE_DELETE)
#define EVERY_ROW (TRIGGER_TYPE_ROW | EVERY_CHANGE)

/* A trigger that attach makes. */
typedef struct Guard
{
	int16 type;
	const char *function;
	const char *argument; /* or null, for none */
	bool deferred;		  /* a constraint trigger, with a condition */
} Guard;

/* Does a trigger call this function of the extension? */
bool
inv_trigger_calls(const Trigger *trigger, const char *function)
{
	char *name = get_func_name(trigger->tgfoid);

	return name && strcmp(name, function) == 0 &&
		   get_func_namespace(trigger->tgfoid) == get_namespace_oid(INV_SCHEMA, true);
}

static bool
is_this_guard(const Trigger *trigger, const Guard *guard)
{
	if (trigger->tgtype != guard->type || trigger->tgnattr != 0 ||
		(trigger->tgqual != NULL) != guard->deferred || trigger->tginitdeferred != guard->deferred)
		return false;
	if (guard->argument &&
		(trigger->tgnargs != 1 || strcmp(trigger->tgargs[0], guard->argument) != 0))
		return false;
	return inv_trigger_calls(trigger, guard->function);
}

/* Is it the guard on the rows of items, as attach makes it? */
bool
inv_is_row_guard(const Trigger *trigger)
{
	const Guard guard = { EVERY_ROW, "guard", NULL, false };

	return trigger->tgenabled == TRIGGER_FIRES_ALWAYS && is_this_guard(trigger, &guard);
}

/*
 * What is wrong with a guard of a table, or null.  It must fire in every mode, for every such
 * event and every row, or changes are not booked (invariants 7 and 9).
 */
static const char *
find_problem(Oid table, const Guard *guard)
{
	Relation rel = table_open(table, NoLock);
	/* a copy, because a look-up can replace the relcache's */
	TriggerDesc *triggers = CopyTriggerDesc(rel->trigdesc);
	const char *problem = "guard_missing";

	for (int i = 0; triggers && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];

		if (!is_this_guard(trigger, guard))
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
	const Guard guard = { TRIGGER_TYPE_BEFORE | TRIGGER_TYPE_TRUNCATE, "guard_truncate",
						  store->store_name, false };

	return find_problem(table, &guard);
}

/* What is wrong with the guard triggers on items, or null. */
const char *
inv_guard_problem(InvStore *store)
{
	const Guard guard = { EVERY_ROW, "guard", NULL, false };
	const char *problem = find_problem(store->items, &guard);

	return problem ? problem : find_truncate_problem(store, store->items);
}

/* What is wrong with a trigger for each row of a table, or of one of its partitions, or null. */
static const char *
find_row_problem(Oid table, const Guard *guard)
{
	const char *problem = NULL;
	List *tables = list_make1_oid(table);
	ListCell *cell;

	if (get_rel_relkind(table) == RELKIND_PARTITIONED_TABLE)
		tables = find_all_inheritors(table, AccessShareLock, NULL);
	foreach (cell, tables)
		if (problem == NULL)
			problem = find_problem(lfirst_oid(cell), guard);
	return problem;
}

/* Is it the trigger that keeps the stock, of this type? */
static bool
is_keep_of_type(InvStore *store, const Trigger *trigger, int16 type)
{
	return trigger->tgtype == type && trigger->tgqual == NULL && trigger->tgnattr == 1 &&
		   trigger->tgattr[0] == store->stock.attnum && inv_trigger_calls(trigger, "keep_stock");
}

/*
 * What is wrong with the triggers on items that keep the stock, or null.  Without them the
 * guard refuses what they would leave out.
 */
const char *
inv_keep_problem(InvStore *store)
{
	static const int16 types[] = { TRIGGER_TYPE_ROW | TRIGGER_TYPE_BEFORE | TRIGGER_TYPE_UPDATE,
								   TRIGGER_TYPE_UPDATE };
	Relation items;
	TriggerDesc *triggers;
	const char *problem = NULL;

	if (store->direct_writes != INV_DIRECT_WRITES_KEEP)
		return NULL;
	items = table_open(store->items, NoLock);
	triggers = CopyTriggerDesc(items->trigdesc);
	for (size_t type = 0; problem == NULL && type < lengthof(types); type++)
	{
		problem = "keep_missing";
		for (int i = 0; triggers && i < triggers->numtriggers; i++)
			if (is_keep_of_type(store, &triggers->triggers[i], types[type]))
				problem = triggers->triggers[i].tgenabled == TRIGGER_DISABLED ||
								  triggers->triggers[i].tgenabled == TRIGGER_FIRES_ON_REPLICA
							  ? "keep_disabled"
							  : NULL;
	}
	table_close(items, NoLock);
	return problem;
}

/* What is wrong with the triggers on orders or headers that apply what guards note, or null. */
static const char *
find_follow_problem(InvStore *store, Oid table)
{
	const Guard begin = { TRIGGER_TYPE_BEFORE | EVERY_CHANGE, "follow_orders", store->store_name,
						  false };
	const Guard end = { EVERY_CHANGE, "follow_orders", store->store_name, false };
	const Guard commit = { EVERY_ROW, "follow_orders", store->store_name, true };
	const char *problem = find_problem(table, &begin);

	if (problem == NULL)
		problem = find_problem(table, &end);
	return problem ? problem : find_row_problem(table, &commit);
}

/* What is wrong with the guards on orders, or null. */
static const char *
find_orders_problem(InvStore *store)
{
	const Guard guard = { EVERY_ROW, "guard_orders", store->store_name, false };
	const char *problem = find_row_problem(store->orders, &guard);

	if (problem == NULL)
		problem = find_truncate_problem(store, store->orders);
	return problem || !inv_follows_orders(store) ? problem
												 : find_follow_problem(store, store->orders);
}

/* The same of those on headers. */
static const char *
find_headers_problem(InvStore *store)
{
	const Guard guard = { EVERY_ROW, "guard_headers", store->store_name, false };
	const char *problem = find_truncate_problem(store, store->header);

	if (problem || !inv_follows_orders(store))
		return problem;
	problem = find_problem(store->header, &guard);
	return problem ? problem : find_follow_problem(store, store->header);
}

/*
 * What is wrong with the guards on orders, on one of their partitions or on their headers, or
 * null.
 */
const char *
inv_orders_guard_problem(InvStore *store)
{
	const char *problem = find_orders_problem(store);

	if (problem == NULL && OidIsValid(store->header))
		problem = find_headers_problem(store);
	return problem ? psprintf("orders_%s", problem) : NULL;
}
