/*
 * binding.h
 *		The binding of a store: which tables, which columns, whose.
 *
 * An InvStore is this backend's image of one row of inventory.store together
 * with the columns that the binding triggers on items and orders remember.  It
 * is read once and kept until an invalidation message says that one of the
 * tables or the catalog changed.
 */
#ifndef INV_BINDING_H
#define INV_BINDING_H

#include "access/attnum.h"
#include "storage/lockdefs.h"
#include "utils/relcache.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "shmem/hot_table.h"
#include "store/catalog.h"
#include "store/ledger_schema.h"

/* Where rows are appended without a statement. */
typedef enum InvTarget
{
	INV_TARGET_ORDERS,
	INV_TARGET_MOVEMENTS,
	INV_TARGET_COUNT
} InvTarget;

typedef struct InvQueryPlans InvQueryPlans;
typedef struct InvDirectInsertPlan InvDirectInsertPlan;
typedef struct InvDirectReadPlan InvDirectReadPlan;

/* A bound column.  attnum 0 means that the store has no such column. */
typedef struct InvColumn
{
	AttrNumber attnum;
	Oid type; /* as declared */
	Oid base; /* without domains; varchar counts as text */
	int32 typmod;
	Oid collation;
	bool notnull;
	bool filled; /* has a default, an identity or a generation expression */
	char *name;	 /* quoted where SQL needs it */
	char *key;	 /* as it stands in the catalog */
} InvColumn;

#define INV_MAX_SETTABLE 63

typedef struct InvStore
{
	char *store_name; /* store_name: survives renames, dumps and restores */
	Oid items;
	Oid orders;					  /* InvalidOid: the shop writes its orders itself */
	Oid ledger[INV_LEDGER_COUNT]; /* by InvLedgerTable */
	Oid sellable_view;			  /* InvalidOid: every item is for sale */
	Oid owner;
	bool just_loaded; /* not entered yet since it was read */
	bool valid;		  /* false after an invalidation: do not start with it */
	MemoryContext context;

	/* quoted, qualified names */
	char *items_name;
	char *orders_name;
	char *ledger_name; /* the ledger schema */
	char *path;		   /* search_path of the generated functions */

	InvColumn item_id;
	InvColumn stock;
	InvColumn version;
	InvColumn stock_floor;
	InvColumn purchase_limit;

	InvColumn order_id;
	InvColumn order_user;
	InvColumn order_item;
	InvColumn order_quantity;
	InvColumn *settable; /* what callers may set */
	int nsettable;

	/* types of the ledger's ids, without domains */
	Oid user_type;
	Oid order_type;

	char *sellable;			   /* SQL condition over the items row "i", or NULL */
	bool sellable_is_volatile; /* it depends on more than the row: on the time, on other tables */
	char *user_claim;		   /* claim of request.jwt.claims, or NULL */
	bool refuse_direct;
	Interval max_ttl; /* of a hold, from its creation */
	TimestampTz now;  /* of the call: read once when the store is entered */

	TypeCacheEntry *item_ops;							   /* comparison of keys */
	InvQueryPlans *queries;								   /* query.c's */
	InvDirectInsertPlan *direct_inserts[INV_TARGET_COUNT]; /* direct_insert.c's, by target */
	InvDirectReadPlan *direct_read;						   /* direct_read.c's */
	bool last_take_failed;								   /* the last take here found too little */
	struct InvHotStore *hot_store; /* hot_item.c's: what is shared; null: nothing */
	int hot_mode;				   /* when it was last entered */
	bool may_be_hot;			   /* without that, something may have been hot before */
} InvStore;

/* The user of a call; a guest has none. */
typedef struct InvUser
{
	Datum value;
	bool isnull;
} InvUser;

extern void inv_binding_lock(const InvCatalogRow *row, LOCKMODE lock);
extern bool inv_binding_fill(InvStore *store, const InvCatalogRow *row);

#endif /* INV_BINDING_H */
