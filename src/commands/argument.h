/*
 * argument.h
 *		Arguments of the engine's functions, in the types of the store.
 */
#ifndef INV_ARGUMENT_H
#define INV_ARGUMENT_H

#include "fmgr.h"

#include "store/binding.h"
#include "store/enter.h"

extern text *inv_getarg_store_name(FunctionCallInfo fcinfo);
extern Datum inv_getarg_as(FunctionCallInfo fcinfo, int argument, Oid type);
extern Datum inv_getarg_item(InvStore *store, FunctionCallInfo fcinfo, int argument);
extern Datum inv_getarg_ids(FunctionCallInfo fcinfo, int argument, Oid type, const char *name);
extern Datum inv_getarg_order(InvStore *store, FunctionCallInfo fcinfo, int argument);
extern InvUser inv_getarg_user(InvStore *store, FunctionCallInfo fcinfo, int argument);
extern InvUser inv_getarg_named_user(InvStore *store, FunctionCallInfo fcinfo, int argument);
extern int64 inv_getarg_quantity(FunctionCallInfo fcinfo, int argument, const char *name);
extern char *inv_getarg_text(FunctionCallInfo fcinfo, int argument);

extern void inv_check_result(InvStore *store, FunctionCallInfo fcinfo, Oid type);
extern Datum inv_copy_result(InvCall *call, Oid type, Datum value);

#endif /* INV_ARGUMENT_H */
