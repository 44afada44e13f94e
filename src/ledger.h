/*
 * ledger.h
 *		Movements: one row for every change of stock.
 */
#ifndef INV_LEDGER_H
#define INV_LEDGER_H

#include "store.h"

extern void inv_movement(InvStore *store, Datum item, int64 delta, const char *kind,
						 const InvUser *user, Datum order, bool has_order, const char *reason);
extern void inv_movements(InvStore *store, int count, Datum *items, Datum *deltas, const char *kind,
						  const InvUser *user, Datum *orders, bool *no_order, const char *reason);

#endif /* INV_LEDGER_H */
