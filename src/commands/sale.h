/*
 * sale.h
 *		The movements of a sale.
 */
#ifndef INV_SALE_H
#define INV_SALE_H

#include "store/binding.h"
#include "commands/cart.h"

extern void inv_book_sale(InvStore *store, const InvCart *cart, const InvUser *user,
						  const char *reason);

#endif /* INV_SALE_H */
