/*
 * binding_read.h
 *		From the catalogs to a store.
 */
#ifndef INV_BINDING_READ_H
#define INV_BINDING_READ_H

#include "store/binding.h"

extern void inv_binding_add_column(InvStore *store, InvColumnList *list, Oid table,
								   AttrNumber attnum);
extern bool inv_binding_fill(InvStore *store, const InvCatalogRow *row);

extern bool inv_binding_forces_policies(const InvStore *store);

#endif /* INV_BINDING_READ_H */
