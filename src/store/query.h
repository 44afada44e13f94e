/*
 * query.h
 *		Plans of the engine's statements, and their execution.
 */
#ifndef INV_QUERY_H
#define INV_QUERY_H

#include "executor/spi.h"

#include "store/binding.h"
#include "store/query_text.h"

/* Which snapshot a statement has.  With the first two it also sees what the transaction did before. */
typedef enum InvSnapshotMode
{
	/*
	 * That of a statement of the caller: in READ COMMITTED a new one, from
	 * REPEATABLE READ on that of the transaction.
	 */
	INV_SNAPSHOT_TRANSACTION,

	/*
	 * A new one at any isolation level.  From REPEATABLE READ on, a row that was
	 * changed since the transaction's snapshot can be read and locked, but writing it
	 * is a serialization failure.
	 */
	INV_SNAPSHOT_LATEST,

	/*
	 * A new one that has what other transactions have committed, and nothing of this one, which
	 * may be rolled back: for what other sessions are told.  The statement may not write.
	 */
	INV_SNAPSHOT_COMMITTED,

	/* That of the query that called the engine; the statement may not write. */
	INV_SNAPSHOT_READ_ONLY
} InvSnapshotMode;

extern SPIPlanPtr inv_prepare_plan(InvStore *store, const char *parameters, bool with_constants,
								   const char *text);
extern uint64 inv_execute_plan(InvStore *store, SPIPlanPtr plan, Datum *values, const char *nulls,
							   InvSnapshotMode mode, int expected, const char *columns);
extern void inv_error_rows_not_written(InvStore *store, InvStatement statement);
extern void inv_execute_write(InvStore *store, InvStatement statement, Datum *values,
							  const char *nulls, InvSnapshotMode mode, uint64 rows);
extern uint64 inv_execute(InvStore *store, InvStatement statement, Datum *values, const char *nulls,
						  InvSnapshotMode mode);
extern uint64 inv_execute_as_attached(InvStore *store, InvStatement statement, Datum *values,
									  const char *nulls, InvSnapshotMode mode);
extern Datum inv_result(uint64 row, int column, bool *isnull);
extern int64 inv_result_int64(uint64 row, int column);
extern Datum inv_make_array(Oid type, Datum *elements, bool *nulls, int count);

#endif /* INV_QUERY_H */
