/*
 * update_plan.h
 *		What is known of a table whose rows are updated without a statement.
 */
#ifndef INV_UPDATE_PLAN_H
#define INV_UPDATE_PLAN_H

#include "nodes/execnodes.h"
#include "utils/reltrigger.h"

#include "store/binding.h"
#include "store/target_index.h"

/* Kept as long as the binding is valid. */
typedef struct InvUpdatePlan
{
	Bitmapset *written;	   /* the columns that change, as pull_varattnos numbers them */
	bool has_foreign_keys; /* to other tables */
	bool runs_shop_code;   /* a function of an index, say */
	ExprState **checks;
	int check_count;
	AttrNumber *not_null; /* columns that may not be null */
	int not_null_count;
	InvTargetIndexes indexes;
	ExprContext *context; /* in which the expressions are evaluated */
} InvUpdatePlan;

extern bool inv_add_written_column(InvUpdatePlan *plan, TupleDesc desc, AttrNumber attnum,
								   Oid type);
extern bool inv_update_needs_statement(InvUpdatePlan *plan, InvStore *store, Relation table,
									   bool (*is_own)(const Trigger *));

#endif /* INV_UPDATE_PLAN_H */
