/*
 * refusal.h
 *		Refusals: the error, or the statistics of one that is returned.
 */
#ifndef INV_REFUSAL_H
#define INV_REFUSAL_H

#include "base/compat.h"
#include "store/binding.h"
#include "stock/quantity.h"

INV_NORETURN extern void inv_refuse(InvStore *store, const InvTake *takes, int count);
extern void inv_count_refusals(const InvTake *takes, int count);

#endif /* INV_REFUSAL_H */
