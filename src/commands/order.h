/*
 * order.h
 *		Order rows, and the answer about them.
 */
#ifndef INV_ORDER_H
#define INV_ORDER_H

#include "fmgr.h"
#include "commands/cart.h"
#include "nodes/execnodes.h"

extern void inv_insert_cart(InvStore *store, InvCart *cart, const InvUser *user);

extern void inv_check_row_type(InvStore *store, TupleDesc desc, const Oid *types, int count);
extern void inv_begin_rows(FunctionCallInfo fcinfo);
extern void inv_check_line_type(InvStore *store, TupleDesc desc);
extern void inv_return_lines(InvStore *store, InvCart *cart, bool sold, bool replayed,
							 ReturnSetInfo *result);
extern char *inv_lines_json(InvStore *store, InvCart *cart, bool sold);
extern void inv_replay_lines(InvStore *store, Jsonb *answer, ReturnSetInfo *result);
extern void inv_append_id(StringInfo json, Oid type, Datum value, bool isnull);
extern char *inv_jsonb_text(Jsonb *value);

#endif /* INV_ORDER_H */
