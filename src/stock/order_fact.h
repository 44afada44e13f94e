/*
 * order_fact.h
 *		What an error says of an order.
 */
#ifndef INV_ORDER_FACT_H
#define INV_ORDER_FACT_H

#include "base/fact.h"
#include "store/binding.h"

extern char *inv_order_text(InvStore *store, Datum order);
extern InvFacts *inv_order_facts(InvStore *store, Datum order);

#endif /* INV_ORDER_FACT_H */
