/*
 * query_insert.h
 *		INSERT into orders and into their header, by statements.
 */
#ifndef INV_QUERY_INSERT_H
#define INV_QUERY_INSERT_H

#include "store/binding.h"

extern void inv_query_insert_init(void);
extern uint64 inv_insert_orders(InvStore *store, uint64 columns, Datum *values, const char *nulls);
extern uint64 inv_insert_header(InvStore *store, uint64 columns, Datum *values, const char *nulls);

#endif /* INV_QUERY_INSERT_H */
