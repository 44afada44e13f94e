/*
 * query_text.h
 *		The SQL of the engine, for one store: one enum, one table of texts.
 */
#ifndef INV_QUERY_TEXT_H
#define INV_QUERY_TEXT_H

#include "store/binding.h"

typedef enum InvStatement
{
	/* one item */
	INV_READ,			 /* what is for sale, without a lock */
	INV_LOCK,			 /* the same, with the row locked */
	INV_PIN,			 /* keep the row from being deleted */
	INV_READ_ANY,		 /* read the row, for sale or not */
	INV_LOCK_ANY,		 /* lock the row, for sale or not */
	INV_TAKE,			 /* conditional decrement */
	INV_TAKE_IF_VERSION, /* the same, if nobody was faster */
	INV_CHANGE,			 /* unconditional change by a signed quantity */
	INV_LEVEL,			 /* what can be sold, overdue holds included */
	/* the items of a cart, in key order */
	INV_READ_MANY,
	INV_LOCK_MANY,
	INV_TAKE_MANY,
	INV_LOCK_MANY_ANY,
	INV_CHANGE_MANY,
	/* ledger */
	INV_MOVEMENTS,
	INV_MOVED_SINCE,
	INV_USED,
	INV_HELD_UNITS,
	INV_OPEN_LEDGER,
	INV_VERIFY,
	INV_VERIFY_HOLDS,
	INV_CLOSE_LEDGER,
	/* hot items */
	INV_HOT_ROWS,
	INV_HOT_ROW,
	INV_HOT_OF_NUMBERS,
	INV_READ_HOT,
	INV_UNSETTLED,
	INV_FIRST_EXPIRY,
	INV_OVERDUE_UNITS,
	INV_MARK_HOT,
	INV_MARK_SETTLED,
	INV_CONTENDED,
	/* reservations */
	INV_HOLD,
	INV_LOCK_HOLD,
	INV_READ_HOLD,
	INV_PUT_HOLD,
	INV_RELEASE_HOLD,
	INV_CONFIRM_HOLD,
	INV_EXTEND_HOLD,
	INV_HELD_OF_ITEM,
	/* expiry */
	INV_OVERDUE_OF_ITEM,
	INV_OVERDUE_OF_USER,
	INV_OVERDUE,
	INV_STILL_OVERDUE_OF_USER,
	INV_STILL_OVERDUE,
	INV_EXPIRE,
	INV_NEXT_EXPIRY,
	INV_COUNT_OVERDUE,
	/* refunds */
	INV_LOCK_ORDER,
	INV_SALES,
	INV_REFUNDED,
	INV_COUNTED,
	/* idempotency */
	INV_FIND_REQUEST,
	INV_KEEP_REQUEST,
	INV_REPLAY_LINES,
	/* housekeeping */
	INV_PRUNE_HOLDS,
	INV_PRUNE_REQUESTS,
	INV_STATEMENTS
} InvStatement;

/* A statement; see query_text.c for its letters and placeholders. */
typedef struct InvTemplate
{
	const char *parameters; /* a letter for the type of each */
	const char *columns;	/* of the result, likewise */
	int result;				/* SPI_OK_... when the statement did what it says */
	const char *text;
	InvLedger writes; /* the table of the ledger whose triggers it fires */
} InvTemplate;

extern const InvTemplate *inv_statement_template(InvStatement statement);
extern char *inv_statement_text(InvStore *store, InvStatement statement);

extern bool inv_refund_needs_sale(InvStore *store);
extern char *inv_insert_orders_text(InvStore *store, uint64 columns);

#endif /* INV_QUERY_TEXT_H */
