/*
 * expression.h
 *		Expressions of a table: whether they call code of the shop, and their compiled form.
 */
#ifndef INV_EXPRESSION_H
#define INV_EXPRESSION_H

#include "access/tupdesc.h"
#include "nodes/execnodes.h"
#include "utils/relcache.h"

extern bool inv_is_of_shop(Oid oid);
extern bool inv_type_has_shop_code(Oid type);
extern Node *inv_check_condition(const ConstrCheck *check, Relation table);
extern bool inv_calls_shop_code(Node *expression);
extern bool inv_may_keep_expression(Node *expression);
extern ExprState *inv_keep_expression(Node *expression);

#endif /* INV_EXPRESSION_H */
