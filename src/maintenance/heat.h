/*
 * heat.h
 *		Items become hot, are settled, and cool.
 *
 * For the worker.  All of it expects an entered store.
 */
#ifndef INV_HEAT_H
#define INV_HEAT_H

#include "store/binding.h"

/* each returns how many items it changed */
extern int64 inv_heat_contended(InvStore *store);
extern int64 inv_settle_items(InvStore *store, int64 max_items);
extern int64 inv_cool_idle(InvStore *store);

#endif /* INV_HEAT_H */
