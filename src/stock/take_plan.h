/*
 * take_plan.h
 *		How units are taken from a row of items without a statement.
 */
#ifndef INV_TAKE_PLAN_H
#define INV_TAKE_PLAN_H

#include "nodes/execnodes.h"
#include "utils/relcache.h"

#include "store/binding.h"
#include "store/update_plan.h"

/* Kept as long as the binding is valid. */
struct InvDirectTakePlan
{
	bool usable;
	Oid item_index; /* unique, on the key */
	FmgrInfo same_item;
	InvUpdatePlan update;
	bool has_domains;	 /* among the columns that change */
	ExprState *sellable; /* null: every item is for sale */
};

extern InvDirectTakePlan *inv_take_plan(InvStore *store, Relation items);
extern bool inv_row_is_sellable(InvDirectTakePlan *plan, TupleTableSlot *row);

#endif /* INV_TAKE_PLAN_H */
