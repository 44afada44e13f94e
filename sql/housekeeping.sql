-- Tests of prune and close_ledger: old rows are removed, while limits, refunds, open holds,
-- the stock and what verify checks stay right.
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
\set schema housekeeping
\set limits on
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
ALTER TABLE orders ALTER id RESTART WITH 1001;
INSERT INTO items (id, stock, purchase_limit) VALUES (1, 100, 5), (2, 100, NULL), (3, NULL, NULL);
SELECT inventory.attach('items', 'orders', ledger_schema => 'housekeeping_stock', order_columns => '{id}');
\set include :abs_srcdir '/sql/include/no_worker.sql'
\i :include
CREATE VIEW ledger AS SELECT item_id, delta, kind, user_id, order_id FROM movements ORDER BY item_id, kind, user_id, movement_id;
CREATE FUNCTION buys(u text, units bigint) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM buy_item(u, 1, units);
	RAISE EXCEPTION USING ERRCODE = 'ZZ003';
EXCEPTION WHEN SQLSTATE 'ZZ003' THEN RETURN 'may buy ' || units;
	WHEN SQLSTATE 'IV010' THEN RETURN 'may not buy ' || units;
END
$$;

SELECT buy_item('ada', 1, 2, 'k', '{"id": 1}'), buy_item('ada', 2, 5, NULL, '{"id": 2}'), buy_item('bob', 1, 1, NULL, '{"id": 3}');
SELECT refund_order(1, 1), refund_order(2, 2, false);
SELECT buy_item(NULL, 3, 7, NULL, '{"id": 4}'), restock_item(2, 10), adjust_stock(2, -4, 'damp', kind => 'write_off');
SELECT reserve_cart('ada', '[{"item_id": 1, "quantity": 2}, {"item_id": 2, "quantity": 2}]') AS open \gset
SELECT reserve_stock('cid', 1, 3) AS released, reserve_stock('cid', 2, 3) AS expired, reserve_stock('cid', 3, 3) AS confirmed,
	reserve_stock('cid', 2, 4, '1 microsecond') AS overdue, reserve_cart('cid', '[{"item_id": 1}, {"item_id": 2}]') AS less \gset
SELECT release_reservation(:'released'), change_reservation(:'less', 1, 0) IS NOT NULL;
SELECT order_id FROM confirm_reservation(:'confirmed', order_data => '{"id": 5}');
UPDATE reservations SET expires_at = now() - interval '1 h', created_at = now() - interval '2 h' WHERE reservation_id = :'expired';
SELECT expire_reservations(1);
SELECT status FROM try_reserve_cart('ada', '[{"item_id": 1, "quantity": 9}]', NULL, 'k2');
TABLE ledger;
SELECT levels();
SELECT buys(u, n) FROM (VALUES ('ada', 2), ('ada', 3), ('bob', 4), ('bob', 5), ('cid', 5), ('cid', 6)) AS v(u, n);

\echo '-- close_ledger leaves one movement per item, and per user where purchases are limited'
SELECT close_ledger('-infinity'), close_ledger('2000-01-01');
SELECT close_ledger(clock_timestamp() + interval '1 minute');
SELECT close_ledger('infinity');
SELECT close_ledger(NULL);
SELECT clock_timestamp() AS first \gset
SELECT close_ledger(:'first');
TABLE ledger;
SELECT levels();
SELECT DISTINCT created_at = :'first', actor = current_user FROM movements WHERE kind = 'carried';
SELECT * FROM inventory.verify('items');
SELECT buys(u, n) FROM (VALUES ('ada', 2), ('ada', 3), ('bob', 4), ('bob', 5), ('cid', 5), ('cid', 6)) AS v(u, n);
\echo '-- a second time there is nothing to do'
SELECT close_ledger(:'first'), (SELECT count(*) FROM movements);
\echo '-- refunds are possible as before and no further; a key still has its answer'
SELECT refund_order(1, 2);
SELECT refund_order(1, 1), refund_order(2, 3), refund_order(3), refund_order(4), refund_order(5, 1);
SELECT refund_order(2, 1);
SELECT buy_item('ada', 1, 2, 'k', '{"id": 1}');
SELECT buys(u, n) FROM (VALUES ('ada', 3), ('ada', 4), ('bob', 5)) AS v(u, n);
\echo '-- open holds can be changed, released, confirmed and expired'
SELECT status, item_id, quantity FROM get_reservation(:'open');
SELECT change_reservation(:'open', 1, 1) IS NOT NULL, release_reservation(:'less');
SELECT status, item_id, available FROM confirm_reservation(:'open', order_data => '[{"item_id": 1, "id": 6}, {"item_id": 2, "id": 7}]');
SELECT expire_reservations();
SELECT * FROM inventory.verify('items');
\echo '-- a stock-take cannot reach back before the closing'
SELECT count_stock(2, 100, counted_at => :'first'::timestamptz - interval '1 microsecond');
SELECT count_stock(2, 101, counted_at => :'first');
SELECT count_stock(2, 101, counted_at => :'first');
\echo '-- closing again later'
SELECT clock_timestamp() AS second \gset
SELECT sum(delta) FROM movements;
SELECT close_ledger(:'second');
TABLE ledger;
SELECT sum(delta) FROM movements;
SELECT levels();
SELECT buys(u, n) FROM (VALUES ('ada', 4), ('ada', 5), ('bob', 5), ('bob', 6)) AS v(u, n);
SELECT refund_order(7), refund_order(6);
SELECT * FROM inventory.verify('items');

\echo '-- prune removes closed reservations and old keys, and no open reservation'
SELECT reserve_stock('ada', 2, 6) AS open, reserve_stock('ada', 2, 5, '1 microsecond') AS overdue \gset
SELECT status, count(*) FROM reservations GROUP BY 1 ORDER BY 1;
SELECT prune('1 hour'), prune('-1 second');
SELECT prune(NULL);
SELECT prune('300000 years');
UPDATE requests SET created_at = created_at - interval '30 days' WHERE key = 'k';
SELECT prune('29 days');
SELECT key FROM requests;
UPDATE reservations SET created_at = created_at - interval '30 days', expires_at = expires_at - interval '30 days' WHERE reservation_id <> :'open';
SELECT prune('31 days'), prune('29 days');
SELECT status, item_id, quantity FROM reservations ORDER BY quantity;
SELECT prune('0');
SELECT (SELECT count(*) FROM requests), (SELECT count(*) FROM reservations);
SELECT status FROM get_reservation(:'confirmed');
SELECT status FROM get_reservation(:'open');
SELECT expire_reservations(), release_reservation(:'open');
\echo '-- a retry with a pruned key is a new request'
SELECT buy_item('ada', 1, 2, 'k', '{"id": 8}');
SELECT refund_order(8), refund_order(5);
SELECT levels();
SELECT * FROM inventory.verify('items');

\echo '-- without an orders table refunds need the sales, so they stay'
CREATE SCHEMA housekeeping_parts;
CREATE TABLE housekeeping_parts.parts (id bigint PRIMARY KEY, stock integer);
INSERT INTO housekeeping_parts.parts VALUES (1, 10);
SELECT inventory.attach('housekeeping_parts.parts', ledger_schema => 'housekeeping_parts');
SET search_path = housekeeping_parts;
SELECT buy_item('ada', 1, 4, NULL, '{"order_id": "A"}'), buy_item('ada', 1, 1), restock_item(1, 5);
SELECT close_ledger(clock_timestamp()), refund_order('A', 3);
SELECT item_id, delta, kind, user_id, order_id FROM movements ORDER BY movement_id;
SELECT * FROM inventory.verify('parts');
\pset tuples_only off
DROP SCHEMA housekeeping, housekeeping_stock, housekeeping_parts CASCADE;
