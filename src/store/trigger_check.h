/*
 * trigger_check.h
 *		Whose triggers fire when the engine writes a table.
 */
#ifndef INV_TRIGGER_CHECK_H
#define INV_TRIGGER_CHECK_H

#include "utils/relcache.h"

#include "store/dependency.h"

/* Which guards may the table have?  A partition of orders has theirs, and so have headers. */
typedef enum InvTriggerRole
{
	INV_TRIGGERS_OF_ITEMS,
	INV_TRIGGERS_OF_ORDERS,
	INV_TRIGGERS_OF_OTHERS
} InvTriggerRole;

extern Oid inv_orders_guard_function(void);
extern void inv_check_triggers(const char *store_name, Oid owner, Relation rel, InvTriggerRole role,
							   InvDependencies *dependencies);

#endif /* INV_TRIGGER_CHECK_H */
