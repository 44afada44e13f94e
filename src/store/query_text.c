/*
 * query_text.c
 *		Every SQL text of the engine, as a template for any store.
 *
 * In a template {name} stands for something that the store binds, and {=} for the
 * operator = of pg_catalog; query_expand.c replaces both.  Names and operators are
 * qualified, so that neither search_path nor an operator of a shop can change what
 * a text means.  Values are always parameters.
 */
#include "postgres.h"

#include "executor/spi.h"

#include "store/binding.h"
#include "store/query_audit.h"
#include "store/query_phrase.h"
#include "store/query_repair.h"
#include "store/query_text.h"
#include "store/query_truncate.h"

/* clang-format off */

static const InvTemplate templates[INV_STMT_COUNT] = {
	/* ---- one item */
	/* with its overdue holds at the time of the call */
	[INV_STMT_READ] = {"iz", "n?n?n?n?in", SPI_OK_SELECT,
		READ ", (SELECT " SUM("r.quantity") " FROM " RESERVATIONS
		"WHERE r.item_id {=} {id} AND " OVERDUE "$2 AND r.tracked) "
		ONE_ITEM "{and sellable}", .by = "item_id"},
	[INV_STMT_LOCK] = {"i", "n?n?n?n?i", SPI_OK_SELECT,
		READ " " ONE_ITEM "{and sellable} " LOCK_ROW, .by = "item_id"},
	[INV_STMT_PIN] = {"i", "", SPI_OK_SELECT,
		"SELECT " ONE_ITEM "FOR KEY SHARE OF i", .by = "item_id"},
	[INV_STMT_LOCK_ANY] = {"i", "n?n?", SPI_OK_SELECT,
		"SELECT {stock}, {floor} " ONE_ITEM LOCK_ROW, .by = "item_id"},
	[INV_STMT_ORDER_LIMIT] = {"i", "n?", SPI_OK_SELECT,
		"SELECT {order limit} " ONE_ITEM, .by = "item_id"},
	[INV_STMT_READ_ANY] = {"i", "n?n?", SPI_OK_SELECT,
		"SELECT {stock}, {floor} " ONE_ITEM, .by = "item_id"},
	[INV_STMT_TAKE] = {"in", "", SPI_OK_UPDATE,
		SET_STOCK("-", "$2")
		"WHERE {id} {=} $1 AND " LEAVES_FLOOR("$2") "{and sellable}", .by = "item_id"},
	[INV_STMT_TAKE_IF_VERSION] = {"inn", "", SPI_OK_UPDATE,
		SET_STOCK("-", "$2")
		"WHERE {id} {=} $1 AND {version} {=} $3 AND " LEAVES_FLOOR("$2") "{and sellable}",
		.by = "item_id"},
	[INV_STMT_TAKE_LOCKED] = {"in", "", SPI_OK_UPDATE,
		SET_STOCK("-", "$2")
		"WHERE {id} {=} $1 AND " LEAVES_FLOOR("$2"), .by = "item_id"},
	[INV_STMT_CHANGE] = {"in", "", SPI_OK_UPDATE,
		SET_STOCK("+", "$2")
		"WHERE {id} {=} $1", .by = "item_id"},
	[INV_STMT_LEVEL] = {"iz", "n?n?ni", SPI_OK_SELECT,
		LEVEL ONE_ITEM "{and sellable}", .by = "item_id"},
	[INV_STMT_LEVELS] = {"Iz", "n?n?ni", SPI_OK_SELECT,
		LEVEL MANY_ITEMS "{and sellable} ORDER BY {id}", .by = "item_id"},

	/* ---- several items */
	[INV_STMT_READ_MANY] = {"I", "n?n?n?n?i", SPI_OK_SELECT,
		READ " " MANY_ITEMS "{and sellable} ORDER BY {id}", .by = "item_id"},
	[INV_STMT_LOCK_MANY] = {"I", "n?n?n?n?i", SPI_OK_SELECT,
		READ " " MANY_ITEMS "{and sellable} ORDER BY {id} " LOCK_ROW, .by = "item_id"},
	[INV_STMT_LOCK_MANY_ANY] = {"I", "n?n?i", SPI_OK_SELECT,
		"SELECT {stock}, {floor}, {id} " MANY_ITEMS "ORDER BY {id} " LOCK_ROW, .by = "item_id"},
	[INV_STMT_TAKE_MANY] = {"IN", "", SPI_OK_UPDATE,
		SET_STOCK("-", "w.quantity")
		PAIRS(1, 2) "(id, quantity) "
		"WHERE {id} {=} w.id AND " LEAVES_FLOOR("w.quantity"), .by = "item_id"},
	[INV_STMT_CHANGE_MANY] = {"IN", "", SPI_OK_UPDATE,
		SET_STOCK("+", "w.quantity")
		PAIRS(1, 2) "(id, quantity) "
		"WHERE {id} {=} w.id", .by = "item_id"},

	/* ---- hot items */
	[INV_STMT_HOT_ROWS] = {"", "in", SPI_OK_SELECT,
		"SELECT h.item_id, h.number FROM {ledger}.hot AS h WHERE h.hot ORDER BY h.item_id"},
	[INV_STMT_HOT_ROW] = {"i", "nlxl", SPI_OK_SELECT,
		"SELECT h.settled_epoch, h.hot, h.xmin, h.keep_cold FROM {ledger}.hot AS h "
		"WHERE h.item_id {=} $1", .by = "item_id"},
	[INV_STMT_HOT_OF_NUMBERS] = {"N", "i", SPI_OK_SELECT,
		"SELECT h.item_id FROM {ledger}.hot AS h WHERE h.number {=} ANY ($1) AND h.hot "
		"ORDER BY h.item_id", .by = "number"},
	[INV_STMT_READ_HOT] = {"i", "n?n?n?l?x", SPI_OK_SELECT,
		"SELECT {stock}, {floor}, {limit}, {is sellable}, i.xmin " ONE_ITEM, .by = "item_id"},
	/* bounded on both sides, or a generic plan would look through the whole ledger */
	[INV_STMT_UNSETTLED] = {"inn", "nn", SPI_OK_SELECT,
		"SELECT " SUM("m.delta") ", COALESCE(pg_catalog.max(m.epoch), $2) FROM " MOVEMENTS
		"WHERE m.item_id {=} $1 AND m.epoch {>} $2 AND m.epoch {<=} $3", .by = "item_id"},
	[INV_STMT_FIRST_EXPIRY] = {"i", "z?", SPI_OK_SELECT,
		"SELECT pg_catalog.min(r.expires_at) FROM " RESERVATIONS
		"WHERE r.item_id {=} $1 AND " HELD, .by = "item_id"},
	[INV_STMT_OVERDUE_UNITS] = {"iz", "n", SPI_OK_SELECT,
		"SELECT " SUM("r.quantity") " FROM " RESERVATIONS
		"WHERE r.item_id {=} $1 AND " OVERDUE "$2 AND r.tracked", .by = "item_id"},
	/* settled_epoch is kept, so that movements of an earlier heat are never counted again */
	[INV_STMT_MARK_HOT] = {"i", "n", SPI_OK_INSERT_RETURNING,
		"INSERT INTO {ledger}.hot AS h (item_id, hot, settled_epoch, incarnation) "
		"VALUES ($1, true, 0, 1) ON CONFLICT (item_id) DO UPDATE SET hot = true, "
		"incarnation = h.incarnation {+} 1 RETURNING h.number", INV_LEDGER_HOT},
	[INV_STMT_KEEP_COLD] = {"il", "", SPI_OK_INSERT,
		"INSERT INTO {ledger}.hot AS h (item_id, hot, settled_epoch, incarnation, keep_cold) "
		"VALUES ($1, false, 0, 0, $2) ON CONFLICT (item_id) DO UPDATE SET keep_cold = $2",
		INV_LEDGER_HOT},
	[INV_STMT_MARK_SETTLED] = {"inl", "", SPI_OK_UPDATE,
		"UPDATE {ledger}.hot AS h SET settled_epoch = $2, hot = $3 WHERE h.item_id {=} $1",
		INV_LEDGER_HOT, .by = "item_id"},
	/*
	 * Versions of rows for which at least $1 sessions queue.  The first of them has
	 * the lock of the version and waits for a transaction; the others wait for the
	 * same transaction or for that lock.
	 */
	[INV_STMT_CONTENDED] = {"n", "nn", SPI_OK_SELECT,
		"WITH l AS MATERIALIZED (SELECT * FROM pg_catalog.pg_locks) "
		"SELECT DISTINCT t.page::pg_catalog.int8, t.tuple::pg_catalog.int8 FROM l AS t "
		"JOIN l AS w ON w.pid {=} t.pid AND w.locktype {=} 'transactionid' AND NOT w.granted "
		"WHERE t.locktype {=} 'tuple' AND t.granted AND t.relation {=} {items oid} "
		"AND t.database {=} (SELECT d.oid FROM pg_catalog.pg_database AS d "
		"WHERE d.datname {=} pg_catalog.current_database()) "
		"AND (SELECT pg_catalog.count(*) FROM l AS o WHERE NOT o.granted "
		"AND (o.transactionid {=} w.transactionid OR (o.locktype {=} 'tuple' "
		"AND o.relation {=} t.relation AND o.database {=} t.database "
		"AND o.page {=} t.page AND o.tuple {=} t.tuple))) {>=} $1"},

	/*
	 * A number that is another one after each change of the items table that lets other
	 * code write rows unseen by the guard, or makes a row refuse what it did not refuse
	 * before: its file, its rules, its triggers and their functions, its CHECKs and those of
	 * the type of the stock; and the condition on what is for sale, with the functions that it
	 * names or has behind operators.  A row of a catalog has another xmin or ctid after a change.
	 */
	[INV_STMT_TABLE_VERSION] = {"", "n?", SPI_OK_SELECT,
		"SELECT pg_catalog.hashtextextended(pg_catalog.string_agg(v.version, ',' "
		"ORDER BY v.version COLLATE pg_catalog.\"C\"), 0) FROM ("
		"SELECT pg_catalog.concat(c.relfilenode, c.relhasrules) AS version "
		"FROM pg_catalog.pg_class AS c WHERE c.oid {=} {items oid} "
		/* REINDEX CONCURRENTLY writes the rows of those of foreign keys, and waits for no buyer before */
		"UNION ALL SELECT pg_catalog.concat('key', t.oid, t.tgenabled) FROM pg_catalog.pg_trigger AS t "
		"WHERE t.tgrelid {=} {items oid} AND t.tgisinternal "
		"UNION ALL SELECT pg_catalog.concat('trigger', t.oid, t.xmin, t.ctid, p.xmin, p.ctid) "
		"FROM pg_catalog.pg_trigger AS t LEFT JOIN pg_catalog.pg_proc AS p ON p.oid {=} t.tgfoid "
		"WHERE t.tgrelid {=} {items oid} AND NOT t.tgisinternal "
		"UNION ALL SELECT pg_catalog.concat('check', c.oid) FROM pg_catalog.pg_constraint AS c "
		"WHERE c.contype {=} 'c' AND (c.conrelid {=} {items oid} OR c.contypid {=} ANY ("
		"WITH RECURSIVE d AS (SELECT {stock type oid}::pg_catalog.oid AS type "
		"UNION ALL SELECT t.typbasetype FROM pg_catalog.pg_type AS t "
		"JOIN d ON t.oid {=} d.type WHERE t.typtype {=} 'd') SELECT d.type FROM d)) "
		"UNION ALL SELECT pg_catalog.concat('sellable', r.xmin, r.ctid, p.oid, p.xmin, p.ctid) "
		"FROM pg_catalog.pg_rewrite AS r LEFT JOIN pg_catalog.pg_depend AS d "
		"ON d.classid {=} 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid {=} r.oid "
		"AND (d.refclassid {=} 'pg_catalog.pg_proc'::pg_catalog.regclass "
		"OR d.refclassid {=} 'pg_catalog.pg_operator'::pg_catalog.regclass) "
		"LEFT JOIN pg_catalog.pg_operator AS o ON o.oid {=} d.refobjid "
		"AND d.refclassid {=} 'pg_catalog.pg_operator'::pg_catalog.regclass "
		"LEFT JOIN pg_catalog.pg_proc AS p "
		"ON p.oid {=} COALESCE(o.oprcode::pg_catalog.oid, d.refobjid) "
		"WHERE r.ev_class {=} {sellable oid}) AS v"},

	[INV_STMT_REFUSING_TRIGGER] = {"N", "t?", SPI_OK_SELECT,
		"SELECT inventory.refusing_trigger({items oid}::pg_catalog.oid, $1)"},
	[INV_STMT_ROW_ID] = {"i", "c", SPI_OK_SELECT,
		"SELECT i.ctid " ONE_ITEM},

	/* ---- ledger */
	[INV_STMT_MOVEMENTS] = {INV_MOVEMENT_TYPES, "", SPI_OK_INSERT,
		"INSERT INTO {ledger}.movements ({movement columns}) "
		"SELECT w.*, {movement scalars} FROM ROWS FROM ({movement arrays}) AS w",
		INV_LEDGER_MOVEMENTS},
	/* on hand: held units are still there, so movements of holds do not count */
	[INV_STMT_MOVED_SINCE] = {"iz", "nn", SPI_OK_SELECT,
		"SELECT " SUM("m.delta) FILTER (WHERE m.created_at {>} $2 "
		"AND m.kind {<>} " KIND_NAME(STOCK_TAKE) " AND m.kind {<>} ALL (" HOLD_KINDS ")") ", "
		"CASE WHEN pg_catalog.bool_or(m.kind {=} " KIND_NAME(CARRIED) " AND m.created_at {>} $2) THEN 0 "
		"ELSE pg_catalog.count(*) FILTER (WHERE m.created_at {<=} $2) END "
		"FROM " MOVEMENTS "WHERE m.item_id {=} $1"},
	[INV_STMT_HELD_UNITS] = {"i", "n", SPI_OK_SELECT,
		"SELECT " SUM("r.quantity") " FROM " RESERVATIONS
		"WHERE r.item_id {=} $1 AND " HELD "AND r.tracked", .by = "item_id"},
	[INV_STMT_USED] = {"iu", "n", SPI_OK_SELECT,
		"SELECT " MINUS_SUM("m.delta") " FROM " MOVEMENTS
		"WHERE m.item_id {=} $1 AND m.user_id {=} $2", .by = "item_id"},
	[INV_STMT_OPEN_LEDGER] = {"tzit", "", SPI_OK_INSERT,
		"INSERT INTO {ledger}.movements (item_id, delta, kind, reason, actor, created_at) "
		"SELECT COALESCE({id}, m.item_id), COALESCE({stock}, 0) {-} COALESCE(m.total, 0), "
		"CASE WHEN m.item_id IS NULL THEN " KIND_NAME(OPENING) " ELSE " KIND_NAME(DIRECT) " END, "
		"CASE WHEN m.item_id IS NULL THEN NULL ELSE $4 END, $1, $2 "
		"FROM (SELECT i.* FROM ONLY {items} AS i WHERE $3 IS NULL OR {id} {=} $3) AS i "
		"FULL JOIN (SELECT m.item_id, " SUM("m.delta") " AS total FROM " SETTLED_MOVEMENTS
		"AND ($3 IS NULL OR m.item_id {=} $3) "
		"GROUP BY m.item_id) AS m ON {id} {=} m.item_id "
		"WHERE COALESCE({id}, m.item_id) IS NOT NULL AND ((m.item_id IS NULL AND {stock} IS NOT NULL) "
		"OR COALESCE({stock}, 0) {<>} COALESCE(m.total, 0))", INV_LEDGER_MOVEMENTS},
	[INV_STMT_VERIFY_COUNTED_TWICE] = {"i", "ttnn", SPI_OK_SELECT, COUNTED_TWICE},
	[INV_STMT_VERIFY_FUNCTIONS] = {"i", "t?tnn", SPI_OK_SELECT,
		"SELECT NULL::pg_catalog.text, 'functions_outdated', 0::pg_catalog.int8, f.outdated "
		"FROM inventory.count_outdated({items oid}::pg_catalog.oid) AS f(outdated) "
		"WHERE $1 IS NULL AND f.outdated {<>} 0"},
	[INV_STMT_REPAIR_HOLDS] = {"tzit", "", SPI_OK_INSERT, REPAIR_HOLDS, INV_LEDGER_MOVEMENTS},
	[INV_STMT_REPAIR_HOT] = {"", "", SPI_OK_DELETE, REPAIR_HOT, INV_LEDGER_HOT},
	[INV_STMT_SEVERAL_OF_KEY] = {"", "i", SPI_OK_SELECT, SEVERAL("{id}", "ONLY {items} AS i")},
	[INV_STMT_SEVERAL_OF_HOT] = {"", "i", SPI_OK_SELECT, SEVERAL("h.item_id", "{ledger}.hot AS h")},
	[INV_STMT_VERIFY] = {"i", "t?tnn?", SPI_OK_SELECT,
		"SELECT COALESCE({id}, m.item_id)::pg_catalog.text, "
		"CASE WHEN {id} IS NULL THEN 'movements_of_unknown_item' "
		"WHEN {stock} IS NULL THEN 'untracked_item_has_balance' "
		"ELSE 'stock_differs_from_movements' END, COALESCE(m.total, 0), {stock} "
		"FROM (SELECT i.* FROM ONLY {items} AS i WHERE $1 IS NULL OR {id} {=} $1) AS i "
		"FULL JOIN (SELECT m.item_id, " SUM("m.delta") " AS total FROM " SETTLED_MOVEMENTS
		"AND ($1 IS NULL OR m.item_id {=} $1) "
		"GROUP BY m.item_id) AS m ON {id} {=} m.item_id "
		"WHERE COALESCE({stock}, 0) {<>} COALESCE(m.total, 0) "
		"ORDER BY COALESCE({id}, m.item_id)"},
	[INV_STMT_VERIFY_HOLDS] = {"i", "t?tnn", SPI_OK_SELECT,
		"SELECT COALESCE(r.item_id, m.item_id)::pg_catalog.text, 'holds_differ_from_movements', "
		"COALESCE(m.total, 0), COALESCE(r.total, 0) "
		"FROM (SELECT r.item_id, " SUM("r.quantity") " AS total FROM " RESERVATIONS
		"WHERE " HELD "AND ($1 IS NULL OR r.item_id {=} $1) GROUP BY r.item_id) AS r "
		"FULL JOIN (SELECT m.item_id, " MINUS_SUM("m.delta") " AS total FROM " MOVEMENTS
		"WHERE m.reservation_id IS NOT NULL AND m.kind {=} ANY (" HOLD_KINDS ") "
		"AND ($1 IS NULL OR m.item_id {=} $1) GROUP BY m.item_id) AS m "
		"ON r.item_id {=} m.item_id "
		"WHERE COALESCE(r.total, 0) {<>} COALESCE(m.total, 0) "
		"ORDER BY COALESCE(r.item_id, m.item_id)"},

	[INV_STMT_VERIFY_ORDERS] = {"i", "ttnn", SPI_OK_SELECT, VERIFY_ORDERS_TEXT},
	[INV_STMT_VERIFY_FOLLOWED] = {"i", "ttnn", SPI_OK_SELECT, VERIFY_FOLLOWED_TEXT},
	[INV_STMT_OVERSOLD] = {"z", "tnnntz", SPI_OK_SELECT, OVERSOLD_TEXT},
	/* ---- reservations */
	[INV_STMT_HOLD] = {"qINLuzz", "", SPI_OK_INSERT,
		"INSERT INTO {ledger}.reservations (reservation_id, item_id, quantity, tracked, "
		"user_id, status, expires_at, created_at) "
		"SELECT $1, w.*, $5, " STATUS_NAME(HELD) ", $6, $7 "
		"FROM ROWS FROM (" UNNEST(2) ", " UNNEST(3) ", " UNNEST(4) ") AS w",
		INV_LEDGER_RESERVATIONS},
	[INV_STMT_LOCK_HOLD] = {"q", "", SPI_OK_SELECT,
		"SELECT FROM " RESERVATIONS "WHERE r.reservation_id {=} $1 "
		"ORDER BY r.item_id FOR NO KEY UPDATE OF r", .by = "reservation_id"},
	[INV_STMT_READ_HOLD] = {"q", "inu?tzo?zlq", SPI_OK_SELECT,
		HOLDS "WHERE r.reservation_id {=} $1 ORDER BY r.item_id", .by = "reservation_id"},
	[INV_STMT_HOLDS_OF_USER] = {"uz", "qinz", SPI_OK_SELECT,
		"SELECT r.reservation_id, r.item_id, r.quantity, r.expires_at FROM " RESERVATIONS
		"WHERE r.user_id {=} $1 AND " HELD "AND r.expires_at {>} $2 "
		"ORDER BY r.expires_at, r.reservation_id, r.item_id", .by = "user_id"},
	[INV_STMT_OWN_HOLD] = {"uzi", "qn", SPI_OK_SELECT,
		"SELECT r.reservation_id, r.quantity FROM " RESERVATIONS
		"WHERE r.user_id {=} $1 AND " HELD "AND r.expires_at {>} $2 AND r.item_id {=} $3 "
		"ORDER BY r.expires_at, r.reservation_id LIMIT 1", .by = "user_id"},
	[INV_STMT_PUT_HOLD] = {"qinluzz", "", SPI_OK_INSERT,
		"INSERT INTO {ledger}.reservations AS r (reservation_id, item_id, quantity, tracked, "
		"user_id, status, expires_at, created_at) "
		"VALUES ($1, $2, $3, $4, $5, " STATUS_NAME(HELD) ", $6, $7) "
		"ON CONFLICT (reservation_id, item_id) DO UPDATE SET quantity = EXCLUDED.quantity, "
		"tracked = EXCLUDED.tracked, status = EXCLUDED.status, expires_at = EXCLUDED.expires_at",
		INV_LEDGER_RESERVATIONS},
	[INV_STMT_RELEASE_HOLD] = {"qi", "", SPI_OK_UPDATE,
		"UPDATE " RESERVATIONS "SET status = " STATUS_NAME(RELEASED) " "
		"WHERE r.reservation_id {=} $1 AND " HELD
		"AND ($2 IS NULL OR r.item_id {=} $2)", INV_LEDGER_RESERVATIONS, .by = "reservation_id"},
	[INV_STMT_CONFIRM_HOLD] = {"qINO", "", SPI_OK_UPDATE,
		"UPDATE " RESERVATIONS "SET status = " STATUS_NAME(CONFIRMED) ", order_id = w.order_id "
		"FROM ROWS FROM (" UNNEST(2) ", " UNNEST(3) ", " UNNEST(4) ") "
		"AS w (item_id, quantity, order_id) WHERE r.reservation_id {=} $1 "
		"AND r.item_id {=} w.item_id AND r.quantity {=} w.quantity AND " HELD,
		INV_LEDGER_RESERVATIONS, .by = "reservation_id"},
	[INV_STMT_EXTEND_HOLD] = {"qz", "", SPI_OK_UPDATE,
		"UPDATE " RESERVATIONS "SET expires_at = $2 WHERE r.reservation_id {=} $1 AND " HELD,
		INV_LEDGER_RESERVATIONS, .by = "reservation_id"},
	/* a decided one that was released: prune() deletes it as any other */
	[INV_STMT_UNDECIDE_HOLD] = {"q", "", SPI_OK_UPDATE,
		"UPDATE " RESERVATIONS "SET expires_at = r.created_at WHERE r.reservation_id {=} $1 "
		"AND r.status {=} " STATUS_NAME(RELEASED) " AND r.expires_at {=} 'infinity'",
		INV_LEDGER_RESERVATIONS, .by = "reservation_id"},
	[INV_STMT_HELD_OF_ITEM] = {"i", "", SPI_OK_SELECT,
		"SELECT FROM " RESERVATIONS "WHERE r.item_id {=} $1 AND " HELD "LIMIT 1", .by = "item_id"},

	/* ---- expiry: lines that another session has locked are skipped */
	[INV_STMT_OVERDUE_OF_ITEM] = {"izn", "inu?tzo?zlq", SPI_OK_SELECT,
		HOLDS "WHERE r.item_id {=} $1 AND " OVERDUE "$2 "
		"ORDER BY r.expires_at, r.reservation_id LIMIT $3 FOR NO KEY UPDATE OF r SKIP LOCKED", .by = "item_id"},
	[INV_STMT_OVERDUE] = {"znzn", "inu?tzo?zlq", SPI_OK_SELECT,
		HOLDS "WHERE " OVERDUE "$1 AND r.expires_at {>=} $3 "
		"ORDER BY r.expires_at, r.reservation_id LIMIT $2 OFFSET $4 FOR NO KEY UPDATE OF r SKIP LOCKED", .by = "expires_at"},
	/*
	 * Overdue units of a user no longer count against the limit; while they are
	 * locked no other session can confirm them.
	 */
	[INV_STMT_OVERDUE_OF_USER] = {"iuz", "n", SPI_OK_SELECT,
		"SELECT " SUM("o.quantity") " FROM (SELECT r.quantity FROM " RESERVATIONS
		"WHERE r.item_id {=} $1 AND r.user_id {=} $2 AND " OVERDUE "$3 "
		"FOR NO KEY UPDATE OF r SKIP LOCKED) AS o", .by = "item_id"},
	[INV_STMT_STILL_OVERDUE_OF_USER] = {"iuz", "n", SPI_OK_SELECT,
		"SELECT " SUM("r.quantity") " FROM " RESERVATIONS
		"WHERE r.item_id {=} $1 AND r.user_id {=} $2 AND " OVERDUE "$3", .by = "item_id"},
	[INV_STMT_STILL_OVERDUE] = {"iz", "", SPI_OK_SELECT,
		"SELECT FROM " RESERVATIONS "WHERE r.item_id {=} $1 AND " OVERDUE "$2 LIMIT 1", .by = "item_id"},
	[INV_STMT_EXPIRE] = {"QI", "", SPI_OK_UPDATE,
		"UPDATE " RESERVATIONS "SET status = " STATUS_NAME(EXPIRED) " "
		PAIRS(1, 2) "(reservation_id, item_id) "
		"WHERE r.reservation_id {=} w.reservation_id AND r.item_id {=} w.item_id AND " HELD,
		INV_LEDGER_RESERVATIONS, .by = "reservation_id"},
	[INV_STMT_NEXT_EXPIRY] = {"", "z?", SPI_OK_SELECT,
		"SELECT pg_catalog.min(r.expires_at) FROM " RESERVATIONS "WHERE " HELD, .by = "expires_at"},

	[INV_STMT_COUNT_OVERDUE] = {"z", "n", SPI_OK_SELECT,
		"SELECT pg_catalog.count(*) FROM " RESERVATIONS "WHERE " OVERDUE "$1"},

	/* ---- orders */
	[INV_STMT_LOCK_ORDERS] = {"O", "oe?n?u?t?", SPI_OK_SELECT,
		"SELECT {order id}, {order item}, {order units}, {order user}, {order quantity text} "
		"FROM {orders} AS o "
		"WHERE {order id} {=} ANY ($1) ORDER BY {order id} FOR NO KEY UPDATE OF o",
		.by = "order_id"},
	[INV_STMT_CHANGE_ORDER] = {"on", "n?", SPI_OK_UPDATE_RETURNING,
		"UPDATE {orders} AS o SET {order quantity column} = $2{and by quantity} WHERE {order id} {=} $1 "
		"RETURNING {order units}", .by = "order_id"},
	[INV_STMT_REFUND_ROWS] = {"j", "o?t?s?", SPI_OK_SELECT,
		"SELECT l.order_id, l.status, l.quantity "
		"FROM pg_catalog.jsonb_populate_recordset(NULL::{ledger}.refunded_order, $1) AS l"},
	[INV_STMT_PREPARE_ORDER] = {"ujj", "j?", SPI_OK_SELECT,
		"SELECT {ledger}.prepare_order($1, $2, $3)"},
	/* as the foreign keys of its lines lock it, or as those lock it who look at its lines */
	[INV_STMT_LOCK_HEADER] = {"h", "u?", SPI_OK_SELECT,
		"SELECT {header user} FROM {header} AS h WHERE {header id} {=} $1 FOR {header lock} OF h",
		.by = "header_id"},
	[INV_STMT_HEADER_OF_LINE] = {"o", "h?", SPI_OK_SELECT,
		"SELECT {order header} FROM {orders} AS o WHERE {order id} {=} $1 LIMIT 1", .by = "order_id"},
	/* null if its header does not exist */
	[INV_STMT_LOCKABLE_HEADER] = {"o", "h?", SPI_OK_SELECT,
		"SELECT {header id} FROM {orders} AS o {join header} WHERE {order id} {=} $1 LIMIT 1",
		.by = "order_id"},
	[INV_STMT_LINE_EXISTS] = {"o", "", SPI_OK_SELECT,
		"SELECT FROM {orders} AS o WHERE {order id} {=} $1 LIMIT 1", .by = "order_id"},
	[INV_STMT_LOCK_CHANGES] = {"o", "", SPI_OK_SELECT,
		"SELECT FROM {ledger}.order_changes AS c WHERE c.order_id {=} $1 "
		"ORDER BY c.change_id LIMIT 1 FOR NO KEY UPDATE OF c", .by = "order_id"},
	/*
	 * A line's row as it is ($2 to $4) without what its changes added.  An item was sold to the
	 * user that its first change found.
	 */
	[INV_STMT_SOLD] = {"oenu", "enu?", SPI_OK_SELECT,
		"SELECT s.item, " SUM("s.units") ", (pg_catalog.array_agg(s.user_id ORDER BY s.place) "
		"FILTER (WHERE s.place IS NOT NULL))[1] FROM ("
		"SELECT $2, $3, $4, 9223372036854775807 "
		"UNION ALL SELECT c.item_before, c.quantity_before, c.user_before, c.change_id "
		"FROM {ledger}.order_changes AS c "
		"WHERE c.order_id {=} $1 AND c.operation {<>} " QUOTED(INV_CHANGE_INSERT) " "
		"UNION ALL SELECT c.item_after, {-} c.quantity_after, NULL, NULL "
		"FROM {ledger}.order_changes AS c "
		"WHERE c.order_id {=} $1 AND c.operation {<>} " QUOTED(INV_CHANGE_DELETE) ") "
		"AS s (item, units, user_id, place) WHERE s.item IS NOT NULL "
		"GROUP BY s.item HAVING " SUM("s.units") " {>} 0 ORDER BY s.item", .by = "order_id"},
	[INV_STMT_RECORD_CHANGE] = {"oteennuutz", "", SPI_OK_INSERT,
		"INSERT INTO {ledger}.order_changes (order_id, operation, item_before, item_after, "
		"quantity_before, quantity_after, user_before, user_after, actor, created_at) "
		"VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)", INV_LEDGER_ORDER_CHANGES},
	[INV_STMT_IS_FINAL] = {"r", "l", SPI_OK_SELECT,
		"SELECT COALESCE({ledger}.order_final($1), false)"},
	[INV_STMT_LOCK_HEADERS] = {"H", "", SPI_OK_SELECT,
		"SELECT FROM {header} AS h WHERE {header id} {=} ANY ($1) "
		"ORDER BY {header id} FOR NO KEY UPDATE OF h", .by = "header_id"},
	[INV_STMT_LINES_OF_HEADERS] = {"H", "o?", SPI_OK_SELECT,
		"SELECT {order id} FROM {orders} AS o WHERE {order header} {=} ANY ($1)",
		.by = "order_header"},
	[INV_STMT_HEADER_ROW] = {"h", "p", SPI_OK_SELECT,
		"SELECT h.*::{header} FROM {header} AS h WHERE {header id} {=} $1", .by = "header_id"},
	[INV_STMT_LINE_WORTH] = {"O", "oe?u?n?lh?", SPI_OK_SELECT,
		"SELECT {order id}, {order item}, {order user}, {ledger}.order_units({line rows}), "
		"COALESCE({ledger}.order_final({line rows}), false), {order header} "
		"FROM {orders} AS o {join header} "
		"WHERE {order id} {=} ANY ($1) ORDER BY {order id}", .by = "order_id"},
	[INV_STMT_WORTH_OF_ROW] = {"r", "n?l", SPI_OK_SELECT,
		"SELECT {ledger}.order_units($1), COALESCE({ledger}.order_final($1), false)"},
	[INV_STMT_WORTH_OF_ROWS] = {"rp", "n?l", SPI_OK_SELECT,
		"SELECT {ledger}.order_units($1, $2), COALESCE({ledger}.order_final($1, $2), false)"},
	[INV_STMT_WORTH_UNDER_HEADER] = {"op", "n?l", SPI_OK_SELECT,
		"SELECT {ledger}.order_units(o.*, $2), COALESCE({ledger}.order_final(o.*, $2), false) FROM {orders} AS o WHERE {order id} {=} $1",
		.by = "order_id"},
	/* by line, item and user: what is sold and not cancelled, what is refunded; is it archived? */
	[INV_STMT_BOOKED] = {"O", "oiu?nnl", SPI_OK_SELECT,
		"SELECT m.order_id, m.item_id, m.user_id, "
		MINUS_SUM("CASE WHEN m.kind {<>} " KIND_NAME(REFUND) " THEN m.delta END") ", "
		SUM("CASE WHEN m.kind {=} " KIND_NAME(REFUND) " THEN m.delta END") ", "
		"pg_catalog.bool_or(m.reason IS NOT DISTINCT FROM " QUOTED(INV_REASON_ARCHIVED) ") FROM " MOVEMENTS
		"WHERE m.order_id {=} ANY ($1) AND m.kind {=} ANY (ARRAY[" KIND_NAME(SALE) ", "
		KIND_NAME(CANCELLATION) ", " KIND_NAME(REFUND) "]::pg_catalog.text[]) "
		"GROUP BY m.order_id, m.item_id, m.user_id "
		"ORDER BY m.order_id, m.item_id, pg_catalog.min(m.movement_id)", .by = "order_id"},
	[INV_STMT_LOCK_BOOKED] = {"o", "", SPI_OK_SELECT,
		"SELECT FROM " MOVEMENTS "WHERE m.order_id {=} $1 "
		"ORDER BY m.movement_id LIMIT 1 FOR NO KEY UPDATE OF m", .by = "order_id"},
	/* what was sold, without what change_order took off again */
	[INV_STMT_SALES] = {"o", "inu?", SPI_OK_SELECT,
		"SELECT m.item_id, " MINUS_SUM("m.delta") ", m.user_id "
		"FROM " MOVEMENTS "WHERE m.order_id {=} $1 "
		"AND m.kind {=} ANY (ARRAY[" KIND_NAME(SALE) ", " KIND_NAME(CANCELLATION) "]::pg_catalog.text[]) "
		"GROUP BY m.item_id, m.user_id ORDER BY m.item_id, pg_catalog.min(m.movement_id)", .by = "order_id"},
	/* of the order; of one item of it; of one item and user */
	[INV_STMT_REFUNDED] = {"oiu", "nnn", SPI_OK_SELECT,
		"SELECT " SUM("m.delta") ", " SUM("CASE WHEN m.item_id {=} $2 THEN m.delta END") ", "
		SUM("CASE WHEN m.item_id {=} $2 "
		"AND (m.user_id {=} $3 OR m.user_id IS NULL AND $3 IS NULL) THEN m.delta END") " FROM " MOVEMENTS
		"WHERE m.order_id {=} $1 AND m.kind {=} " KIND_NAME(REFUND), .by = "order_id"},
	/* a carried movement has no order: it can contain the sale */
	[INV_STMT_COUNTED] = {"oiu", "nl", SPI_OK_SELECT,
		"SELECT " MINUS_SUM("m.delta) FILTER (WHERE m.order_id {=} $1") ", "
		"COALESCE(pg_catalog.bool_or(m.kind {=} " KIND_NAME(CARRIED) "), false) "
		"FROM " MOVEMENTS "WHERE m.item_id {=} $2 AND m.user_id {=} $3 "
		"AND (m.kind {=} " KIND_NAME(CARRIED) " OR m.order_id {=} $1)", .by = "item_id"},

	/*
	 * ---- idempotency.  A repeated answer must be as durable as the first: the lock
	 * writes a WAL record, so that the commit waits for the disk and for the standby,
	 * even if the session that gave the first answer stopped waiting.
	 */
	[INV_STMT_FIND_REQUEST] = {"tut", "b?j?", SPI_OK_SELECT,
		FIND_REQUEST "AND q.user_id {=} $2 FOR KEY SHARE OF q", .by = "key"},
	[INV_STMT_FIND_GUEST_REQUEST] = {"tut", "b?j?", SPI_OK_SELECT,
		FIND_REQUEST "AND q.user_id IS NULL AND $2 IS NULL FOR KEY SHARE OF q", .by = "key"},
	[INV_STMT_KEEP_REQUEST] = {"tutbjz", "", SPI_OK_INSERT,
		"INSERT INTO {ledger}.requests "
		"(operation, user_id, key, fingerprint, result, created_at) "
		"VALUES ($1, $2, $3, $4, $5, $6)", INV_LEDGER_REQUESTS},
	[INV_STMT_REPLAY_LINES] = {"j", "t?i?s?o?s?lh?", SPI_OK_SELECT,
		"SELECT l.status, l.item_id, l.quantity, l.order_id, l.available, true, l.header_id "
		"FROM pg_catalog.jsonb_populate_recordset(NULL::{ledger}.line, $1) AS l"},

	TRUNCATE_TEMPLATES

	/* ---- housekeeping */
	/* a closed line can be held again while it is waited for, and some servers delete what has another ctid then */
	[INV_STMT_PRUNE_HOLDS] = {"zn", "", SPI_OK_DELETE,
		"DELETE FROM {ledger}.reservations AS r WHERE r.ctid {=} ANY (ARRAY("
		"SELECT p.ctid FROM {ledger}.reservations AS p WHERE p.status {<>} " STATUS_NAME(HELD) " "
		"AND p.expires_at {<} $1 AND p.created_at {<} $1 LIMIT $2)) AND r.status {<>} " STATUS_NAME(HELD),
		INV_LEDGER_RESERVATIONS},
	[INV_STMT_PRUNE_REQUESTS] = {"zn", "", SPI_OK_DELETE,
		"DELETE FROM {ledger}.requests AS q WHERE q.ctid {=} ANY (ARRAY("
		"SELECT p.ctid FROM {ledger}.requests AS p WHERE p.created_at {<} $1 LIMIT $2))",
		INV_LEDGER_REQUESTS},
	/*
	 * Old movements that become one per item and, where purchases are limited, per
	 * user.  Refunds, cancellations, write-offs and the sales that refunds need stay, or where the
	 * ledger follows orders, the lines that have newer movements; and so do the movements of open
	 * holds.  Those of one reservation go together, because verify
	 * compares their sum with what is held.
	 */
	[INV_STMT_CLOSABLE] = {"z", "c", SPI_OK_SELECT,
		"SELECT m.ctid FROM " MOVEMENTS
		"LEFT JOIN {ledger}.hot AS h ON h.item_id {=} m.item_id "
		"WHERE m.created_at {<} $1 AND " SETTLED("m", "h") " "
		"{and not refundable} "
		"AND NOT EXISTS (SELECT FROM {ledger}.movements AS n "
		"LEFT JOIN {ledger}.hot AS g ON g.item_id {=} n.item_id "
		"WHERE n.reservation_id {=} m.reservation_id "
		"AND (n.created_at {>=} $1 OR " SETTLED("n", "g") " IS NOT TRUE)) "
		"AND NOT EXISTS (SELECT FROM " RESERVATIONS
		"WHERE r.reservation_id {=} m.reservation_id AND " HELD ") "
		"ORDER BY m.item_id, {carried user}"},
	/* how many of the lines could not be locked */
	[INV_STMT_LOCK_CLOSABLE] = {"C", "n", SPI_OK_SELECT,
		"WITH line AS (SELECT pg_catalog.min(n.movement_id) AS first FROM {ledger}.movements AS n "
		"WHERE n.order_id {=} ANY (ARRAY(SELECT m.order_id FROM " MOVEMENTS
		"WHERE m.ctid {=} ANY ($1) AND m.order_id IS NOT NULL)) GROUP BY n.order_id), "
		"locked AS (SELECT FROM " MOVEMENTS
		"WHERE m.movement_id {=} ANY (ARRAY(SELECT l.first FROM line AS l)) "
		"FOR NO KEY UPDATE OF m SKIP LOCKED) "
		"SELECT (SELECT pg_catalog.count(*) FROM line) {-} (SELECT pg_catalog.count(*) FROM locked)"},
	[INV_STMT_CLOSE_MOVEMENTS] = {"zC", "inu?n", SPI_OK_SELECT,
		"WITH closed AS (DELETE FROM " MOVEMENTS "WHERE m.ctid {=} ANY ($2) {and not refundable} "
		"RETURNING m.item_id, m.delta, {carried user} AS user_id) "
		"SELECT c.item_id, pg_catalog.sum(c.delta)::pg_catalog.int8, c.user_id, "
		"pg_catalog.count(*) FROM closed AS c "
		"GROUP BY c.item_id, c.user_id ORDER BY c.item_id, c.user_id", INV_LEDGER_MOVEMENTS,
		.by = "ctid"},
	[INV_STMT_CARRY] = {"INUtz", "", SPI_OK_INSERT,
		"INSERT INTO {ledger}.movements (item_id, delta, kind, user_id, actor, created_at) "
		"SELECT w.item_id, w.delta, " KIND_NAME(CARRIED) ", w.user_id, $4, $5 "
		"FROM ROWS FROM (" UNNEST(1) ", " UNNEST(2) ", " UNNEST(3) ") "
		"AS w (item_id, delta, user_id)", INV_LEDGER_MOVEMENTS},
};

/* clang-format on */

const InvTemplate *
inv_statement_template(InvStatement statement)
{
	const InvTemplate *template = &templates[statement];

	Assert(statement >= 0 && statement < INV_STMT_COUNT && template->text != NULL);
	/* a statement that writes a table of the ledger says which */
	Assert(template->writes != INV_LEDGER_NONE || template->result == SPI_OK_SELECT ||
		   strstr(template->text, "{ledger}") == NULL);
	return template;
}
