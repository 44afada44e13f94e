/*
 * pending.h
 *		Order lines and headers that other code has changed, until the ledger follows them.
 */
#ifndef INV_PENDING_H
#define INV_PENDING_H

#include "store/binding.h"
#include "stock/order_row.h"

typedef enum InvPendingKind
{
	INV_PENDING_INSERT,
	INV_PENDING_UPDATE,
	INV_PENDING_DELETE,
	INV_PENDING_MOVE,	/* DELETE of a row that is in another partition now */
	INV_PENDING_ENGINE, /* the engine has written and booked the line */
	INV_PENDING_HEADER	/* the header of lines has changed */
} InvPendingKind;

/* A change of a row of orders, or of the table of headers. */
typedef struct InvPending
{
	Oid items;	   /* of the store: orders can serve several */
	uint64 layout; /* of the store: the types of what is kept here */
	InvPendingKind kind;
	Datum key; /* of the line, or of the header */

	InvOrderRow old; /* the line before; old.exists is false for an INSERT and for headers */
	Datum old_row;	 /* the whole row before, of orders or headers; 0: there was none */
	Datum header;	 /* the line refers to this header now */
	bool has_header;
	int64 sold; /* what the engine has sold on the line */

	bool at_commit; /* not before the end of the transaction */
	int nesting;	/* level of the (sub)transaction of the change */
	int applied;	/* level of the (sub)transaction that has applied it; 0: it is to be */
} InvPending;

extern void inv_pending_init(void);

/* collecting */
extern void inv_pending_add(InvStore *store, const InvPending *change);
extern void inv_pending_remember_header(InvStore *store, Datum key, Datum row);

/* applying */
extern InvPending *inv_pending_take(InvStore *store, bool at_commit, int *count);
extern const InvPending *inv_pending_last(void);
extern bool inv_pending_has(Oid items, bool at_commit);
extern Oid inv_pending_store(void);
extern bool inv_pending_old_header(InvStore *store, Datum key, Datum *row);

/* statements whose trigger will apply what they change */
extern void inv_statement_begins(void);
extern bool inv_statement_ends(void);
extern void inv_statement_hurries(void);
extern bool inv_in_statement(void);

/* the engine applies what its own statements change when it has booked them */
extern void inv_pending_hold(void);
extern void inv_pending_release(void);
extern bool inv_pending_is_held(void);

#endif /* INV_PENDING_H */
