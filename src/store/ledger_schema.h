/*
 * ledger_schema.h
 *		What the engine and script/50_ledger.sql agree on in a store's ledger.
 */
#ifndef INV_LEDGER_SCHEMA_H
#define INV_LEDGER_SCHEMA_H

/* The tables that the engine writes. */
typedef enum InvLedgerTable
{
	INV_LEDGER_NONE,
	INV_LEDGER_MOVEMENTS,
	INV_LEDGER_RESERVATIONS,
	INV_LEDGER_REQUESTS,
	INV_LEDGER_HOT,
	INV_LEDGER_ORDER_CHANGES, /* only where the store has orders */
	INV_LEDGER_COUNT
} InvLedgerTable;

/*
 * The columns of movements that the engine gives, in the order of its rows:
 * X(enumerator, name, type).  The type is a letter of query_text.c.  A capital
 * letter is an array in a statement, with an element for each row.
 */
#define INV_MOVEMENT_COLUMNS(X)                                                                    \
	X(ITEM, "item_id", "I")                                                                        \
	X(DELTA, "delta", "N")                                                                         \
	X(KIND, "kind", "T")                                                                           \
	X(USER, "user_id", "U")                                                                        \
	X(ORDER, "order_id", "O")                                                                      \
	X(RESERVATION, "reservation_id", "Q")                                                          \
	X(REASON, "reason", "T")                                                                       \
	X(EPOCH, "epoch", "N")                                                                         \
	X(ACTOR, "actor", "t")                                                                         \
	X(CREATED_AT, "created_at", "z")

#define INV_MOVEMENT_ENUMERATOR(enumerator, name, type) INV_MOVEMENT_##enumerator,
#define INV_COLUMN_NAME(enumerator, name, type) name,
#define INV_COLUMN_TYPE(enumerator, name, type) type

typedef enum InvMovementColumn
{
	INV_MOVEMENT_COLUMNS(INV_MOVEMENT_ENUMERATOR) INV_MOVEMENT_COLUMN_COUNT
} InvMovementColumn;

/* the columns from here on have one value for all rows of a statement */
#define INV_MOVEMENT_FIRST_SCALAR INV_MOVEMENT_ACTOR

/* the letters as one string */
#define INV_MOVEMENT_TYPES INV_MOVEMENT_COLUMNS(INV_COLUMN_TYPE)

/* no row of another table gives more (direct_insert.h) */
#define INV_ROW_COLUMNS ((int) INV_MOVEMENT_COLUMN_COUNT)

/* The columns of reservations and of requests that a new row gives, in the same way. */
#define INV_HOLD_COLUMNS(X)                                                                        \
	X(ID, "reservation_id", "q")                                                                   \
	X(ITEM, "item_id", "i")                                                                        \
	X(QUANTITY, "quantity", "n")                                                                   \
	X(TRACKED, "tracked", "l")                                                                     \
	X(USER, "user_id", "u")                                                                        \
	X(STATUS, "status", "t")                                                                       \
	X(EXPIRES_AT, "expires_at", "z")                                                               \
	X(CREATED_AT, "created_at", "z")

#define INV_HOLD_ENUMERATOR(enumerator, name, type) INV_HOLD_##enumerator,

typedef enum InvHoldColumn
{
	INV_HOLD_COLUMNS(INV_HOLD_ENUMERATOR) INV_HOLD_COLUMN_COUNT
} InvHoldColumn;

/* The columns of reservations that are read, in the same way; "?": it can be null. */
#define INV_HOLD_READ_COLUMNS(X)                                                                   \
	X(ITEM, "item_id", "i")                                                                        \
	X(QUANTITY, "quantity", "n")                                                                   \
	X(USER, "user_id", "u?")                                                                       \
	X(STATUS, "status", "t")                                                                       \
	X(EXPIRES_AT, "expires_at", "z")                                                               \
	X(ORDER, "order_id", "o?")                                                                     \
	X(CREATED_AT, "created_at", "z")                                                               \
	X(TRACKED, "tracked", "l")

#define INV_HOLD_READ_ENUMERATOR(enumerator, name, type) INV_HOLD_READ_##enumerator,

typedef enum InvHoldReadColumn
{
	INV_HOLD_READ_COLUMNS(INV_HOLD_READ_ENUMERATOR) INV_KEY_READ_COLUMNS
} InvHoldReadColumn;

#define INV_REQUEST_COLUMNS(X)                                                                     \
	X(OPERATION, "operation", "t")                                                                 \
	X(USER, "user_id", "u")                                                                        \
	X(KEY, "key", "t")                                                                             \
	X(FINGERPRINT, "fingerprint", "b")                                                             \
	X(RESULT, "result", "j")                                                                       \
	X(CREATED_AT, "created_at", "z")

#define INV_REQUEST_ENUMERATOR(enumerator, name, type) INV_REQUEST_##enumerator,

typedef enum InvRequestColumn
{
	INV_REQUEST_COLUMNS(INV_REQUEST_ENUMERATOR) INV_REQUEST_COLUMN_COUNT
} InvRequestColumn;

/* movements.kind */
#define INV_KIND_OPENING "opening"
#define INV_KIND_SALE "sale"
#define INV_KIND_HOLD "hold"
#define INV_KIND_RELEASE "release"
#define INV_KIND_EXPIRY "expiry"
#define INV_KIND_REFUND "refund"
#define INV_KIND_RESTOCK "restock"
#define INV_KIND_ADJUSTMENT "adjustment"
#define INV_KIND_WRITE_OFF "write_off"
#define INV_KIND_CANCELLATION "cancellation" /* what a line is worth has fallen */
#define INV_KIND_STOCK_TAKE "count"
#define INV_KIND_DIRECT "direct"   /* a change of stock outside the engine */
#define INV_KIND_CARRIED "carried" /* the sum of movements that close_ledger removed */

/* movements.reason, where the engine gives it */
#define INV_REASON_UNTRACKED "untracked" /* undoes a movement that no stock took part in */
#define INV_REASON_TRUNCATE "truncate"	 /* what items had when they were truncated */
#define INV_REASON_ATTACH "attach"		 /* an older ledger did not explain the stock */
#define INV_REASON_CLOSED "closed"		 /* the order line is not known any more */
#define INV_REASON_ARCHIVED "archived"	 /* a final order line was deleted */
#define INV_REASON_REPAIR "repair"		 /* the ledger did not explain what the rows have */

/* order_changes.operation */
#define INV_CHANGE_INSERT "INSERT"
#define INV_CHANGE_UPDATE "UPDATE"
#define INV_CHANGE_DELETE "DELETE"

/* reservations.status */
#define INV_RESERVATION_HELD "held"
#define INV_RESERVATION_CONFIRMED "confirmed"
#define INV_RESERVATION_RELEASED "released"
#define INV_RESERVATION_EXPIRED "expired"

#endif /* INV_LEDGER_SCHEMA_H */
