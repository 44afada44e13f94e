/*
 * catalog.h
 *		The table inventory.store.
 */
#ifndef INV_CATALOG_H
#define INV_CATALOG_H

#include "access/genam.h"
#include "nodes/pg_list.h"
#include "utils/timestamp.h"

#define INV_SCHEMA "inventory"

/* What happens when other code than the engine changes the stock. */
typedef enum InvDirectWrites
{
	INV_DIRECT_WRITES_RECORD, /* it is booked */
	INV_DIRECT_WRITES_REFUSE, /* it is refused */
	INV_DIRECT_WRITES_KEEP	  /* an UPDATE of other columns, too, leaves the stock as it is */
} InvDirectWrites;

/* What happens when other code than the engine changes order lines. */
typedef enum InvOrderWrites
{
	INV_ORDER_WRITES_RECORD, /* it is recorded */
	INV_ORDER_WRITES_REFUSE, /* it is refused where it touches units that were sold */
	INV_ORDER_WRITES_FOLLOW	 /* the ledger is made equal to what the lines are worth */
} InvOrderWrites;

/* A row of inventory.store, as far as the engine reads it. */
typedef struct InvCatalogRow
{
	char *store_name;
	Oid items;
	Oid orders; /* or InvalidOid */
	Oid header; /* or InvalidOid */
	Oid movements;
	char *user_claim; /* or NULL */
	InvDirectWrites direct_writes;
	bool refuses_truncate;
	InvOrderWrites order_writes;
	bool has_order_units;
	bool has_sellable;
	bool has_prepare; /* the function prepare_order makes the rows of orders */
	bool has_values;  /* attach wrote it */
	List *settings;	  /* of the session that attached: texts "name=value" */
	Interval max_ttl;
} InvCatalogRow;

extern Oid inv_catalog_relid(void);
extern Oid inv_catalog_table_owner(Oid table);
extern bool inv_catalog_forces_policies(Oid table);
extern char *inv_catalog_table_name(Oid table);
extern Oid inv_catalog_resolve(const char *store_name, bool *is_only);

/* a row, for catalog_write.c */
extern SysScanDesc inv_catalog_scan_by_items(Relation catalog, Oid items);
extern SysScanDesc inv_catalog_scan_by_name(Relation catalog, const char *store_name);
extern Datum inv_catalog_value(HeapTuple tuple, TupleDesc desc, const char *column, bool *isnull);
extern Oid inv_catalog_table(HeapTuple tuple, TupleDesc desc, const char *column);
extern char *inv_catalog_text(HeapTuple tuple, TupleDesc desc, const char *column);

extern bool inv_catalog_find(Oid items, InvCatalogRow *row);
extern Oid inv_catalog_find_orders(const char *store_name, const List *tables);
extern List *inv_catalog_list(void);

#endif /* INV_CATALOG_H */
