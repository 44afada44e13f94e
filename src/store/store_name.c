/*
 * store_name.c
 *		Which store a name means, as this session has found out.
 *
 * The catalog decides (catalog.c).  What it said is kept while it cannot have changed:
 * a name that only one store has means that store for every caller, until a row of
 * inventory.store is written.
 */
#include "postgres.h"

#include "utils/inval.h"
#include "utils/memutils.h"

#include "store/catalog.h"
#include "store/store_name.h"

/* A name that only one store had. */
typedef struct KnownName
{
	char *name;
	Oid items;
	uint64 checked; /* name_changes at that time */
} KnownName;

static List *known_names = NIL;		   /* of KnownName, in TopMemoryContext */
static Oid catalog_relid = InvalidOid; /* inventory.store, when a name was last looked up */
static uint64 name_changes = 0;		   /* how often its rows may have changed */

/* Relcache callback: the trigger on inventory.store invalidates it with each row that is written. */
static void
invalidate_names(Datum arg pg_attribute_unused(), Oid relid)
{
	if (!OidIsValid(relid) || relid == catalog_relid)
		name_changes++;
}

void
inv_store_name_init(void)
{
	CacheRegisterRelcacheCallback(invalidate_names, (Datum) 0);
}

/* Grows when a name may have got another meaning. */
uint64
inv_store_name_changes(void)
{
	return name_changes;
}

static KnownName *
find_known_name(const char *name, size_t length)
{
	ListCell *cell;

	foreach (cell, known_names)
	{
		KnownName *known = lfirst(cell);

		if (strlen(known->name) == length && memcmp(known->name, name, length) == 0)
			return known;
	}
	return NULL;
}

static KnownName *
add_known_name(const char *name)
{
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
	KnownName *known = palloc0(sizeof(KnownName));

	known->name = pstrdup(name);
	known_names = lappend(known_names, known);
	MemoryContextSwitchTo(old);
	return known;
}

/* The items table of the store that the current user means by a name; InvalidOid if there is none. */
Oid
inv_store_name_resolve(const char *store_name, size_t length)
{
	KnownName *known = find_known_name(store_name, length);
	uint64 before;
	bool is_only;
	char *name;
	Oid items;

	if (known && known->checked == name_changes)
		return known->items;
	catalog_relid = inv_catalog_relid();
	before = name_changes;
	name = pnstrdup(store_name, length);
	items = inv_catalog_resolve(name, &is_only);
	if (!is_only)
		return items;
	if (known == NULL)
		known = add_known_name(name);
	known->items = items;
	known->checked = before;
	return items;
}
