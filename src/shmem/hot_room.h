/*
 * hot_room.h
 *		Room for the items that this transaction heats, and of those that it demotes.
 */
#ifndef INV_HOT_ROOM_H
#define INV_HOT_ROOM_H

#include "shmem/hot_table.h"

/* no entry could be reserved */
#define INV_NO_ROOM (-1)

extern void inv_hot_room_init(void);
extern int inv_hot_room_reserve(InvHotStore *hot_store, const InvHotKey *key);
extern void inv_hot_room_set_number(int reserved, int64 number);
extern void inv_hot_room_free(const InvCounterRef *counter);

#endif /* INV_HOT_ROOM_H */
