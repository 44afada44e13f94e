/*
 * direct_insert.h
 *		Rows written without a statement, where nothing asks for one.
 */
#ifndef INV_DIRECT_INSERT_H
#define INV_DIRECT_INSERT_H

#include "store/binding.h"

#define INV_ROW_COLUMNS 10

/*
 * A row to be.  An order gives item, quantity and user, and its key comes back; a
 * movement gives its columns in the order of ledger.c.  Numbers are bigint, ids
 * have the store's types.
 */
typedef struct InvDirectRow
{
	Datum values[INV_ROW_COLUMNS];
	bool nulls[INV_ROW_COLUMNS];
	bool written; /* false: a trigger of the shop's wanted nothing */
	Datum key;
	bool no_key;
} InvDirectRow;

/*
 * Append rows, in their order, with all that an INSERT would do: defaults,
 * constraints, indexes, triggers.  False, and nothing done, if the table has
 * something that needs an INSERT.
 */
extern bool inv_direct_insert(InvStore *store, InvTarget target, InvDirectRow *rows, int count);

#endif /* INV_DIRECT_INSERT_H */
