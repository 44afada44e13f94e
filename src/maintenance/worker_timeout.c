/*
 * worker_timeout.c
 *		The time that the worker spends on a store is bounded.
 *
 * When the time is over, what the store is doing is cancelled.  A function can catch that,
 * and go on; so it is cancelled again, and then the worker is ended, which no function can
 * catch.
 */
#include "postgres.h"

#include <signal.h>

#include "miscadmin.h"
#include "storage/latch.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"

#include "maintenance/worker_timeout.h"

#define AGAIN_MS 1000 /* from one attempt to the next */
#define CANCELS 3	  /* attempts before the worker is ended */

static TimeoutId worker_timeout;
static volatile sig_atomic_t attempts = 0;

/* Timeout handler. */
static void
end_what_runs(void)
{
	if (++attempts <= CANCELS)
		QueryCancelPending = true;
	else
		ProcDiePending = true;
	InterruptPending = true;
	SetLatch(MyLatch);
}

void
inv_worker_timeout_init(void)
{
	worker_timeout = RegisterTimeout(USER_TIMEOUT, end_what_runs);
}

/* From now on there is so much time; 0 is no limit. */
void
inv_worker_timeout_begin(int milliseconds)
{
	attempts = 0;
	if (milliseconds > 0)
		enable_timeout_every(worker_timeout,
							 TimestampTzPlusMilliseconds(GetCurrentTimestamp(), milliseconds),
							 AGAIN_MS);
}

/* The work is done, or was cancelled.  Was the time over? */
bool
inv_worker_timeout_end(void)
{
	disable_timeout(worker_timeout, false);
	if (attempts > 0)
		QueryCancelPending = false;
	return attempts > 0;
}
