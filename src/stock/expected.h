/*
 * expected.h
 *		The changes of stock that the engine announces before it writes them.
 */
#ifndef INV_EXPECTED_H
#define INV_EXPECTED_H

#include "store/binding.h"
#include "stock/quantity.h"

/* A change that the engine is about to make.  The key lives as long as its statement. */
typedef struct InvExpected
{
	Oid items;
	Datum item;
	int64 delta;
	bool settling; /* the counter of a hot item has it already */
	bool seen;
	InvRowLevel level; /* after it */
	int depth;		   /* of triggers, in which its guard will fire */
	int nesting;	   /* of the transaction that announced it */
} InvExpected;

extern void inv_expected_init(void);

/*
 * Around every statement of the engine that writes stock:
 *
 *		base = inv_expect_begin();
 *		inv_expect(store, item, delta);			for each row
 *		... the statement ...
 *		inv_expect_end(store, base, it wrote the rows, a level for each or null);
 *
 * Settling moves units of a hot item from its movements to its row: no counter changes.
 */
extern int inv_expect_begin(void);
extern void inv_expect(InvStore *store, Datum item, int64 delta);
extern void inv_expect_settling(InvStore *store, Datum item, int64 delta);
extern void inv_expect_end(InvStore *store, int base, bool written, InvRowLevel *levels);

/* for the guard */
extern InvExpected *inv_expected_take(InvStore *store, Datum item);

#endif /* INV_EXPECTED_H */
