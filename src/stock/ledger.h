/*
 * ledger.h
 *		Movements: one row for every change of stock.
 */
#ifndef INV_LEDGER_H
#define INV_LEDGER_H

#include "store/binding.h"

/* A movement to insert. */
typedef struct InvMovement
{
	Datum item;
	int64 delta;
	const char *kind;
	InvUser user;
	Datum order;
	bool no_order;
	Datum reservation;	/* a uuid, or 0 */
	const char *reason; /* or null */
	int64 epoch;		/* of a hot item's counter; 0: the item's row has the units */
} InvMovement;

/* The movements of a call. */
typedef struct InvBook
{
	InvMovement *movements;
	int count;
	int capacity;
} InvBook;

extern const InvUser inv_no_user;

extern void inv_book_init(InvBook *book, int capacity);
extern InvMovement *inv_book_add(InvBook *book, Datum item, int64 delta, const char *kind);
extern void inv_book_return(InvBook *book, Datum item, int64 quantity, const char *kind,
							const InvUser *user, Datum reservation, bool given, int64 epoch);
extern void inv_book_write(InvStore *store, InvBook *book);

extern Datum inv_ledger_actor(void);
extern Datum inv_ledger_time(void);

#endif /* INV_LEDGER_H */
