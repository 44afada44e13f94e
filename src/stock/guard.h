/*
 * guard.h
 *		What the engine announces to the guard trigger before it writes stock.
 */
#ifndef INV_GUARD_H
#define INV_GUARD_H

#include "store/store.h"

extern void inv_guard_init(void);

/* What a row has after the statement that wrote it. */
typedef struct InvLevel
{
	int64 stock;
	int64 floor;
	bool hot; /* units were taken from the row of a hot item: the engine has to undo that */
} InvLevel;

/*
 * Around every statement of the engine that writes stock:
 *
 *		base = inv_guard_begin();
 *		inv_guard_expect(store, item, delta);	for each row
 *		... the statement ...
 *		inv_guard_end(store, base, it wrote the rows, a level for each or null);
 *
 * Settling moves units of a hot item from its movements to its row: no counter changes.
 */
extern int inv_guard_begin(void);
extern void inv_guard_expect(InvStore *store, Datum item, int64 delta);
extern void inv_guard_expect_settling(InvStore *store, Datum item, int64 delta);
extern void inv_guard_end(InvStore *store, int base, bool written, InvLevel *levels);

#endif /* INV_GUARD_H */
