/*
 * locked_row.h
 *		The row of an item that is heated, settled or cooled.
 */
#ifndef INV_LOCKED_ROW_H
#define INV_LOCKED_ROW_H

#include "store/binding.h"

/* An item's row, locked by this transaction if it exists. */
typedef struct InvLockedRow
{
	bool exists;
	bool tracked; /* its stock is not null */
	int64 stock;
	int64 floor;
} InvLockedRow;

extern InvLockedRow inv_lock_stock_row(InvStore *store, Datum item);
extern void inv_check_stock_row(InvStore *store, Datum item, const InvLockedRow *row);

#endif /* INV_LOCKED_ROW_H */
