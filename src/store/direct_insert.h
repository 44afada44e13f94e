/*
 * direct_insert.h
 *		Rows written without a statement, where nothing asks for one.
 */
#ifndef INV_DIRECT_INSERT_H
#define INV_DIRECT_INSERT_H

#include "store/binding.h"
#include "store/ledger_schema.h"

/* The columns of an order that are given; those of a movement are InvMovementColumn. */
typedef enum InvOrderColumn
{
	INV_ORDER_ITEM,
	INV_ORDER_QUANTITY,
	INV_ORDER_USER,
	INV_ORDER_COLUMN_COUNT
} InvOrderColumn;

#define INV_ROW_COLUMNS INV_MOVEMENT_COLUMN_COUNT

/*
 * A row to insert.  Its columns are those of its table's enum; numbers are bigint,
 * ids have the store's types.
 */
typedef struct InvDirectRow
{
	Datum values[INV_ROW_COLUMNS];
	bool nulls[INV_ROW_COLUMNS];

	/* what became of it */
	bool written; /* false: a trigger of the shop suppressed it */
	Datum key;	  /* of an order */
	bool no_key;
} InvDirectRow;

/*
 * Append rows, in their order, with all that an INSERT would do: defaults,
 * constraints, indexes, triggers.  False, and nothing done, if the table has
 * something that needs an INSERT.
 */
extern bool inv_direct_insert(InvStore *store, InvTarget target, InvDirectRow *rows, int count);

#endif /* INV_DIRECT_INSERT_H */
