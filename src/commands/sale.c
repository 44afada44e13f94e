/*
 * sale.c
 *		The movements of a sale.
 */
#include "postgres.h"

#include "base/error.h"
#include "store/binding.h"
#include "store/ledger_schema.h"
#include "stock/ledger.h"
#include "commands/cart.h"
#include "commands/sale.h"

/*
 * Write a movement per line of a cart whose order rows are inserted.  A second one supplies what
 * is sold of an untracked item, so that its movements sum to 0 (invariant 2) and still say who
 * bought it.
 */
void
inv_book_sale(InvStore *store, const InvCart *cart, const InvUser *user, const char *reason)
{
	InvBook book;

	inv_book_init(&book, 2 * cart->line_count);
	for (int i = 0; i < cart->line_count; i++)
	{
		const InvLine *line = &cart->lines[i];
		InvMovement *sale = inv_book_add(&book, line->item, -line->quantity, INV_KIND_SALE);

		sale->user = *user;
		sale->order = line->order;
		sale->no_order = line->no_order;
		sale->reason = reason;
		sale->epoch = cart->takes[line->take].epoch;
		Assert(cart->takes[line->take].status == INV_STATUS_OK);
		if (!cart->takes[line->take].tracked)
		{
			InvMovement *supply =
				inv_book_add(&book, line->item, line->quantity, INV_KIND_ADJUSTMENT);

			supply->order = line->order;
			supply->no_order = line->no_order;
			supply->reason = INV_REASON_UNTRACKED;
		}
	}
	inv_book_write(store, &book);
}
