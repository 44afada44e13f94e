/*
 * argument.h
 *		What callers hand in, and what they get back, in the store's types.
 */
#ifndef INV_ARGUMENT_H
#define INV_ARGUMENT_H

#include "utils/jsonb.h"

#include "store/binding.h"
#include "store/enter.h"

extern text *inv_label(FunctionCallInfo fcinfo);
extern Datum inv_item(InvStore *store, FunctionCallInfo fcinfo, int argument);
extern Datum inv_order(InvStore *store, FunctionCallInfo fcinfo, int argument);
extern InvUser inv_user(InvStore *store, FunctionCallInfo fcinfo, int argument);
extern InvUser inv_named_user(InvStore *store, FunctionCallInfo fcinfo, int argument);
extern char *inv_item_argument_text(InvStore *store, FunctionCallInfo fcinfo, int argument);
extern int64 inv_quantity(FunctionCallInfo fcinfo, int argument, const char *name);
extern char *inv_text(FunctionCallInfo fcinfo, int argument);
extern char *inv_int64_text(FunctionCallInfo fcinfo, int argument);

extern void inv_check_result(InvStore *store, FunctionCallInfo fcinfo, Oid type);
extern Datum inv_return(InvCall *call, Oid type, Datum value);

#endif /* INV_ARGUMENT_H */
