/*
 * query_text.h
 *		The statements of the engine: for each an enumerator, and a template of its text.
 */
#ifndef INV_QUERY_TEXT_H
#define INV_QUERY_TEXT_H

#include "store/binding.h"
#include "store/ledger_schema.h"

typedef enum InvStatement
{
	/* one item */
	INV_STMT_READ,			  /* what is for sale, without a lock */
	INV_STMT_LOCK,			  /* the same, with the row locked */
	INV_STMT_PIN,			  /* keep the row from being deleted */
	INV_STMT_ORDER_LIMIT,	  /* units that one call may take */
	INV_STMT_READ_ANY,		  /* read the row, for sale or not */
	INV_STMT_LOCK_ANY,		  /* lock the row, for sale or not */
	INV_STMT_TAKE,			  /* conditional decrement */
	INV_STMT_TAKE_IF_VERSION, /* the same, if the version is unchanged */
	INV_STMT_TAKE_LOCKED,	  /* the same, of a row that INV_STMT_LOCK has locked */
	INV_STMT_CHANGE,		  /* unconditional change by a signed quantity */
	INV_STMT_LEVEL,			  /* what can be sold, overdue holds included */
	INV_STMT_LEVELS,		  /* the same of several items */
	/* the items of a cart, in key order */
	INV_STMT_READ_MANY,
	INV_STMT_LOCK_MANY,
	INV_STMT_TAKE_MANY,
	INV_STMT_LOCK_MANY_ANY,
	INV_STMT_CHANGE_MANY,
	/* ledger */
	INV_STMT_MOVEMENTS,
	INV_STMT_MOVED_SINCE,
	INV_STMT_USED,
	INV_STMT_HELD_UNITS,
	INV_STMT_OPEN_LEDGER,
	INV_STMT_REPAIR_HOLDS,
	INV_STMT_REPAIR_HOT,
	INV_STMT_SEVERAL_OF_KEY,
	INV_STMT_SEVERAL_OF_HOT,
	INV_STMT_VERIFY,
	INV_STMT_VERIFY_HOLDS,
	INV_STMT_VERIFY_COUNTED_TWICE,
	INV_STMT_VERIFY_FUNCTIONS,
	INV_STMT_VERIFY_ORDERS,
	INV_STMT_VERIFY_FOLLOWED,
	INV_STMT_OVERSOLD,
	INV_STMT_CLOSABLE,
	INV_STMT_LOCK_CLOSABLE,
	INV_STMT_CLOSE_MOVEMENTS,
	INV_STMT_CARRY,
	/* TRUNCATE of items */
	INV_STMT_BOOK_VOID_HOLDS,
	INV_STMT_VOID_HOLDS,
	INV_STMT_END_LIMITS,
	INV_STMT_BOOK_LOSS,
	INV_STMT_FORGET_REQUESTS,
	/* TRUNCATE of orders or their header */
	INV_STMT_CLOSE_LINES,
	INV_STMT_CLOSE_LINES_OF_HOLDS,
	INV_STMT_FORGET_CHANGES,
	INV_STMT_FORGET_ORDER_REQUESTS,
	/* hot items */
	INV_STMT_HOT_ROWS,
	INV_STMT_HOT_ROW,
	INV_STMT_HOT_OF_NUMBERS,
	INV_STMT_READ_HOT,
	INV_STMT_UNSETTLED,
	INV_STMT_FIRST_EXPIRY,
	INV_STMT_OVERDUE_UNITS,
	INV_STMT_MARK_HOT,
	INV_STMT_KEEP_COLD,
	INV_STMT_MARK_SETTLED,
	INV_STMT_CONTENDED,
	INV_STMT_TABLE_VERSION,
	INV_STMT_REFUSING_TRIGGER,
	INV_STMT_ROW_ID,
	/* reservations */
	INV_STMT_HOLD,
	INV_STMT_LOCK_HOLD,
	INV_STMT_READ_HOLD,
	INV_STMT_HOLDS_OF_USER,
	INV_STMT_OWN_HOLD, /* the first of these that has an item */
	INV_STMT_PUT_HOLD,
	INV_STMT_RELEASE_HOLD,
	INV_STMT_CONFIRM_HOLD,
	INV_STMT_EXTEND_HOLD,
	INV_STMT_UNDECIDE_HOLD,
	INV_STMT_HELD_OF_ITEM,
	/* expiry */
	INV_STMT_OVERDUE_OF_ITEM,
	INV_STMT_OVERDUE_OF_USER,
	INV_STMT_OVERDUE,
	INV_STMT_STILL_OVERDUE_OF_USER,
	INV_STMT_STILL_OVERDUE,
	INV_STMT_EXPIRE,
	INV_STMT_NEXT_EXPIRY,
	INV_STMT_COUNT_OVERDUE,
	/* orders */
	INV_STMT_LOCK_ORDERS,
	INV_STMT_CHANGE_ORDER,
	INV_STMT_REFUND_ROWS,
	INV_STMT_PREPARE_ORDER,
	INV_STMT_LOCK_HEADER,
	INV_STMT_HEADER_OF_LINE,
	INV_STMT_LOCKABLE_HEADER,
	INV_STMT_LINE_EXISTS,
	INV_STMT_LOCK_CHANGES,
	INV_STMT_SOLD,
	INV_STMT_RECORD_CHANGE,
	INV_STMT_IS_FINAL,
	/* what order lines are worth, and what the ledger has of them */
	INV_STMT_LOCK_HEADERS,
	INV_STMT_LINES_OF_HEADERS,
	INV_STMT_HEADER_ROW,
	INV_STMT_LINE_WORTH,
	INV_STMT_WORTH_OF_ROW,
	INV_STMT_WORTH_OF_ROWS,
	INV_STMT_WORTH_UNDER_HEADER,
	INV_STMT_BOOKED,
	INV_STMT_LOCK_BOOKED,
	INV_STMT_SALES,
	INV_STMT_REFUNDED,
	INV_STMT_COUNTED,
	/* idempotency */
	INV_STMT_FIND_REQUEST,
	INV_STMT_FIND_GUEST_REQUEST,
	INV_STMT_KEEP_REQUEST,
	INV_STMT_REPLAY_LINES,
	/* housekeeping */
	INV_STMT_PRUNE_HOLDS,
	INV_STMT_PRUNE_REQUESTS,
	INV_STMT_COUNT
} InvStatement;

/* A statement; see query_letter.c for the letters, query_text.c for the placeholders. */
typedef struct InvTemplate
{
	const char *parameters; /* a letter for the type of each */
	const char
		*columns; /* of the result: a letter for the type of each, and "?" if it can be null */
	int result;	  /* the SPI_OK_... that the statement must return */
	const char *text;
	InvLedgerTable writes; /* the table of the ledger whose triggers it fires */
	/*
	 * The first column of the indexes by which it finds rows in the ledger; items and
	 * orders are found by their bound keys.  Null if it inserts, or reads whole tables.
	 */
	const char *by;
} InvTemplate;

extern const InvTemplate *inv_statement_template(InvStatement statement);

#endif /* INV_QUERY_TEXT_H */
