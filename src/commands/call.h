/*
 * call.h
 *		Calls by the generated functions.
 */
#ifndef INV_CALL_H
#define INV_CALL_H

#include "store/enter.h"

extern void inv_call_enter(InvCall *call, text *store_name, const char *writer);

#endif /* INV_CALL_H */
