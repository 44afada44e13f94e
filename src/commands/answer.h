/*
 * answer.h
 *		The answer about order lines.
 */
#ifndef INV_ANSWER_H
#define INV_ANSWER_H

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "nodes/execnodes.h"

#include "store/binding.h"
#include "commands/cart.h"

extern void inv_begin_rows(FunctionCallInfo fcinfo);
extern void inv_check_row_type(InvStore *store, TupleDesc desc, const Oid *types, int count);
extern void inv_check_line_type(InvStore *store, TupleDesc desc);
extern void inv_return_lines(InvStore *store, InvCart *cart, bool sold, bool replayed,
							 ReturnSetInfo *result);
extern TupleDesc inv_row_desc(InvStore *store, FunctionCallInfo fcinfo);
extern TupleDesc inv_line_desc(InvStore *store, FunctionCallInfo fcinfo);
extern Datum inv_form_line(InvStore *store, InvCart *cart, bool sold, TupleDesc desc);
extern Datum inv_replay_line(InvStore *store, Jsonb *answer, TupleDesc desc);
extern char *inv_lines_json(InvStore *store, InvCart *cart, bool sold);
extern char *inv_lines_text(InvStore *store, InvCart *cart, bool sold, bool replayed);
extern void inv_replay_lines(InvStore *store, Jsonb *answer, ReturnSetInfo *result);
extern void inv_append_id(StringInfo json, Oid type, Datum value, bool isnull);

#endif /* INV_ANSWER_H */
