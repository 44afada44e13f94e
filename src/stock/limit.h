/*
 * limit.h
 *		Limits: how many units of an item one user may have, and one call may take.
 */
#ifndef INV_LIMIT_H
#define INV_LIMIT_H

#include "store/binding.h"
#include "stock/quantity.h"

extern bool inv_has_limits(const InvStore *store);
extern void inv_check_limit(InvStore *store, InvTake *take, const InvUser *user);
extern void inv_check_limits(InvStore *store, const InvTake *takes, int count, const InvUser *user);

#endif /* INV_LIMIT_H */
