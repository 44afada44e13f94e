/*
 * take_plan.h
 *		How units are taken from a row of items without a statement.
 */
#ifndef INV_TAKE_PLAN_H
#define INV_TAKE_PLAN_H

#include "nodes/execnodes.h"
#include "utils/relcache.h"

#include "store/binding.h"

/* Kept as long as the binding is valid. */
struct InvDirectTakePlan
{
	bool usable;
	Oid item_index; /* unique, on the key */
	FmgrInfo same_item;
	Bitmapset *written;	   /* the columns that change, as pull_varattnos numbers them */
	bool has_foreign_keys; /* of items to other tables */
	bool has_domains;	   /* among the columns that change */
	bool runs_shop_code;   /* a check of such a domain, or a function of an index, say */
	ExprState *sellable;   /* null: every item is for sale */
	ExprState **checks;
	int check_count;
	AttrNumber *not_null; /* columns that may not be null */
	int not_null_count;
	ExprContext *context; /* in which the expressions are evaluated */
};

extern InvDirectTakePlan *inv_take_plan(InvStore *store, Relation items);

#endif /* INV_TAKE_PLAN_H */
