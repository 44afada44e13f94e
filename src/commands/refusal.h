/*
 * refusal.h
 *		Refusals of inv_take: raised as an error, or counted where a status is returned.
 */
#ifndef INV_REFUSAL_H
#define INV_REFUSAL_H

#include "base/compat.h"
#include "store/binding.h"
#include "stock/quantity.h"

INV_NORETURN extern void inv_refuse(InvStore *store, const InvTake *take, const InvUser *user);
INV_NORETURN extern void inv_refuse_cart(InvStore *store, const InvTake *takes, int count,
										 const InvUser *user);
extern InvStatus inv_first_refusal(const InvTake *takes, int count);
extern void inv_count_refusals(const InvTake *takes, int count);

#endif /* INV_REFUSAL_H */
