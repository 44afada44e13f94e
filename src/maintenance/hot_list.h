/*
 * hot_list.h
 *		Lists of a store's hot items, in key order.
 */
#ifndef INV_HOT_LIST_H
#define INV_HOT_LIST_H

#include "shmem/hot_table.h"
#include "store/binding.h"

/* A condition on an entry.  It is called under the spinlock, so it only reads the entry. */
typedef bool (*InvHotEntryTest)(const InvHotEntry *entry, int64 now);

extern Datum *inv_read_hot_items(InvStore *store, uint64 *count);
extern Datum *inv_select_hot_items(InvStore *store, InvHotEntryTest test, uint64 *count);

#endif /* INV_HOT_LIST_H */
