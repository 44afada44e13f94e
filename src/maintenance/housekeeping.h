/*
 * housekeeping.h
 *		Old rows of the ledger schema are deleted.
 */
#ifndef INV_HOUSEKEEPING_H
#define INV_HOUSEKEEPING_H

#include "store/binding.h"

extern int64 inv_prune(InvStore *store, TimestampTz before, int64 max_rows);

#endif /* INV_HOUSEKEEPING_H */
