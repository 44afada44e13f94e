/*
 * direct_take.h
 *		Units taken from the row of a cold item, or given to it, without a statement.
 */
#ifndef INV_DIRECT_TAKE_H
#define INV_DIRECT_TAKE_H

#include "store/binding.h"
#include "stock/quantity.h"

/* What the row must satisfy, beside having enough: as INV_STMT_TAKE and its variants. */
typedef enum InvTakeCondition
{
	INV_TAKE_IF_SELLABLE,
	INV_TAKE_IF_VERSION, /* and if it is sellable */
	INV_TAKE_IF_ENOUGH	 /* nothing else: the caller has locked and judged it */
} InvTakeCondition;

typedef enum InvDirectOutcome
{
	INV_DIRECT_NOT_POSSIBLE, /* nothing was done: that needs a statement */
	INV_DIRECT_NO_ROW,		 /* nothing was taken: no row satisfies the condition */
	INV_DIRECT_TAKEN		 /* the level says what the row has, and whether the item is hot */
} InvDirectOutcome;

extern InvDirectOutcome inv_direct_take(InvStore *store, const InvTake *take,
										InvTakeCondition condition, InvRowLevel *level);
extern bool inv_direct_take_locked(InvStore *store, InvTake *takes, int count);
extern bool inv_direct_give(InvStore *store, InvGive *give);

#endif /* INV_DIRECT_TAKE_H */
