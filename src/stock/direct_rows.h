/*
 * direct_rows.h
 *		The rows of a cart, read and locked without a statement.
 */
#ifndef INV_DIRECT_ROWS_H
#define INV_DIRECT_ROWS_H

#include "store/binding.h"
#include "stock/quantity.h"

extern bool inv_direct_read_rows(InvStore *store, InvTake *takes, int count, bool lock);

#endif /* INV_DIRECT_ROWS_H */
