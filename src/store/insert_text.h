/*
 * insert_text.h
 *		The SQL of INSERT into orders and into their header.
 */
#ifndef INV_INSERT_TEXT_H
#define INV_INSERT_TEXT_H

#include "store/binding.h"

/* the parameters of inv_insert_orders_text: items, quantities, user, data of each line, header */
#define INV_INSERT_ORDERS_PARAMETERS "INuJh"

/* the parameters of inv_insert_header_text: user, data */
#define INV_INSERT_HEADER_PARAMETERS "uj"

extern char *inv_insert_orders_text(InvStore *store, uint64 columns);
extern char *inv_insert_header_text(InvStore *store, uint64 columns);

#endif /* INV_INSERT_TEXT_H */
