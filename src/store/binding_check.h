/*
 * binding_check.h
 *		Checks of what a store is bound to.
 */
#ifndef INV_BINDING_CHECK_H
#define INV_BINDING_CHECK_H

#include "access/htup.h"

#include "store/binding.h"

extern Oid inv_column_collation(Oid table, const char *name);
extern void inv_check_binding_types(const InvStore *store);
extern void inv_check_binding_owners(const InvStore *store);
extern void inv_check_binding_collations(const InvStore *store);
extern void inv_check_binding_columns(const InvStore *store);
extern HeapTuple inv_binding_find_function(InvStore *store, Oid ledger, const char *name,
										   const Oid *types, int count);
extern Oid inv_binding_find_prepare(InvStore *store, Oid ledger);
extern void inv_check_binding_scale(Relation orders, const InvColumn *quantity);

#endif /* INV_BINDING_CHECK_H */
