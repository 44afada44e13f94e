/*
 * store.h
 *		The stores of this backend: found, cached and locked.
 */
#ifndef INV_STORE_H
#define INV_STORE_H

#include "store/binding.h"

extern void inv_store_init(void);
extern InvStore *inv_store_by_name(text *store_name, LOCKMODE lock);
extern InvStore *inv_store_by_items(Oid items, LOCKMODE lock);
extern InvStore *inv_store_by_orders(Relation orders, const char *store_name);
extern void inv_store_use(InvStore *store);
extern uint64 inv_store_changes(void);
extern void inv_store_unuse(InvStore *store);

#endif /* INV_STORE_H */
