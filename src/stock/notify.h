/*
 * notify.h
 *		Notifications when an item runs out or comes back.
 */
#ifndef INV_NOTIFY_H
#define INV_NOTIFY_H

#include "store/binding.h"

extern void inv_notify_init(void);
extern void inv_notify_crossing(InvStore *store, Datum item, int64 before, int64 after,
								int64 floor);

#endif /* INV_NOTIFY_H */
