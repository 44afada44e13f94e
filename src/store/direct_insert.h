/*
 * direct_insert.h
 *		Rows inserted without a statement, where their table allows it.
 */
#ifndef INV_DIRECT_INSERT_H
#define INV_DIRECT_INSERT_H

#include "storage/itemptr.h"

#include "store/binding.h"
#include "store/ledger_schema.h"

/* The columns of an order that are given; those of a movement are InvMovementColumn. */
typedef enum InvOrderColumn
{
	INV_ORDER_ITEM,
	INV_ORDER_QUANTITY,
	INV_ORDER_USER,
	INV_ORDER_HEADER,
	INV_ORDER_COLUMN_COUNT
} InvOrderColumn;

/* The columns of a header that are given. */
typedef enum InvHeaderColumn
{
	INV_HEADER_USER,
	INV_HEADER_COLUMN_COUNT
} InvHeaderColumn;

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
	Datum key;	  /* of an order or a header */
	bool no_key;
	ItemPointerData place;
} InvDirectRow;

StaticAssertDecl(INV_ORDER_COLUMN_COUNT <= INV_ROW_COLUMNS &&
					 INV_HEADER_COLUMN_COUNT <= INV_ROW_COLUMNS &&
					 INV_HOLD_COLUMN_COUNT <= INV_ROW_COLUMNS &&
					 INV_REQUEST_COLUMN_COUNT <= INV_ROW_COLUMNS,
				 "a row of each table has room for its columns");

extern bool inv_direct_insert(InvStore *store, InvTarget target, InvDirectRow *rows, int count,
							  bool items_written);
extern const InvDirectRow *inv_direct_row_at(const InvStore *store, ItemPointer place);

#endif /* INV_DIRECT_INSERT_H */
