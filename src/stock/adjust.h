/*
 * adjust.h
 *		An operator locks the stock of one item, decides, and changes it.
 */
#ifndef INV_ADJUST_H
#define INV_ADJUST_H

#include "store/binding.h"
#include "stock/quantity.h"

extern InvStock inv_adjust_lock(InvStore *store, Datum item);
extern bool inv_adjust_change(InvStore *store, InvStock *stock, int64 delta, int64 min_left);

#endif /* INV_ADJUST_H */
