/*
 * binding.h
 *		A store as this backend knows it: which tables, which columns, whose.
 *
 * An InvStore is made of one row of inventory.store and of the columns that the
 * binding triggers on its tables remember.  It is read once and kept until
 * an invalidation message says that one of the tables, or a catalog that it
 * depends on, may have changed.
 */
#ifndef INV_BINDING_H
#define INV_BINDING_H

#include "access/attnum.h"
#include "nodes/bitmapset.h"
#include "storage/lockdefs.h"
#include "utils/relcache.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "shmem/hot_table.h"
#include "store/catalog.h"
#include "store/condition.h"
#include "store/dependency.h"
#include "store/ledger_schema.h"

/* The tables into which rows are inserted without a statement. */
typedef enum InvTarget
{
	INV_TARGET_ORDERS,
	INV_TARGET_HEADER,
	INV_TARGET_MOVEMENTS,
	INV_TARGET_HOLDS,
	INV_TARGET_REQUESTS,
	INV_TARGET_COUNT
} InvTarget;

/* The keys by which rows of the ledger and orders are found without a statement. */
typedef enum InvKey
{
	INV_KEY_REQUEST,	  /* an idempotency key, its operation and its user */
	INV_KEY_HOLD,		  /* a reservation, and the item of the line */
	INV_KEY_ORDER,		  /* the key of orders */
	INV_KEY_REFUND,		  /* the order of refunds among the movements */
	INV_KEY_HOLD_OF_USER, /* the user of open holds, overdue ones too */
	INV_KEY_COUNT
} InvKey;

typedef struct InvQueryPlans InvQueryPlans;
typedef struct InvInsertPlans InvInsertPlans;
typedef struct InvDirectInsertPlan InvDirectInsertPlan;
typedef struct InvDirectReadPlan InvDirectReadPlan;
typedef struct InvDirectTakePlan InvDirectTakePlan;
typedef struct InvHoldPlan InvHoldPlan;
typedef struct InvKeyPlan InvKeyPlan;
typedef struct InvRowChecks InvRowChecks;

/* A bound column.  attnum 0 means that the store has no such column. */
typedef struct InvColumn
{
	AttrNumber attnum;
	Oid type; /* as declared */
	Oid base; /* without domains; varchar counts as text */
	int32 typmod;
	Oid collation;
	bool notnull;
	bool filled;	  /* an INSERT that does not give it may not leave it null */
	char *name;		  /* quoted where SQL needs it */
	char *key;		  /* as it stands in the catalog */
	char *label;	  /* as prepare_order calls it */
	bool by_quantity; /* prepare_order computes it from the quantity of the line */
} InvColumn;

/* a set of columns that rows are given is a bitmap of 64 bits */
#define INV_MAX_SETTABLE 63

/* The columns of a table that rows can be given, beside those that the engine fills. */
typedef struct InvColumnList
{
	InvColumn *columns; /* room for INV_MAX_SETTABLE where prepare_order makes the rows */
	int settable;		/* the first of them: what callers may set */
	int count;
} InvColumnList;

/* The functions that say what an order line is worth, and the columns that they read. */
typedef struct InvWorth
{
	Oid order_units;
	Oid order_final;
	Bitmapset *line_columns; /* of orders */
	Bitmapset *header_columns;
} InvWorth;

typedef struct InvStore
{
	MemoryContext context; /* of the store and of all that it points to */
	bool valid;			   /* false after an invalidation: it cannot be entered */
	int uses;			   /* store.c: by calls that have not ended */
	bool just_loaded;	   /* no call has looked for work of the worker yet */
	uint64 line_layout;	   /* store.c: the same while ids and rows of orders have the same types */
	uint64 header_layout;  /* store.c: the same of headers */

	InvDependencies dependencies; /* which invalidations concern it */

	/* ---- from the catalogs: set by binding_read.c, the same as long as the store is valid */

	char *store_name; /* survives renames, dumps and restores */
	Oid items;
	Oid orders;					  /* InvalidOid: the shop writes its orders itself */
	Oid order_row;				  /* the type of their rows */
	Oid header_row;				  /* the type of the rows of headers */
	Oid header;					  /* InvalidOid: orders have none, or the shop writes it itself */
	Oid ledger[INV_LEDGER_COUNT]; /* by InvLedgerTable */
	Oid sellable_view;			  /* InvalidOid: every item is for sale */
	Oid owner;

	/* quoted names, qualified for tables */
	char *items_name;
	char *orders_name; /* or NULL */
	char *header_name; /* or NULL */
	char *ledger_name; /* the ledger schema */
	char *path;		   /* search_path of statements and code of the shop */

	InvColumn item_id;
	InvColumn stock;
	InvColumn version;
	InvColumn stock_floor;
	InvColumn purchase_limit;
	InvColumn order_limit;

	InvColumn order_id;
	InvColumn order_user;
	InvColumn order_item;
	InvColumn order_quantity;
	InvColumn order_header; /* refers to the header */
	InvColumnList order_columns;
	uint64 header_bit; /* of order_header in order_columns, if callers may set it */

	InvColumn header_id;
	InvColumn header_user;
	InvColumnList header_columns;

	Oid prepare;	 /* the function prepare_order, which makes the rows of orders; or InvalidOid */
	bool has_values; /* it computes some columns, and callers may set others */
	InvSettings *
		settings; /* under which it runs, and what says the worth of lines; NULL: there is neither */

	/* types of the ledger's ids, without domains, and the collations of the bound columns */
	Oid user_type;
	Oid order_type;
	Oid header_type;
	Oid user_collation;
	TypeCacheEntry *user_ops; /* equality and hash of users */
	List *line_types;		  /* of the columns of orders */
	List *header_types;		  /* of the columns of headers */

	InvCondition *sellable; /* NULL: every item is for sale */
	bool forces_policies;	/* one of its tables forces its row security policies on the owner */
	char *user_claim;		/* claim of request.jwt.claims, or NULL */
	InvDirectWrites direct_writes;
	bool refuses_truncate;
	InvOrderWrites order_writes;
	bool has_order_units;	  /* the view order_worth of the ledger says what a line is worth */
	InvWorth worth;			  /* how, where the ledger follows it */
	Interval max_ttl;		  /* of a hold, from its creation */
	TypeCacheEntry *item_ops; /* comparison and hash of keys */

	/* ---- kept by others while the engine works on the store */

	TimestampTz now;									   /* of the call, when it entered */
	InvQueryPlans *queries;								   /* query.c */
	InvInsertPlans *inserts;							   /* query_insert.c */
	InvDirectInsertPlan *direct_inserts[INV_TARGET_COUNT]; /* direct_insert.c, by InvTarget */
	InvDirectReadPlan *direct_read;						   /* direct_read.c */
	InvDirectTakePlan *direct_take;						   /* direct_take.c */
	InvKeyPlan *key_plans[INV_KEY_COUNT];				   /* key_lookup.c, by InvKey */
	InvHoldPlan *hold_plan;								   /* hold_row.c */
	InvRowChecks *row_checks;							   /* row_check.c */
	bool last_take_failed;		   /* item_row.c: the last take found too little stock */
	struct InvHotStore *hot_store; /* hot_item.c: in shared memory, or NULL */
	bool may_be_hot;			   /* hot_item.c: without shared memory, can an item be hot? */
	uint64 none_hot_at;			   /* hot_item.c: without hot_store, when no item was hot */
	uint64 table_version;		   /* hot_item.c: of the items table; 0: not known yet */
	uint64 types_seen;			   /* hot_item.c: changes of types when that was read */
	int hot_mode;				   /* call.c: the setting when a call last looked for work */
} InvStore;

/* The user of a call; null for a guest. */
typedef struct InvUser
{
	Datum value;
	bool isnull;
} InvUser;

/* Is the ledger made equal to what order lines are worth? */
static inline bool
inv_follows_orders(const InvStore *store)
{
	return store->order_writes == INV_ORDER_WRITES_FOLLOW;
}

/* The column of the user of an order: the line's own, or else that of its header. */
static inline const InvColumn *
inv_user_column(const InvStore *store)
{
	return store->order_user.attnum ? &store->order_user : &store->header_user;
}

#endif /* INV_BINDING_H */
