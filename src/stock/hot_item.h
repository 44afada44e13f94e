/*
 * hot_item.h
 *		Which items of a store are hot.
 */
#ifndef INV_HOT_ITEM_H
#define INV_HOT_ITEM_H

#include "shmem/hot_table.h"
#include "store/binding.h"

extern void inv_hot_item_init(void);

extern InvHotStore *inv_hot_store(InvStore *store);
extern void inv_hot_mark_changed(InvStore *store);
extern int inv_hot_reserve_room(InvStore *store, Datum item);
extern bool inv_hot_never_was(InvStore *store);
extern bool inv_hot_known_none(InvStore *store);
extern bool inv_hot_may_exist(InvStore *store);
extern bool inv_hot_find_entry(InvStore *store, Datum item, InvCounterRef *counter);
extern bool inv_hot_all_have_entries(InvStore *store);
extern bool inv_hot_lacks_entries(InvStore *store);
extern bool inv_hot_known_cold(InvStore *store, Datum item);
extern void inv_hot_note_problem(InvStore *store, Datum item, const char *problem);
extern bool inv_hot_has_problem(InvStore *store, Datum item);

#endif /* INV_HOT_ITEM_H */
