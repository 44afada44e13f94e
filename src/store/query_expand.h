/*
 * query_expand.h
 *		From a template to the SQL of one store.
 */
#ifndef INV_QUERY_EXPAND_H
#define INV_QUERY_EXPAND_H

#include "store/binding.h"

/* the parameters of inv_insert_orders_text: items, quantities, user, data of each line, header */
#define INV_INSERT_ORDERS_PARAMETERS "INuJh"

/* the parameters of inv_insert_header_text: user, data */
#define INV_INSERT_HEADER_PARAMETERS "uj"

extern char *inv_expand_template(InvStore *store, const char *template);
extern char *inv_insert_orders_text(InvStore *store, uint64 columns);
extern char *inv_insert_header_text(InvStore *store, uint64 columns);

#endif /* INV_QUERY_EXPAND_H */
