/*
 * catalog.h
 *		The table inventory.store.
 */
#ifndef INV_CATALOG_H
#define INV_CATALOG_H

#include "nodes/pg_list.h"
#include "utils/timestamp.h"

#define INV_SCHEMA "inventory"

/* A row of inventory.store, as far as the engine reads it. */
typedef struct InvCatalogRow
{
	char *store_name;
	Oid items;
	Oid orders; /* or InvalidOid */
	Oid movements;
	char *user_claim; /* or NULL */
	bool refuse_direct;
	bool has_sellable;
	List *settings; /* of the session that attached: texts "name=value" */
	Interval max_ttl;
} InvCatalogRow;

extern bool inv_catalog_find(const char *store_name, Oid items, InvCatalogRow *row);
extern List *inv_catalog_list(void);

#endif /* INV_CATALOG_H */
