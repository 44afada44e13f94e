/*
 * histogram.c
 *		Times, in buckets whose width is proportional to the time, so that
 *		percentiles have a bounded relative error.
 */
#include "client.h"

static int
bucket_of(uint64_t value)
{
	int shift;

	if (value < SUB_BUCKETS)
		return (int) value;
	shift = 63 - __builtin_clzll(value) - 6; /* 2^6 = SUB_BUCKETS */
	if (shift >= BUCKETS / SUB_BUCKETS - 1)
		return BUCKETS - 1;
	return (shift + 1) * SUB_BUCKETS + (int) (value >> shift) - SUB_BUCKETS;
}

/* the middle of a bucket */
static uint64_t
value_of(int bucket)
{
	int shift = bucket / SUB_BUCKETS - 1;

	if (shift < 0)
		return bucket;
	return ((uint64_t) (SUB_BUCKETS + bucket % SUB_BUCKETS) << shift) +
		   ((UINT64_C(1) << shift) / 2);
}

void
histogram_add(Histogram *histogram, uint64_t microseconds)
{
	histogram->count[bucket_of(microseconds)]++;
	histogram->total++;
	histogram->sum += microseconds;
}

/* The time that the given share of the purchases did not exceed. */
uint64_t
histogram_percentile(const Histogram *histogram, double share)
{
	uint64_t wanted = (uint64_t) (share * histogram->total);
	uint64_t seen = 0;

	for (int bucket = 0; bucket < BUCKETS; bucket++)
	{
		seen += histogram->count[bucket];
		if (seen > wanted || (seen == histogram->total && seen > 0))
			return value_of(bucket);
	}
	return 0;
}
