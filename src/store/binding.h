/*
 * binding.h
 *		A row of inventory.store, and the store that its tables make.
 */
#ifndef INV_BINDING_H
#define INV_BINDING_H

#include "storage/lockdefs.h"
#include "utils/relcache.h"

#include "store/store.h"

/* a row of inventory.store, as far as the engine reads it */
typedef struct InvBinding
{
	char *label;
	Oid items;
	Oid orders;
	Oid movements;
	char *user_claim;
	bool refuse_direct;
	bool has_sellable;
	Interval max_ttl;
} InvBinding;

extern bool inv_binding_read(const char *label, Oid items, InvBinding *binding);
extern void inv_binding_lock(const InvBinding *binding, LOCKMODE lock);
extern void inv_binding_check_written(InvStore *store, Relation rel);
extern bool inv_binding_fill(InvStore *store, const InvBinding *binding);

#endif /* INV_BINDING_H */
