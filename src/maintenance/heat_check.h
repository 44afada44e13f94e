/*
 * heat_check.h
 *		Whether an item may become hot.
 */
#ifndef INV_HEAT_CHECK_H
#define INV_HEAT_CHECK_H

#include "store/binding.h"

extern bool inv_heat_was_refused(InvStore *store, Datum item);
extern const char *inv_heat_refusal(InvStore *store, Datum item, int64 stock, int64 floor);
extern void inv_heat_log_refusal(InvStore *store, Datum item, const char *refusal);

#endif /* INV_HEAT_CHECK_H */
