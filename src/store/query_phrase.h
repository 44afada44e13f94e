/*
 * query_phrase.h
 *		What several SQL texts of query_text.c have in common.
 */
#ifndef INV_QUERY_PHRASE_H
#define INV_QUERY_PHRASE_H

#include "store/ledger_schema.h"

/* clang-format off */

#define ONE_ITEM	"FROM ONLY {items} AS i WHERE {id} {=} $1 "
#define MANY_ITEMS	"FROM ONLY {items} AS i WHERE {id} {=} ANY ($1) "
#define LOCK_ROW	"FOR NO KEY UPDATE OF i"

#define RESERVATIONS	"{ledger}.reservations AS r "
#define MOVEMENTS		"{ledger}.movements AS m "
/* those that are in the stock column; another condition can follow */
#define SETTLED_MOVEMENTS \
	MOVEMENTS \
	"LEFT JOIN {ledger}.hot AS h ON h.item_id {=} m.item_id AND h.hot " \
	"AND m.epoch {>} h.settled_epoch WHERE h.item_id IS NULL "
#define QUOTED(word)	"'" word "'"
#define KIND_NAME(kind)		QUOTED(INV_KIND_##kind)
#define STATUS_NAME(status)	QUOTED(INV_RESERVATION_##status)
#define HELD			"r.status {=} " STATUS_NAME(HELD) " "
#define OVERDUE			HELD "AND r.expires_at {<=} "

/* what a read of items returns */
#define READ	"SELECT {stock}, {floor}, {limit}, {version}, {id}"

/* what can be sold, with the units of holds that are overdue at $2 */
#define LEVEL \
	"SELECT {stock}, {floor}, (SELECT " SUM("r.quantity") " FROM " RESERVATIONS \
	"WHERE r.item_id {=} {id} AND " OVERDUE "$2 AND r.tracked), {id} "

/* stock - quantity >= floor, without a difference that a bigint could not hold */
#define LEAVES_FLOOR(quantity) \
	"CASE WHEN {floor} {<} 0 THEN {stock} {>=} ({floor} {+} " quantity ") " \
	"ELSE {stock} {>=} {floor} AND ({stock} {-} " quantity ") {>=} {floor} END "

#define SET_STOCK(operator, quantity) \
	"UPDATE ONLY {items} AS i SET {stock column} = " \
	"({stock} {" operator "} " quantity ")::{stock type}{and next version} "

#define HOLDS \
	"SELECT r.item_id, r.quantity, r.user_id, r.status, r.expires_at, r.order_id, " \
	"r.created_at, r.tracked, r.reservation_id FROM " RESERVATIONS

/* arrays side by side, as rows */
#define UNNEST(n)		"pg_catalog.unnest($" #n ")"
#define PAIRS(a, b)		"FROM ROWS FROM (" UNNEST(a) ", " UNNEST(b) ") AS w "
#define FIND_REQUEST \
	"SELECT q.fingerprint, q.result FROM {ledger}.requests AS q " \
	"WHERE q.key {=} $3 AND q.operation {=} $1 "
/* of units, as far as a bigint goes; the opposite of the smallest one is none */
#define CUT(sum) \
	"LEAST(GREATEST(" sum ", -9223372036854775808), 9223372036854775807)::pg_catalog.int8"
#define SUM(what)		CUT("COALESCE(pg_catalog.sum(" what "), 0)")
#define MINUS_SUM(what) CUT("{-} COALESCE(pg_catalog.sum(" what "), 0)")
/* Is a movement in the stock column?  Null for an epoch that "hot" does not explain. */
#define SETTLED(m, hot)	"(" m ".epoch IS NULL OR " m ".epoch {<=} " hot ".settled_epoch)"
#define HOLD_KINDS \
	"ARRAY[" KIND_NAME(HOLD) ", " KIND_NAME(RELEASE) ", " KIND_NAME(EXPIRY) "]::pg_catalog.text[]"

/* clang-format on */

#endif /* INV_QUERY_PHRASE_H */
