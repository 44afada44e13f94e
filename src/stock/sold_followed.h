/*
 * sold_followed.h
 *		What was sold on order lines that the ledger follows.
 */
#ifndef INV_SOLD_FOLLOWED_H
#define INV_SOLD_FOLLOWED_H

#include "store/binding.h"
#include "stock/sold_order.h"

extern void inv_lock_followed(InvStore *store, InvOrder *orders, int count);
extern void inv_book_unknown(InvStore *store, InvOrder *order);

#endif /* INV_SOLD_FOLLOWED_H */
