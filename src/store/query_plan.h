/*
 * query_plan.h
 *		Plans that find rows by their keys, whatever the statistics say.
 */
#ifndef INV_QUERY_PLAN_H
#define INV_QUERY_PLAN_H

#include "executor/spi.h"

#include "store/binding.h"

extern void inv_query_plan_init(void);
extern void inv_query_plan_by_key(SPIPlanPtr plan, const InvStore *store, const char *by,
								  int *generation);

#endif /* INV_QUERY_PLAN_H */
