/*
 * expiry.h
 *		Give overdue holds back to the stock.
 */
#ifndef INV_EXPIRY_H
#define INV_EXPIRY_H

#include "store/binding.h"

extern bool inv_expire_overdue_of_item(InvStore *store, Datum item, int64 units);
extern bool inv_item_has_overdue(InvStore *store, Datum item);
extern int64 inv_expire_overdue(InvStore *store, int64 max_rows, bool skip_locked,
								TimestampTz *from, int64 *refused);

#endif /* INV_EXPIRY_H */
