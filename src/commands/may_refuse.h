/*
 * may_refuse.h
 *		Could the table of orders refuse a line?
 */
#ifndef INV_MAY_REFUSE_H
#define INV_MAY_REFUSE_H

#include "store/binding.h"

extern bool inv_orders_may_refuse(InvStore *store);

#endif /* INV_MAY_REFUSE_H */
