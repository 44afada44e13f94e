/*
 * insert_plan.h
 *		What is known of a table into which rows are inserted without a statement.
 */
#ifndef INV_INSERT_PLAN_H
#define INV_INSERT_PLAN_H

#include "nodes/execnodes.h"
#include "nodes/primnodes.h"

#include "store/binding.h"
#include "store/ledger_schema.h"
#include "store/target_index.h"

/* A column that a row gives. */
typedef struct InvGivenColumn
{
	AttrNumber attnum; /* 0: the table has no such column */
	Oid narrow_type;   /* the column's type, if that is an integer smaller than bigint */
	const char *name;  /* for an error */
} InvGivenColumn;

/* A column that its default fills. */
typedef struct InvDefaultColumn
{
	AttrNumber attnum;
	Expr *expression;
	ExprState *state; /* null: to be made for each insertion, because it may change */
} InvDefaultColumn;

/* What is known of a table as long as the binding is valid. */
struct InvDirectInsertPlan
{
	bool usable;
	InvGivenColumn given[INV_ROW_COLUMNS];
	int given_count;
	InvDefaultColumn *defaults;
	int default_count;
	InvTargetIndexes indexes;
	AttrNumber key;		/* the column that is read back, or 0 */
	ExprState **checks; /* those of the table, in its order; null: the server compiles them */
	bool runs_shop_code;
	bool at_once;	  /* may several rows be inserted before the first has index entries? */
	List *referenced; /* tables of foreign keys, to be locked before this is believed */
	Oid item_key;	  /* the foreign key from the item of an order to items, or InvalidOid */
	Oid orders_guard; /* the function of the guards of orders; InvalidOid: not of orders */
};

extern InvDirectInsertPlan *inv_insert_plan(InvStore *store, InvTarget target, Relation table);
extern Relation inv_open_target(InvStore *store, InvTarget target);

#endif /* INV_INSERT_PLAN_H */
