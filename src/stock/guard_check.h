/*
 * guard_check.h
 *		Do the guards see every write of items and orders?
 */
#ifndef INV_GUARD_CHECK_H
#define INV_GUARD_CHECK_H

#include "utils/reltrigger.h"

#include "store/binding.h"

extern bool inv_trigger_calls(const Trigger *trigger, const char *function);
extern bool inv_is_row_guard(const Trigger *trigger);
extern const char *inv_guard_problem(InvStore *store);
extern const char *inv_keep_problem(InvStore *store);
extern const char *inv_orders_guard_problem(InvStore *store);

#endif /* INV_GUARD_CHECK_H */
