/*
 * follow_line.h
 *		The movements that make the ledger equal to what an order line is worth.
 */
#ifndef INV_FOLLOW_LINE_H
#define INV_FOLLOW_LINE_H

#include "store/binding.h"
#include "stock/ledger.h"
#include "stock/order_row.h"
#include "stock/worth.h"

/* What the ledger has of a line, of one item and user. */
typedef struct InvBooked
{
	Datum item;
	InvUser user;
	int64 units; /* sold and not cancelled */
	int64 refunded;
} InvBooked;

/* A line that has changed, or whose header has. */
typedef struct InvFollowed
{
	InvLineWorth now;

	/* as it was before the first change */
	bool existed;
	InvOrderRow old; /* where its row has changed */
	Datum old_row;
	Datum old_header; /* the row of the header at that time; 0: there was none */

	/* as it was when it was deleted, for the first time */
	bool deleted;
	Datum last_row;
	Datum last_header;

	bool is_new; /* a row of this key was inserted, which did not move from another partition */
	bool by_engine;
	int64 sold; /* by the engine, on the row that it has inserted */

	InvBooked *booked;
	int booked_count; /* 0: the ledger does not know the line */
	bool archived;	  /* a line of this key was final when it or its header was deleted */
	bool orphaned;	  /* it is final, by its header as that was when it was deleted */
} InvFollowed;

extern void inv_read_booked(InvStore *store, InvFollowed *lines, int count);
extern bool inv_lock_booked(InvStore *store, Datum order);
extern bool inv_has_former_line(const InvFollowed *line);
extern void inv_follow_line(InvStore *store, InvFollowed *line, const char *reason, InvBook *book);

#endif /* INV_FOLLOW_LINE_H */
