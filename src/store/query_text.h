/*
 * query_text.h
 *		The SQL of the engine, for one store.
 */
#ifndef INV_QUERY_TEXT_H
#define INV_QUERY_TEXT_H

#include "store/store.h"

extern char *inv_statement_text(InvStore *store, InvStatement which);
extern const char *inv_statement_parameters(InvStatement which);
extern const char *inv_statement_columns(InvStatement which);
extern int inv_statement_result(InvStatement which);
extern InvLedger inv_statement_writes(InvStatement which);

extern bool inv_refund_needs_sale(InvStore *store);
extern char *inv_insert_orders_text(InvStore *store, uint64 columns);

#endif /* INV_QUERY_TEXT_H */
