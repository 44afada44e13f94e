/*
 * give.h
 *		Give units back to items: released, expired, refunded.
 */
#ifndef INV_GIVE_H
#define INV_GIVE_H

#include "store/binding.h"
#include "store/query.h"
#include "stock/quantity.h"

extern void inv_give(InvStore *store, InvGive *gives, int count, InvSnapshotMode mode);

#endif /* INV_GIVE_H */
