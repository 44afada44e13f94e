/*
 * units.h
 *		Sums and sizes of units, which stay in the range of a bigint.
 */
#ifndef INV_UNITS_H
#define INV_UNITS_H

#include "common/int.h"

/* The sum of two numbers of units, or the bigint that is nearest to it. */
static inline int64
inv_add_units(int64 left, int64 right)
{
	int64 sum;

	if (!pg_add_s64_overflow(left, right, &sum))
		return sum;
	return right < 0 ? PG_INT64_MIN : PG_INT64_MAX;
}

/* How many units a change of so many moves; for the smallest bigint one less. */
static inline int64
inv_units_moved(int64 change)
{
	return change == PG_INT64_MIN ? PG_INT64_MAX : change < 0 ? -change : change;
}

#endif /* INV_UNITS_H */
