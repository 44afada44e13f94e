/*
 * relation_check.h
 *		Whose storage a table has.
 */
#ifndef INV_RELATION_CHECK_H
#define INV_RELATION_CHECK_H

#include "utils/relcache.h"

#include "store/dependency.h"

extern void inv_check_storage(const char *store_name, Relation rel);
extern void inv_check_engine(const char *store_name, Relation rel, InvDependencies *dependencies);

#endif /* INV_RELATION_CHECK_H */
