/*
 * units.h
 *		Sums of units, which stay in the range of a bigint.
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

#endif /* INV_UNITS_H */
