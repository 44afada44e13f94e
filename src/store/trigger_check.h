/*
 * trigger_check.h
 *		Whose triggers fire when the engine writes a table.
 */
#ifndef INV_TRIGGER_CHECK_H
#define INV_TRIGGER_CHECK_H

#include "utils/relcache.h"

extern void inv_check_triggers(const char *store_name, Oid owner, Relation rel);
extern void inv_check_triggers_written(const char *store_name, Oid owner, Relation rel);

#endif /* INV_TRIGGER_CHECK_H */
