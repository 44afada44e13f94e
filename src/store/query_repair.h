/*
 * query_repair.h
 *		The SQL texts of repair(), and one of verify(), for query_text.c.
 */
#ifndef INV_QUERY_REPAIR_H
#define INV_QUERY_REPAIR_H

#include "store/ledger_schema.h"
#include "store/query_phrase.h"

/* clang-format off */

/*
 * Transactions in which direct writes took as many units of an item as were sold, since the
 * item's last stock-take.  A movement shows its transaction until the ledger is restored from a
 * dump: then all have that of the first one, which books the opening and is left out.  TRUNCATE
 * writes into the movements of the lines that it closes.
 */
#define COUNTED_TWICE \
	"SELECT g.item_id::pg_catalog.text, 'direct_after_sale', 0::pg_catalog.int8, " MINUS_SUM("g.direct") " " \
	"FROM (SELECT m.item_id, m.xmin AS writer, pg_catalog.max(m.created_at) AS at, " \
	"pg_catalog.sum(m.delta) FILTER (WHERE m.kind {=} " KIND_NAME(SALE) ") AS sold, " \
	"pg_catalog.sum(m.delta) FILTER (WHERE m.kind {=} " KIND_NAME(DIRECT) ") AS direct FROM " MOVEMENTS \
	"WHERE m.kind {=} ANY (ARRAY[" KIND_NAME(SALE) ", " KIND_NAME(DIRECT) "]::pg_catalog.text[]) " \
	"AND (m.reason IS NULL OR m.reason {<>} " QUOTED(INV_REASON_TRUNCATE) ") " \
	"AND ($1 IS NULL OR m.item_id {=} $1) GROUP BY m.item_id, m.xmin) AS g " \
	"JOIN (SELECT m.item_id, (pg_catalog.array_agg(m.xmin ORDER BY m.movement_id))[1] AS writer, " \
	"pg_catalog.max(m.created_at) FILTER (WHERE m.kind {=} " KIND_NAME(STOCK_TAKE) ") AS counted " \
	"FROM " MOVEMENTS "WHERE $1 IS NULL OR m.item_id {=} $1 GROUP BY m.item_id) AS f " \
	"ON f.item_id {=} g.item_id WHERE g.sold {=} g.direct AND g.sold {<} 0 AND g.writer {<>} f.writer " \
	"AND (f.counted IS NULL OR g.at {>} f.counted) GROUP BY g.item_id ORDER BY g.item_id"

/* a value that several rows of a table have */
#define SEVERAL(column, table) \
	"SELECT " column " FROM " table " WHERE " column " IS NOT NULL " \
	"GROUP BY " column " HAVING pg_catalog.count(*) {>} 1 LIMIT 1"

/*
 * Of an item whose holds are not what their movements say, each reservation, and a second
 * movement of the opposite: the stock is right, and so is what is held.
 */
#define REPAIR_HOLDS \
	"INSERT INTO {ledger}.movements " \
	"(item_id, delta, kind, user_id, reservation_id, reason, actor, created_at) " \
	"SELECT d.item_id, w.delta, w.kind, CASE WHEN w.of_hold THEN d.user_id END, " \
	"CASE WHEN w.of_hold THEN d.reservation_id END, $4, $1, $2 " \
	"FROM (SELECT e.*, pg_catalog.sum(e.excess) OVER (PARTITION BY e.item_id) AS total " \
	"FROM (SELECT COALESCE(r.item_id, m.item_id) AS item_id, COALESCE(r.user_id, m.user_id) AS user_id, " \
	"COALESCE(r.reservation_id, m.reservation_id) AS reservation_id, " \
	"COALESCE(m.total, 0) {-} COALESCE(r.quantity, 0) AS excess " \
	"FROM (SELECT r.* FROM " RESERVATIONS "WHERE " HELD "AND ($3 IS NULL OR r.item_id {=} $3)) AS r " \
	"FULL JOIN (SELECT m.item_id, m.reservation_id, " MINUS_SUM("m.delta") " AS total, " \
	"(pg_catalog.array_agg(m.user_id) FILTER (WHERE m.user_id IS NOT NULL))[1] AS user_id FROM " MOVEMENTS \
	"WHERE m.reservation_id IS NOT NULL AND m.kind {=} ANY (" HOLD_KINDS ") " \
	"AND ($3 IS NULL OR m.item_id {=} $3) GROUP BY m.item_id, m.reservation_id) AS m " \
	"ON r.reservation_id {=} m.reservation_id AND r.item_id {=} m.item_id) AS e) AS d " \
	"CROSS JOIN LATERAL (VALUES (d.excess, CASE WHEN d.excess {>} 0 THEN " KIND_NAME(RELEASE) " " \
	"ELSE " KIND_NAME(HOLD) " END, true), ({-} d.excess, " KIND_NAME(DIRECT) ", false)) " \
	"AS w (delta, kind, of_hold) WHERE d.excess {<>} 0 AND d.total {<>} 0 " \
	"AND d.item_id IS NOT NULL AND d.reservation_id IS NOT NULL " \
	"ORDER BY d.item_id, d.reservation_id, w.of_hold DESC"

/* of several rows of an item, those by which its movements do not add up to the stock */
#define REPAIR_HOT \
	"DELETE FROM {ledger}.hot AS h WHERE h.ctid {=} ANY (ARRAY(SELECT d.ctid FROM (" \
	"SELECT g.ctid, pg_catalog.bool_or(g.fits) OVER (PARTITION BY g.item_id) AS some_fit, " \
	"pg_catalog.row_number() OVER (PARTITION BY g.item_id ORDER BY g.fits DESC, g.settled_epoch DESC) AS n " \
	"FROM (SELECT h.ctid, h.item_id, h.settled_epoch, COALESCE({stock}, 0) {=} COALESCE((SELECT " \
	"pg_catalog.sum(m.delta) FROM " MOVEMENTS "WHERE m.item_id {=} h.item_id " \
	"AND (NOT h.hot OR m.epoch IS NULL OR m.epoch {<=} h.settled_epoch)), 0) AS fits " \
	"FROM {ledger}.hot AS h LEFT JOIN ONLY {items} AS i ON {id} {=} h.item_id) AS g) AS d " \
	"WHERE d.some_fit AND d.n {>} 1))"

/* clang-format on */

#endif /* INV_QUERY_REPAIR_H */
