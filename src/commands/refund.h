/*
 * refund.h
 *		Units of an order come back.
 */
#ifndef INV_REFUND_H
#define INV_REFUND_H

#include "stock/ledger.h"
#include "stock/quantity.h"
#include "stock/sold.h"

/* What becomes of the units of an order that come back. */
typedef struct InvReturn
{
	const char *kind; /* of the movement: refund, cancellation */
	bool restock;	  /* they go to the stock; false: they are written off */
	const char *reason;
} InvReturn;

/* the movements of one return at most */
#define INV_RETURN_MOVEMENTS 3

extern void inv_book_returned(InvBook *book, Datum order, InvSold *sold, int64 quantity,
							  const InvGive *give, const InvReturn *how);
extern void inv_return_units(InvStore *store, Datum order, InvSold *sold, int64 quantity,
							 const InvReturn *how);

#endif /* INV_REFUND_H */
