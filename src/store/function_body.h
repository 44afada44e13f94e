/*
 * function_body.h
 *		Functions of the ledger, and the expression of one that is one RETURN.
 */
#ifndef INV_FUNCTION_BODY_H
#define INV_FUNCTION_BODY_H

#include "nodes/parsenodes.h"

extern Oid inv_find_function(Oid schema, const char *name, const Oid *types, int count);
extern Query *inv_function_body(Oid function);
extern void inv_columns_of_arguments(Oid function, Bitmapset **columns);

#endif /* INV_FUNCTION_BODY_H */
