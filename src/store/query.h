/*
 * query.h
 *		Plans of the engine's statements, and their execution.
 */
#ifndef INV_QUERY_H
#define INV_QUERY_H

#include "store/binding.h"
#include "store/query_text.h"

/* What a statement sees. */
typedef enum InvSnapshotMode
{
	INV_SNAPSHOT_TRANSACTION, /* what a statement of the caller's transaction would see */
	INV_SNAPSHOT_LATEST,	  /* all that is committed now, whatever the isolation level */
	INV_SNAPSHOT_READ_ONLY	  /* the snapshot of the query that called us */
} InvSnapshotMode;

extern void inv_query_init(void);
extern uint64 inv_execute(InvStore *store, InvStatement statement, Datum *values, const char *nulls,
						  InvSnapshotMode mode);
extern uint64 inv_insert_orders(InvStore *store, uint64 columns, Datum *values, const char *nulls);
extern Datum inv_result(uint64 row, int column, bool *isnull);
extern int64 inv_result_int64(uint64 row, int column);
extern Datum inv_make_array(Oid type, Datum *elements, bool *nulls, int count);

#endif /* INV_QUERY_H */
