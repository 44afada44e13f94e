/*
 * hot_check.c
 *		Compare a counter with the tables.
 */
#include "postgres.h"

#include "shmem/counter.h"
#include "shmem/hot_table.h"
#include "store/binding.h"
#include "store/query.h"
#include "stock/hot_check.h"
#include "stock/hot_publish.h"
#include "stock/hot_row.h"

/*
 * Compare a counter with the tables.  False: it is right, or nobody can say, because
 * it changed meanwhile.
 */
bool
inv_hot_counter_differs(InvStore *store, Datum item, int64 *expected, int64 *actual)
{
	InvCounterRef counter;
	InvCounterValues counted, now;
	InvHotRow row;
	uint64 before, after;
	bool own_row, unsettled;

	if (inv_hot_state(store, item, &counter) != INV_HOT_STATE_HOT ||
		!inv_counter_at_rest(&counter, &before) ||
		!inv_hot_row_read(store, item, INV_SNAPSHOT_LATEST, &row) ||
		!inv_hot_count(store, item, row.settled, &counted, &own_row, &unsettled) || own_row ||
		inv_counter_look(&counter, &now) != INV_HOT_STATE_HOT ||
		!inv_counter_at_rest(&counter, &after) || before != after)
		return false;
	*expected = counted.available;
	*actual = now.available;
	/* beyond what is counted they need not agree */
	return now.available != counted.available && counted.available < PG_INT64_MAX / 2 &&
		   counted.available > -(PG_INT64_MAX / 2);
}
