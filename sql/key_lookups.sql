-- Tests that rows are looked up by their indexes also by a session that planned its
-- statements while the tables were small.
\pset format unaligned
\pset tuples_only on
\set schema key_lookups
\set limits yes
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
INSERT INTO items VALUES (1, 1000000), (2, 1000000), (3, 1000000);
SELECT inventory.attach('items', 'orders', ledger_schema => 'key_lookups_stock', sellable => 'live');
UPDATE items SET purchase_limit = 1000000 WHERE id = 2;

-- Every function for buyers, and those for operators that name an item or an order.
CREATE PROCEDURE call_all(round text) LANGUAGE plpgsql AS $$
DECLARE
	h uuid;
	o bigint;
	i bigint;
BEGIN
	FOREACH i IN ARRAY ARRAY[1, 2, 3] LOOP
		o := buy_item('ada', i, 3, round || i);
		PERFORM buy_item('ada', i, 3, round || i);
		PERFORM buy_cart('ada', '[{"item_id": 1, "quantity": 2}, {"item_id": 2}, {"item_id": 3}]', 'cart' || round || i);
		PERFORM try_buy_cart('ada', '[{"item_id": 1, "quantity": 2000000}, {"item_id": 2}, {"item_id": 3}]');
		PERFORM reserve_stock('ada', i, 1, '1 us');
		PERFORM expire_reservations();
		h := reserve_stock('ada', i, 1, NULL, 'hold' || round || i);
		PERFORM extend_reservation(h), change_reservation(h, i, 2);
		PERFORM get_reservation(h), my_reservations('ada'), available_stocks(ARRAY[i, 2]);
		PERFORM confirm_reservation(h);
		h := reserve_cart('ada', '[{"item_id": 1, "quantity": 2}, {"item_id": 2}, {"item_id": 3}]');
		PERFORM release_reservation(h);
		PERFORM refund_order(o, 1, idempotency_key => round || i), refund_order(o);
		o := buy_item('ada', i);
		PERFORM change_order(o, 3), change_order(o, 2), exchange_order(o, jsonb_build_array(jsonb_build_object('item_id', i % 3 + 1)));
		PERFORM refund_orders(ARRAY[o, o - 1]);
		PERFORM restock_item(i, 1, NULL, round || i), adjust_stock(i, -1, 'lost'), available_stock(i);
	END LOOP;
END
$$;

-- What this session has read since the last call, as the server counts it.  Each look-up is made
-- at least three times, and would read 3,000 rows each time without the index of its key.
CREATE TABLE counted (name name PRIMARY KEY, sequential_scans bigint, rows_by_index bigint);
CREATE FUNCTION tables_read_whole() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	t record;
BEGIN
	FOR t IN SELECT s.relname, s.seq_scan - coalesce(c.sequential_scans, 0) AS scans, s.idx_tup_fetch - coalesce(c.rows_by_index, 0) AS rows
			 FROM pg_stat_xact_user_tables AS s LEFT JOIN counted AS c ON c.name = s.relname
			 WHERE s.schemaname LIKE 'key_lookups%' AND s.relname <> 'counted' ORDER BY s.relname LOOP
		IF t.scans > 0 OR t.rows > 6000 THEN
			RETURN NEXT format('%s: %s', t.relname, CASE WHEN t.scans > 0 THEN 'sequential scans' ELSE 'many rows by index' END);
		END IF;
	END LOOP;
	DELETE FROM counted;
	INSERT INTO counted SELECT relname, seq_scan, idx_tup_fetch FROM pg_stat_xact_user_tables WHERE schemaname LIKE 'key_lookups%';
END
$$;

SELECT inventory.heat('items', 3);
ANALYZE items, orders, movements, requests, reservations, hot;
CALL call_all('small');
CALL call_all('again');
INSERT INTO items SELECT g, 10 FROM generate_series(4, 3000) AS g;
INSERT INTO orders SELECT g, 'bob', 1, 1 FROM generate_series(1000, 4000) AS g;
-- other users use the keys that ada is about to use
INSERT INTO requests SELECT q.operation, 'user ' || g, replace(q.key, 'again', 'grown'), q.fingerprint, q.result, q.created_at
	FROM requests AS q, generate_series(1, 500) AS g WHERE q.key LIKE '%again%';
INSERT INTO reservations SELECT gen_random_uuid(), 1 + g % 3, 1, 'bob', 'released', now(), NULL, now(), true FROM generate_series(1, 3000) AS g;
INSERT INTO movements (item_id, delta, kind, user_id, order_id, reservation_id, actor, created_at)
	SELECT 1 + g % 3, d, CASE d WHEN 1 THEN 'refund' ELSE 'sale' END, 'bob', 1000 + g, NULL, 'test', now() FROM generate_series(0, 3000) AS g, unnest('{-1,1}'::int[]) AS d;
INSERT INTO hot (item_id, hot, settled_epoch, incarnation) SELECT g, false, 0, 1 FROM generate_series(4, 3000) AS g;
BEGIN;
SELECT count(*) >= 0 FROM tables_read_whole();
CALL call_all('grown');
SELECT tables_read_whole();
-- the check finds such a scan
SELECT count(*) > 2000 FROM requests WHERE operation LIKE 'b%';
SELECT tables_read_whole();
ROLLBACK;
SELECT inventory.cool('items', 3);
\pset tuples_only off
DROP SCHEMA key_lookups, key_lookups_stock CASCADE;
