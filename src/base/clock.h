/*
 * clock.h
 *		Time that passes at the same rate, whatever happens to the server's clock.
 *
 * For durations and deadlines, in microseconds since an instant that is the same for all
 * processes of the server.  When a hold ends is a date, and goes by the server's clock.
 */
#ifndef INV_CLOCK_H
#define INV_CLOCK_H

extern int64 inv_clock_now(void);
extern int64 inv_clock_after(int64 milliseconds);
extern long inv_clock_until(int64 instant);

#endif /* INV_CLOCK_H */
