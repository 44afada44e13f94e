/*
 * hot_list.h
 *		Lists of a store's hot items, in key order.
 */
#ifndef INV_HOT_LIST_H
#define INV_HOT_LIST_H

#include "shmem/hot_directory.h"
#include "store/binding.h"

/* A transition of an item, which locks its row; false if nothing was changed. */
typedef bool (*InvItemTransition)(InvStore *store, Datum item);

extern Datum *inv_read_hot_items(InvStore *store, uint64 *count);
extern int64 inv_apply_to_hot_items(InvStore *store, InvHotEntryTest test,
									InvItemTransition transition, int64 max_items);

#endif /* INV_HOT_LIST_H */
