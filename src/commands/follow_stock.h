/*
 * follow_stock.h
 *		The stock moves as the movements of order lines say.
 */
#ifndef INV_FOLLOW_STOCK_H
#define INV_FOLLOW_STOCK_H

#include "store/binding.h"
#include "stock/ledger.h"

extern void inv_move_followed_stock(InvStore *store, InvBook *book);

#endif /* INV_FOLLOW_STOCK_H */
