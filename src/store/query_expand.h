/*
 * query_expand.h
 *		From a template to the SQL of one store.
 */
#ifndef INV_QUERY_EXPAND_H
#define INV_QUERY_EXPAND_H

#include "store/binding.h"

/* the parameters of inv_insert_orders_text: items, quantities, user, data of each line */
#define INV_INSERT_ORDERS_PARAMETERS "INuJ"

extern char *inv_expand_template(InvStore *store, const char *template);
extern char *inv_insert_orders_text(InvStore *store, uint64 columns);

#endif /* INV_QUERY_EXPAND_H */
