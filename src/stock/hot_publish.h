/*
 * hot_publish.h
 *		The counter of a hot item is published, or the item is demoted.
 */
#ifndef INV_HOT_PUBLISH_H
#define INV_HOT_PUBLISH_H

#include "shmem/hot_table.h"
#include "store/binding.h"

extern bool inv_hot_find_counter(InvStore *store, Datum item, InvCounterRef *counter);
extern InvHotState inv_hot_state(InvStore *store, Datum item, InvCounterRef *counter);
extern bool inv_hot_demote(InvStore *store, Datum item);

#endif /* INV_HOT_PUBLISH_H */
