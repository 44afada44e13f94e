/*
 * expiry.h
 *		Give overdue holds back to the stock.
 */
#ifndef INV_EXPIRY_H
#define INV_EXPIRY_H

#include "utils/timestamp.h"

#include "store/binding.h"

/*
 * Where to continue with overdue lines, which are taken in the order of their ends: behind the
 * lines that ended at an instant and were refused.
 */
typedef struct InvExpiryPosition
{
	TimestampTz instant;
	int64 refused;
} InvExpiryPosition;

extern const InvExpiryPosition inv_first_overdue;

extern bool inv_expire_overdue_of_item(InvStore *store, Datum item, int64 units);
extern bool inv_item_has_overdue(InvStore *store, Datum item);
extern int64 inv_expire_overdue(InvStore *store, int64 max_rows, bool skip_locked,
								InvExpiryPosition *position, int64 *refused);

#endif /* INV_EXPIRY_H */
