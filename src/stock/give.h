/*
 * give.h
 *		Give units back to items: released, expired, refunded.
 */
#ifndef INV_GIVE_H
#define INV_GIVE_H

#include "store/binding.h"
#include "stock/quantity.h"

extern int inv_merge_gives(InvStore *store, InvGive *gives, int count, const char *of);
extern const InvGive *inv_find_give(InvStore *store, const InvGive *gives, int count, Datum item);
extern void inv_give(InvStore *store, InvGive *gives, int count);

#endif /* INV_GIVE_H */
