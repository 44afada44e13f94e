/*
 * heat.h
 *		Items become hot.
 *
 * For the worker.  Expects an entered store.
 */
#ifndef INV_HEAT_H
#define INV_HEAT_H

#include "store/binding.h"

/* returns how many items it changed */
extern int64 inv_heat_contended(InvStore *store);

#endif /* INV_HEAT_H */
