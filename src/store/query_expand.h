/*
 * query_expand.h
 *		From a template to the SQL of one store.
 */
#ifndef INV_QUERY_EXPAND_H
#define INV_QUERY_EXPAND_H

#include "store/binding.h"

extern char *inv_expand_template(InvStore *store, const char *template);
extern char *inv_column_type_name(const InvColumn *column);

#endif /* INV_QUERY_EXPAND_H */
