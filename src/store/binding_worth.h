/*
 * binding_worth.h
 *		The functions that say what order lines are worth, and what they read.
 */
#ifndef INV_BINDING_WORTH_H
#define INV_BINDING_WORTH_H

#include "store/binding.h"

extern void inv_binding_find_worth(InvStore *store, Oid ledger);

#endif /* INV_BINDING_WORTH_H */
