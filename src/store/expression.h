/*
 * expression.h
 *		Expressions of a table that are compiled once and kept.
 */
#ifndef INV_EXPRESSION_H
#define INV_EXPRESSION_H

#include "nodes/execnodes.h"

extern bool inv_may_keep_expression(Node *expression);
extern ExprState *inv_keep_expression(Node *expression);

#endif /* INV_EXPRESSION_H */
