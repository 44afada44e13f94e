/*
 * query_audit.h
 *		The long SQL texts of query_text.c, which compare order lines with the ledger.
 */
#ifndef INV_QUERY_AUDIT_H
#define INV_QUERY_AUDIT_H

#include "store/query_phrase.h"

/* clang-format off */

/*
 * By line and item: what the row has and is worth, what others added to that, what the
 * movements say was sold and refunded.  Movements of the sale may be closed, so more can have been sold than
 * they say.
 */
#define VERIFY_ORDERS_TEXT \
	"SELECT l.item_id::pg_catalog.text, p.problem, p.expected, p.actual FROM (" \
	"SELECT g.*, CASE WHEN g.booked {>} 0 THEN GREATEST(g.units {-} g.added, g.booked) " \
	"ELSE g.units {-} g.added END AS sold, " \
	"pg_catalog.bool_or(g.has_row) OVER (PARTITION BY g.order_id) AS is_there FROM (" \
	"SELECT w.order_id, w.item_id, " SUM("w.units") " AS units, " SUM("w.worth") " AS worth, " \
	SUM("w.added") " AS added, " \
	SUM("w.booked") " AS booked, " SUM("w.refunded") " AS refunded, " \
	"pg_catalog.bool_or(w.has_row) AS has_row, pg_catalog.bool_or(w.was_deleted) AS was_deleted FROM (" \
	"SELECT m.order_id, m.item_id, 0 AS units, 0 AS worth, 0 AS added, " \
	"CASE m.kind WHEN " KIND_NAME(REFUND) " THEN 0 ELSE {-} m.delta END AS booked, " \
	"CASE m.kind WHEN " KIND_NAME(REFUND) " THEN m.delta ELSE 0 END AS refunded, " \
	"false AS has_row, false AS was_deleted FROM " MOVEMENTS \
	"WHERE m.kind {=} ANY (ARRAY[" KIND_NAME(SALE) ", " KIND_NAME(CANCELLATION) ", " KIND_NAME(REFUND) "]) {and order rows}" \
	") AS w WHERE w.order_id IS NOT NULL AND w.item_id IS NOT NULL " \
	"AND ($1 IS NULL OR w.item_id {=} $1) GROUP BY w.order_id, w.item_id) AS g) AS l " \
	"CROSS JOIN LATERAL (VALUES " \
	"(CASE WHEN l.is_there THEN 'order_differs_from_sale' ELSE 'order_missing' END, " \
	"CASE WHEN l.worth {>} l.sold THEN l.sold ELSE l.sold {-} l.refunded END, l.worth, " \
	"{has orders} AND (l.is_there OR l.booked {>} 0) " \
	"AND (l.worth {>} l.sold OR l.worth {<} (l.sold {-} l.refunded))), " \
	"('refunds_exceed_sales', GREATEST(l.sold, 0), l.refunded, l.refunded {>} GREATEST(l.sold, 0) " \
	"AND (l.is_there OR l.booked {>} 0 OR l.was_deleted))) " \
	"AS p (problem, expected, actual, found) WHERE p.found " \
	"ORDER BY l.order_id, l.item_id, p.problem"

/*
 * The same where the ledger follows orders: by line and item, what it is worth and what is
 * booked.  Lines that are not booked are not known, and those that were final may be gone.
 * A line without an item keeps the one that is booked.
 */
#define VERIFY_FOLLOWED_TEXT \
	"SELECT b.item_id::pg_catalog.text, p.problem, p.expected, p.actual FROM (" \
	"SELECT c.order_id, c.item_id, " SUM("c.booked") " AS booked, " SUM("c.refunded") " AS refunded, " \
	SUM("c.worth") " AS worth, pg_catalog.bool_or(c.archived) AS archived, " \
	"pg_catalog.bool_or(pg_catalog.bool_or(c.known)) OVER (PARTITION BY c.order_id) AS known, " \
	"pg_catalog.sum(pg_catalog.sum(c.booked)) OVER (PARTITION BY c.order_id) AS of_all_items FROM (" \
	"SELECT m.order_id, m.item_id, CASE WHEN m.kind {<>} " KIND_NAME(REFUND) " THEN {-} m.delta ELSE 0 END AS booked, " \
	"CASE WHEN m.kind {=} " KIND_NAME(REFUND) " THEN m.delta ELSE 0 END AS refunded, " \
	"0 AS worth, m.reason IS NOT DISTINCT FROM " QUOTED(INV_REASON_ARCHIVED) " AS archived, true AS known " \
	"FROM " MOVEMENTS "WHERE m.order_id IS NOT NULL AND m.kind {=} ANY (ARRAY[" KIND_NAME(SALE) ", " \
	KIND_NAME(CANCELLATION) ", " KIND_NAME(REFUND) "]::pg_catalog.text[]) " \
	"UNION ALL SELECT {order id}, {order item}, 0, 0, " \
	"GREATEST(COALESCE({ledger}.order_units({line rows}), 0), 0), false, false " \
	"FROM {orders} AS o {join header} WHERE {order item} IS NOT NULL) AS c " \
	"GROUP BY c.order_id, c.item_id) AS b " \
	"LEFT JOIN LATERAL (SELECT COALESCE({ledger}.order_final({line rows}), false) AS final, " \
	"{order item} IS NULL AS no_item FROM {orders} AS o {join header} " \
	"WHERE {order id} {=} b.order_id LIMIT 1) AS o ON true " \
	"CROSS JOIN LATERAL (VALUES " \
	"(CASE WHEN o.final IS NULL THEN 'order_missing' ELSE 'order_differs_from_sale' END, " \
	"CASE WHEN b.worth {>} b.booked THEN b.booked ELSE b.booked {-} b.refunded END, b.worth, " \
	"o.no_item IS NOT TRUE AND ((b.worth {>} b.booked AND (o.final IS NOT TRUE OR b.of_all_items {=} b.booked)) " \
	"OR (b.worth {<} (b.booked {-} b.refunded) AND o.final IS NOT TRUE AND NOT b.archived))), " \
	"('refunds_exceed_sales', GREATEST(b.booked, 0), b.refunded, b.refunded {>} GREATEST(b.booked, 0))) " \
	"AS p (problem, expected, actual, found) " \
	"WHERE b.known AND p.found AND ($1 IS NULL OR b.item_id {=} $1) " \
	"ORDER BY b.order_id, b.item_id, p.problem"

/*
 * Units of lines that were written since an instant against the units that were there, in
 * the order of time.  What the shop's own code took from the stock is not counted: the lines
 * are.
 */
#define OVERSOLD_TEXT \
	"WITH line AS (SELECT w.order_id, w.item_id, pg_catalog.min(w.at) AS at FROM (" \
	"SELECT m.order_id, m.item_id, m.created_at AS at FROM " MOVEMENTS \
	"WHERE m.kind {=} " KIND_NAME(SALE) " AND m.created_at {>=} $1 " \
	"UNION ALL SELECT c.order_id, c.item_after, c.created_at FROM {ledger}.order_changes AS c " \
	"WHERE c.operation {=} " QUOTED(INV_CHANGE_INSERT) " AND c.created_at {>=} $1) AS w " \
	"WHERE w.order_id IS NOT NULL AND w.item_id IS NOT NULL GROUP BY w.order_id, w.item_id), " \
	"event AS (SELECT l.item_id, l.at, l.order_id, GREATEST(w.units {-} COALESCE((" \
	"SELECT pg_catalog.sum(m.delta) FROM " MOVEMENTS "WHERE m.order_id {=} l.order_id " \
	"AND m.item_id {=} l.item_id AND m.kind {=} " KIND_NAME(REFUND) "), 0), 0) AS ordered, 0 AS supplied " \
	"FROM line AS l JOIN ({order worth}) AS w " \
	"ON w.order_id {=} l.order_id AND w.item_id {=} l.item_id " \
	"UNION ALL SELECT m.item_id, CASE WHEN m.created_at {<} $1 THEN '-infinity' ELSE m.created_at END, " \
	"NULL, 0, m.delta FROM " MOVEMENTS "WHERE m.kind {<>} ALL (" HOLD_KINDS ") " \
	/* with what was sold on lines that were truncated, and what was lost so */ \
	"AND (m.created_at {<} $1 OR m.reason {=} " QUOTED(INV_REASON_TRUNCATE) " " \
	"OR (m.order_id IS NULL AND m.kind {=} ANY (ARRAY[" KIND_NAME(SALE) ", " KIND_NAME(REFUND) "]::pg_catalog.text[])) " \
	"OR (m.kind {<>} " KIND_NAME(SALE) " AND m.kind {<>} " KIND_NAME(REFUND) " " \
	"AND (m.kind {<>} " KIND_NAME(DIRECT) " OR m.delta {>} 0) " \
	"AND m.reason IS DISTINCT FROM " QUOTED(INV_REASON_UNTRACKED) "))), " \
	"total AS (SELECT e.*, {floor} {-} pg_catalog.sum(e.supplied {-} e.ordered) OVER (" \
	"PARTITION BY e.item_id ORDER BY e.at, e.supplied DESC, e.order_id ROWS UNBOUNDED PRECEDING) AS excess " \
	"FROM event AS e JOIN ONLY {items} AS i ON {id} {=} e.item_id WHERE {stock} IS NOT NULL) " \
	"SELECT t.item_id::pg_catalog.text, " SUM("t.ordered") ", " SUM("t.supplied") ", " \
	"LEAST(pg_catalog.max(t.excess) FILTER (WHERE t.ordered {>} 0), 9223372036854775807)::pg_catalog.int8, " \
	"(pg_catalog.array_agg(t.order_id ORDER BY t.at, t.order_id) " \
	"FILTER (WHERE t.ordered {>} 0 AND t.excess {>} 0))[1]::pg_catalog.text, " \
	"pg_catalog.min(t.at) FILTER (WHERE t.ordered {>} 0 AND t.excess {>} 0) FROM total AS t " \
	"GROUP BY t.item_id HAVING pg_catalog.bool_or(t.ordered {>} 0 AND t.excess {>} 0) " \
	"ORDER BY t.item_id"

/* clang-format on */

#endif /* INV_QUERY_AUDIT_H */
