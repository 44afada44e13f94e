/*
 * argument.h
 *		What callers hand in, and what they get back, in the store's types.
 */
#ifndef INV_ARGUMENT_H
#define INV_ARGUMENT_H

#include "store/store.h"
#include "utils/jsonb.h"

extern Oid inv_base_type(Oid type);
extern char *inv_datum_text(Oid type, Datum value);
extern Datum inv_from_text(Oid type, char *string);

extern text *inv_label(FunctionCallInfo fcinfo);
extern Datum inv_item(InvStore *store, FunctionCallInfo fcinfo, int argument);
extern Datum inv_order(InvStore *store, FunctionCallInfo fcinfo, int argument);
extern Datum inv_item_of_order(InvStore *store, Datum value);
extern InvUser inv_user(InvStore *store, FunctionCallInfo fcinfo, int argument);
extern InvUser inv_named_user(InvStore *store, FunctionCallInfo fcinfo, int argument);
extern bool inv_same_user(InvStore *store, Datum a, Datum b);
extern char *inv_item_argument_text(InvStore *store, FunctionCallInfo fcinfo, int argument);
extern int64 inv_quantity(FunctionCallInfo fcinfo, int argument, const char *name);
extern char *inv_text(FunctionCallInfo fcinfo, int argument);
extern char *inv_int64_text(FunctionCallInfo fcinfo, int argument);
extern char *inv_json_text(const JsonbValue *value);

extern void inv_check_result(InvStore *store, FunctionCallInfo fcinfo, Oid type);
extern int64 inv_most_units(InvStore *store);
extern Datum inv_quantity_datum(InvStore *store, int64 quantity);
extern Datum inv_return(InvCall *call, Oid type, Datum value);

#endif /* INV_ARGUMENT_H */
