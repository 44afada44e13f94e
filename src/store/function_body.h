/*
 * function_body.h
 *		The expression of a function that is one RETURN.
 */
#ifndef INV_FUNCTION_BODY_H
#define INV_FUNCTION_BODY_H

#include "nodes/parsenodes.h"

extern Query *inv_function_body(Oid function);
extern void inv_columns_of_arguments(Oid function, Bitmapset **columns, int arguments);

#endif /* INV_FUNCTION_BODY_H */
