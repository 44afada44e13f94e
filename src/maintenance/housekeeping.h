/*
 * housekeeping.h
 *		Pruning: rows of the ledger schema that are no longer needed are deleted.
 */
#ifndef INV_HOUSEKEEPING_H
#define INV_HOUSEKEEPING_H

#include "store/binding.h"

extern int64 inv_prune(InvStore *store, TimestampTz before, int64 max_rows);

#endif /* INV_HOUSEKEEPING_H */
