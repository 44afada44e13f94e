/*
 * clock.c
 *		Time that passes at the same rate, whatever happens to the server's clock.
 */
#include "postgres.h"

#include <limits.h>

#include "portability/instr_time.h"

#include "base/clock.h"

int64
inv_clock_now(void)
{
	instr_time now;

	INSTR_TIME_SET_CURRENT(now);
	return (int64) INSTR_TIME_GET_MICROSEC(now);
}

/* The instant after so many milliseconds. */
int64
inv_clock_after(int64 milliseconds)
{
	Assert(milliseconds >= 0 && milliseconds < PG_INT64_MAX / 2000);
	return inv_clock_now() + milliseconds * 1000;
}

/* How many milliseconds are left until an instant, rounded up; 0 if it is past. */
long
inv_clock_until(int64 instant)
{
	int64 left = instant - inv_clock_now();

	return left <= 0 ? 0 : (long) Min((left - 1) / 1000 + 1, INT_MAX);
}
