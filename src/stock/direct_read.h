/*
 * direct_read.h
 *		What can be sold of an item, read without a statement.
 */
#ifndef INV_DIRECT_READ_H
#define INV_DIRECT_READ_H

#include "store/binding.h"
#include "stock/quantity.h"

/*
 * Read an item for sale as all that is committed now has it, with its overdue
 * holds if it is short.  False if that needs a statement.
 */
extern bool inv_direct_read(InvStore *store, InvTake *take);

#endif /* INV_DIRECT_READ_H */
