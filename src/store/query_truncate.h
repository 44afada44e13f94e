/*
 * query_truncate.h
 *		The statements of TRUNCATE, for the list of templates of query_text.c.
 */
#ifndef INV_QUERY_TRUNCATE_H
#define INV_QUERY_TRUNCATE_H

#include "store/query_phrase.h"

/* clang-format off */

#define TRUNCATED	QUOTED(INV_REASON_TRUNCATE) ", $1, $2 "

/* Insert movements; of how many is the number of units the largest or smallest one, instead of a sum beyond it? */
#define INSERT_CUT_SUMS(insert) \
	"WITH b AS (" insert "RETURNING delta) SELECT pg_catalog.count(*) FROM b WHERE b.delta {=} ANY " \
	"(ARRAY[-9223372036854775808, 9223372036854775807]::pg_catalog.int8[])"

#define TRUNCATE_TEMPLATES \
	[INV_STMT_BOOK_VOID_HOLDS] = {"tz", "", SPI_OK_INSERT, \
		"INSERT INTO {ledger}.movements (item_id, delta, kind, user_id, reservation_id, reason, actor, " \
		"created_at) SELECT r.item_id, r.quantity, " KIND_NAME(RELEASE) ", r.user_id, r.reservation_id, " \
		TRUNCATED "FROM " RESERVATIONS "WHERE " HELD, INV_LEDGER_MOVEMENTS}, \
	[INV_STMT_VOID_HOLDS] = {"", "", SPI_OK_UPDATE, \
		"UPDATE " RESERVATIONS "SET status = " STATUS_NAME(RELEASED) " WHERE " HELD, \
		INV_LEDGER_RESERVATIONS}, \
	/* what each user has bought and holds of an item goes to no user */ \
	[INV_STMT_END_LIMITS] = {"tz", "n", SPI_OK_SELECT, INSERT_CUT_SUMS( \
		"INSERT INTO {ledger}.movements (item_id, user_id, delta, kind, reason, actor, created_at) " \
		"SELECT u.item_id, u.user_id, u.units, " KIND_NAME(DIRECT) ", " TRUNCATED "FROM (" \
		"SELECT m.item_id, m.user_id, " MINUS_SUM("m.delta") " AS units FROM " MOVEMENTS \
		"WHERE m.user_id IS NOT NULL GROUP BY m.item_id, m.user_id " \
		"UNION ALL SELECT m.item_id, NULL, " SUM("m.delta") " FROM " MOVEMENTS \
		"WHERE m.user_id IS NOT NULL GROUP BY m.item_id) AS u WHERE u.units {<>} 0 "), \
		INV_LEDGER_MOVEMENTS}, \
	[INV_STMT_BOOK_LOSS] = {"tz", "n", SPI_OK_SELECT, INSERT_CUT_SUMS( \
		"INSERT INTO {ledger}.movements (item_id, delta, kind, reason, actor, created_at) " \
		"SELECT l.item_id, l.units, " KIND_NAME(DIRECT) ", " TRUNCATED "FROM (" \
		"SELECT m.item_id, " MINUS_SUM("m.delta") " AS units FROM " MOVEMENTS \
		"GROUP BY m.item_id) AS l WHERE l.units {<>} 0 "), INV_LEDGER_MOVEMENTS}, \
	[INV_STMT_FORGET_REQUESTS] = {"", "", SPI_OK_DELETE, \
		"DELETE FROM {ledger}.requests", INV_LEDGER_REQUESTS}, \
	[INV_STMT_CLOSE_LINES] = {"", "", SPI_OK_UPDATE, \
		"UPDATE " MOVEMENTS "SET order_id = NULL WHERE m.order_id IS NOT NULL", \
		INV_LEDGER_MOVEMENTS}, \
	[INV_STMT_CLOSE_LINES_OF_HOLDS] = {"", "", SPI_OK_UPDATE, \
		"UPDATE " RESERVATIONS "SET order_id = NULL WHERE r.order_id IS NOT NULL", \
		INV_LEDGER_RESERVATIONS}, \
	[INV_STMT_FORGET_CHANGES] = {"", "", SPI_OK_DELETE, \
		"DELETE FROM {ledger}.order_changes", INV_LEDGER_ORDER_CHANGES}, \
	/* those whose answers name lines or headers */ \
	[INV_STMT_FORGET_ORDER_REQUESTS] = {"", "", SPI_OK_DELETE, \
		"DELETE FROM {ledger}.requests AS q WHERE q.operation {=} ANY (ARRAY['buy_item', 'try_buy_item', " \
		"'buy_cart', 'try_buy_cart', 'refund_order', 'refund_orders', 'change_order', 'exchange_order'])", \
		INV_LEDGER_REQUESTS},

/* clang-format on */

#endif /* INV_QUERY_TRUNCATE_H */
