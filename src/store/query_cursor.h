/*
 * query_cursor.h
 *		Statements with large results, which are read in batches.
 */
#ifndef INV_QUERY_CURSOR_H
#define INV_QUERY_CURSOR_H

#include "utils/portal.h"

#include "store/binding.h"
#include "store/query_text.h"

extern Portal inv_cursor_open(InvStore *store, InvStatement statement, Datum *values);
extern uint64 inv_cursor_fetch(Portal cursor, int count);
extern void inv_cursor_close(Portal cursor);
extern void inv_result_free(void);

#endif /* INV_QUERY_CURSOR_H */
