/*
 * store.h
 *		The binding of a store: which tables, which columns, whose.
 *
 * An InvStore is this backend's image of one row of inventory.store together
 * with the columns that the binding triggers on items and orders remember.  It
 * is read once and kept until an invalidation message says that one of the
 * tables or the catalog changed.
 */
#ifndef INV_STORE_H
#define INV_STORE_H

#include "access/attnum.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "utils/relcache.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "store/query.h"

#define INV_SCHEMA "inventory"

/* The tables of a ledger that the engine writes. */
typedef enum InvLedger
{
	INV_LEDGER_NONE,
	INV_LEDGER_MOVEMENTS,
	INV_LEDGER_RESERVATIONS,
	INV_LEDGER_REQUESTS,
	INV_LEDGER_HOT,
	INV_LEDGERS
} InvLedger;

/* Where rows are appended without a statement. */
typedef enum InvTarget
{
	INV_TO_ORDERS,
	INV_TO_MOVEMENTS,
	INV_TARGETS
} InvTarget;

typedef struct InvAppendPlan InvAppendPlan;
typedef struct InvProbePlan InvProbePlan;

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

/* One plan of INSERT INTO orders per set of caller-given columns. */
typedef struct InvInsertPlan
{
	uint64 columns; /* bitmap over InvStore.settable */
	uint64 used;	/* for the choice of a victim */
	int running;	/* executions under way; errors are forgotten at the transaction's end */
	SPIPlanPtr plan;
} InvInsertPlan;

#define INV_INSERT_PLANS 16
#define INV_MAX_SETTABLE 63

typedef struct InvStore
{
	char *label; /* store_name: survives renames, dumps and restores */
	Oid items;
	Oid orders;				 /* InvalidOid: the shop writes its orders itself */
	Oid ledger[INV_LEDGERS]; /* by InvLedger */
	Oid sellable_view;		 /* InvalidOid: every item is for sale */
	Oid owner;
	bool fresh; /* not entered yet since it was read */
	bool valid; /* false after an invalidation: do not start with it */
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

	char *sellable;		 /* SQL condition over the items row "i", or NULL */
	bool sellable_moves; /* it depends on more than the row: on the time, on other tables */
	char *user_claim;	 /* claim of request.jwt.claims, or NULL */
	bool refuse_direct;
	Interval max_ttl; /* of a hold, from its creation */
	TimestampTz now;  /* of the call: read once when the store is entered */

	TypeCacheEntry *item_ops; /* comparison of keys */
	SPIPlanPtr plans[INV_STATEMENTS];
	InvInsertPlan inserts[INV_INSERT_PLANS];
	uint64 insert_clock;
	InvAppendPlan *appends[INV_TARGETS]; /* direct_insert.c's, by target */
	InvProbePlan *probe;				 /* direct_read.c's */
	bool short_lately;					 /* the last take here found too little */
	struct InvHeated *heated;			 /* hot_item.c's: what is shared; null: nothing */
	int hot_mode;						 /* when it was last entered */
	bool leftovers;						 /* without that, something may have been hot before */
} InvStore;

/* The user of a call; a guest has none. */
typedef struct InvUser
{
	Datum value;
	bool isnull;
} InvUser;

/* A call of the engine on a store: what must be put back when it ends. */
typedef struct InvCall
{
	InvStore *store;
	MemoryContext caller; /* where results go */
	void *counters;		  /* of the call around this one */
	Oid user;
	int security;
	int nest; /* of the setting of search_path, or 0 */
} InvCall;

extern void inv_store_init(void);

extern void inv_store_enter(InvCall *call, text *label, const char *writer);
extern bool inv_store_enter_items(InvCall *call, Oid items);
extern void inv_store_enter_owned(InvCall *call, Oid items);
extern void inv_store_leave(InvCall *call);
extern InvStore *inv_store_of_items(Oid items);

extern Relation inv_store_claim(InvStore *store, InvLedger which);
extern void inv_store_claim_orders(InvStore *store);

extern int64 inv_column_number(TupleTableSlot *slot, const InvColumn *column, int64 if_null,
							   bool *isnull);
extern int inv_item_compare(InvStore *store, Datum a, Datum b);
extern uint64 inv_item_hash(InvStore *store, Datum item, uint64 seed);
extern char *inv_item_text(InvStore *store, Datum item);

#endif /* INV_STORE_H */
