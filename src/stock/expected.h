/*
 * expected.h
 *		The changes of stock that the engine announces before it writes them.
 */
#ifndef INV_EXPECTED_H
#define INV_EXPECTED_H

#include "store/binding.h"
#include "stock/quantity.h"

/* A change that the engine is about to make. */
typedef struct InvExpected
{
	Oid items;
	Datum item; /* valid until the statement ends */
	int64 delta;
	bool settling;	   /* the counter of a hot item has these units already */
	bool seen;		   /* the guard has fired for it */
	InvRowLevel level; /* filled by the guard */
	int depth;		   /* of triggers, at which the guard will fire */
	int nesting;	   /* level of the (sub)transaction that announced it */
} InvExpected;

extern void inv_expected_init(void);

/*
 * Around every statement of the engine that writes stock:
 *
 *		base = inv_expect_begin();
 *		inv_expect(store, item, delta);			for each row
 *		... the statement ...
 *		inv_expect_end(store, base, whether it wrote the rows, their levels or null);
 *
 * inv_expect_settling announces units of a hot item that move from its movements
 * to its row, or back: its counter does not change.
 */
extern int inv_expect_begin(void);
extern void inv_expect(InvStore *store, Datum item, int64 delta);
extern void inv_expect_settling(InvStore *store, Datum item, int64 delta);
extern void inv_expect_end(InvStore *store, int base, bool written, InvRowLevel *levels);

/* for the triggers on items */
extern int inv_expected_match(InvStore *store, Datum item);
extern InvExpected *inv_expected_at(int place);
extern bool inv_expected_announced(InvStore *store, Datum item);
extern int inv_trigger_depth(void);

#endif /* INV_EXPECTED_H */
