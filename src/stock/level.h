/*
 * level.h
 *		What can be sold of items, for an answer that shows it.
 */
#ifndef INV_LEVEL_H
#define INV_LEVEL_H

#include "base/error.h"
#include "store/binding.h"
#include "stock/quantity.h"

/* What can be sold of an item. */
typedef struct InvLevel
{
	Datum item;
	bool tracked; /* false: any quantity */
	int64 available;
} InvLevel;

extern void inv_level_read_many(InvStore *store, InvTake *takes, int count);
extern int64 inv_level_read(InvStore *store, Datum item, InvStatus *status, bool *tracked);

extern InvLevel *inv_level_read_items(InvStore *store, Datum items, uint64 *count);

#endif /* INV_LEVEL_H */
