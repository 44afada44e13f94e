/*
 * hot_directory.h
 *		Which items are hot, for all sessions: the directory of the entries.
 */
#ifndef INV_HOT_DIRECTORY_H
#define INV_HOT_DIRECTORY_H

#include "shmem/hot_table.h"

extern uint64 inv_hot_directory_places_made(void);
extern InvHotStore *inv_hot_directory_find_store(Oid items);
extern InvHotStore *inv_hot_directory_make_store(Oid items);
extern void inv_hot_directory_free_stores(Oid database, Oid items);
extern bool inv_hot_directory_has_room(int count);
extern bool inv_hot_directory_reserve(void);
extern void inv_hot_directory_unreserve(void);
extern void inv_hot_directory_place(InvHotStore *hot_store, const InvHotKey *key, int64 number);
extern bool inv_hot_directory_find(const InvHotKey *key, InvCounterRef *counter);
extern bool inv_hot_directory_fill(InvHotStore *hot_store, const InvHotKey *keys,
								   const int64 *numbers, int count, uint32 changes);
extern void inv_hot_directory_invalidate(InvHotStore *hot_store);
extern void inv_hot_directory_free(const InvCounterRef *counter);
extern void inv_hot_directory_free_unpublished(const InvCounterRef *counter);

#endif /* INV_HOT_DIRECTORY_H */
