/*
 * adjust.h
 *		Corrections of the stock by operators.
 */
#ifndef INV_ADJUST_H
#define INV_ADJUST_H

#include "store/binding.h"
#include "stock/quantity.h"

extern InvStock inv_adjust_lock(InvStore *store, Datum item);
extern bool inv_adjust_change(InvStore *store, Datum item, InvStock *stock, int64 delta,
							  int64 least);

#endif /* INV_ADJUST_H */
