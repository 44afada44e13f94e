-- Tests of expiry: an overdue hold counts as available at once, and is given back by
-- expire_reservations or by the first call that needs its units.
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
\set schema expiry
\set limits on
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
INSERT INTO items (id, stock) VALUES (1, 10), (2, 10), (3, 5), (4, NULL), (5, 100);
UPDATE items SET stock_floor = 2 WHERE id = 3;
SELECT inventory.attach('items', 'orders', ledger_schema => 'expiry_stock');
\set include :abs_srcdir '/sql/include/no_worker.sql'
\i :include
CREATE VIEW closed AS SELECT user_id, item_id, quantity, status FROM reservations WHERE status <> 'held' ORDER BY user_id, item_id;
CREATE FUNCTION age(minutes integer) RETURNS void LANGUAGE sql AS $$
	UPDATE reservations SET expires_at = expires_at - make_interval(mins => minutes), created_at = created_at - make_interval(mins => minutes) WHERE status = 'held'
$$;

\echo '-- readers count overdue holds as available, although nothing was written'
SELECT count(reserve_stock('ada', i, 3)) FROM generate_series(1, 5) AS i;
SELECT levels();
SELECT age(20);
SELECT levels();
SELECT string_agg(available_stock(id)::text, ' ' ORDER BY id) FROM items;
BEGIN READ ONLY;
SELECT available_stock(1);
SELECT levels();
ROLLBACK;
SELECT string_agg(stock::text, ' ' ORDER BY id), (SELECT count(*) FROM reservations WHERE status = 'held') FROM items;
\echo '-- expire_reservations: the oldest first, at most max_rows'
SELECT reserve_stock('bob', 1, 1, '20 minutes') AS younger \gset
SELECT reserve_stock('cid', 1) AS open \gset
UPDATE reservations SET expires_at = now() - interval '1 s', created_at = now() - interval '1 h' WHERE reservation_id = :'younger';
SELECT expire_reservations(2);
TABLE closed;
SELECT expire_reservations(), expire_reservations();
TABLE closed;
SELECT levels();
SELECT status, item_id FROM get_reservation(:'open');
SELECT item_id, sum(delta), kind, count(*), string_agg(DISTINCT user_id, ' '), string_agg(DISTINCT reason, ' ') FROM movements
	WHERE kind IN ('hold', 'expiry', 'adjustment') GROUP BY item_id, kind ORDER BY item_id, kind;
SELECT expire_reservations(0);
SELECT expire_reservations(NULL);
SELECT release_reservation(:'open');
SELECT * FROM inventory.verify('items');

\echo '-- a buyer for whom too few are left expires the oldest holds, and no more than needed'
SELECT reserve_stock(u, 1, 2) IS NOT NULL FROM unnest('{u1,u2,u3,u4,u5}'::text[]) AS u;
UPDATE reservations SET expires_at = now() - make_interval(mins => 10 - right(user_id, 1)::integer), created_at = now() - interval '1 h'
	WHERE status = 'held';
SELECT reserve_stock('gus', 1) IS NOT NULL;
SELECT available_stock(1), (SELECT stock FROM items WHERE id = 1);
SELECT buy_item('eve', 1, 1) > 0;
SELECT user_id, status FROM reservations WHERE item_id = 1 AND user_id LIKE 'u%' ORDER BY user_id;
SELECT buy_item('eve', 1, 4) > 0;
SELECT user_id, status FROM reservations WHERE item_id = 1 AND user_id LIKE 'u%' ORDER BY user_id;
SELECT stock FROM items WHERE id = 1;
\echo '-- if that would not be enough, no hold is expired and the refusal writes nothing'
SELECT buy_item('eve', 1, 6);
BEGIN;
SELECT status, available FROM try_buy_cart('eve', '[{"item_id": 1, "quantity": 6}, {"item_id": 2}]');
SELECT pg_current_xact_id_if_assigned() IS NULL;
COMMIT;
SELECT count(*) FROM reservations WHERE item_id = 1 AND status = 'held';
\echo '-- the same for reservations, each strategy, and carts in both forms'
SET inventory.strategy = pessimistic;
SELECT reserve_stock('eve', 1, 2) IS NOT NULL;
SET inventory.strategy = optimistic;
SELECT reserve_stock('eve', 1, 1) IS NOT NULL;
RESET inventory.strategy;
SELECT user_id, status FROM reservations WHERE item_id = 1 AND user_id LIKE 'u%' ORDER BY user_id;
SELECT count(reserve_stock('fay', i, 1, '1 microsecond')) FROM generate_series(1, 2) AS i, generate_series(1, 10);
SELECT stock, available_stock(id) FROM items WHERE id < 3 ORDER BY id;
SELECT item_id, status, available FROM buy_cart('eve', '[{"item_id": 2, "quantity": 3}, {"item_id": 1, "quantity": 2}]');
SELECT stock, available_stock(id) FROM items WHERE id < 3 ORDER BY id;
SELECT item_id, status, available FROM try_buy_cart('eve', '[{"item_id": 2, "quantity": 8}, {"item_id": 1}]');
SELECT status, short_lines FROM try_reserve_cart('eve', '[{"item_id": 2, "quantity": 7}, {"item_id": 1}]');
SELECT stock, available_stock(id) FROM items WHERE id < 3 ORDER BY id;
\echo '-- safety stock is still not sold'
SELECT reserve_stock('hal', 3, 3, '1 microsecond') IS NOT NULL;
SELECT buy_item('eve', 3, 4);
SELECT buy_item('eve', 3, 3) > 0;
SELECT buy_item('eve', 3);
SELECT * FROM inventory.verify('items');

\echo '-- overdue holds are expired under an old snapshot too'
SELECT count(reserve_stock('ian', 5, 10, '1 microsecond')) FROM generate_series(1, 10);
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT available_stock(5), buy_item('eve', 5, 15) > 0, reserve_stock('eve', 5, 15) IS NOT NULL;
SELECT expire_reservations() > 0;
SELECT available_stock(5);
COMMIT;
SELECT available_stock(5), stock FROM items WHERE id = 5;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT reserve_stock('ian', 5, 70, '1 microsecond') IS NOT NULL;
SELECT status FROM try_buy_cart('eve', '[{"item_id": 5, "quantity": 70}, {"item_id": 4}]');
COMMIT;
SELECT status, count(*), sum(quantity) FROM reservations WHERE item_id = 5 GROUP BY 1 ORDER BY 1;

\echo '-- many holds of many items: each is expired once'
INSERT INTO items (id, stock) SELECT n, 30 FROM generate_series(101, 110) AS n;
SELECT count(reserve_cart('joy', (SELECT jsonb_agg(jsonb_build_object('item_id', i.id)) FROM items AS i WHERE i.id > 100), '1 microsecond'))
	FROM generate_series(1, 30);
SELECT sum(stock) FROM items WHERE id > 100;
SELECT expire_reservations(250), expire_reservations(), expire_reservations();
SELECT sum(stock), count(DISTINCT stock) FROM items WHERE id > 100;
\echo '-- an item with holds cannot be deleted, but it can cease to be tracked'
SELECT reserve_stock('kim', 101, 5, '1 microsecond') IS NOT NULL;
DELETE FROM items WHERE id = 101;
UPDATE items SET stock = NULL WHERE id = 101;
SELECT expire_reservations();
SELECT item_id, delta, kind, reason FROM movements WHERE item_id = 101 ORDER BY movement_id DESC LIMIT 3;

\echo '-- an item that refuses its units keeps no other item from getting its own'
INSERT INTO items (id, stock) VALUES (201, 90), (202, 90), (203, 90);
ALTER TABLE items ADD CONSTRAINT capacity CHECK (id < 201 OR stock <= 100);
SELECT reserve_stock('lea', 201, 10, '1 microsecond') IS NOT NULL, reserve_stock('lea', 202, 10, '1 microsecond') IS NOT NULL,
	reserve_stock('lea', 201, 10, '1 microsecond') IS NOT NULL, restock_item(201, 20);
SELECT inventory.heat('items', 203), reserve_stock('lea', 203, 10, '1 microsecond') IS NOT NULL;
SELECT expire_reservations(), expire_reservations();
SELECT item_id, available, reserved, on_hand FROM levels WHERE item_id > 200 ORDER BY 1;
SELECT buy_item('mia', 201, 15) > 0, expire_reservations();
SELECT item_id, available, reserved, on_hand FROM levels WHERE item_id > 200 ORDER BY 1;
SELECT inventory.cool('items');
SELECT * FROM inventory.verify('items');
-- nor do more of them than there may be lines in a batch, with one end of their holds
SET client_min_messages = error;
INSERT INTO items (id, stock) SELECT n, 100 FROM generate_series(301, 330) AS n;
SELECT reserve_cart('ned', (SELECT jsonb_agg(jsonb_build_object('item_id', id) ORDER BY id) FROM items WHERE id > 300), '1 microsecond') IS NOT NULL;
UPDATE items SET stock = CASE id WHEN 315 THEN 99 ELSE 100 END WHERE id > 300;
SELECT reserve_stock('oda', 2, 1, '1 microsecond') IS NOT NULL;
SELECT expire_reservations(1), expire_reservations(10), expire_reservations(10);
SELECT item_id, status FROM reservations WHERE user_id IN ('ned', 'oda') AND status <> 'held' ORDER BY 1;
UPDATE items SET stock = 90 WHERE id > 300;
SELECT expire_reservations(10), expire_reservations(100), expire_reservations();
SELECT * FROM inventory.verify('items');
SET client_min_messages = warning;
\echo '-- the warning says why: a trigger keeps the row of an item from being written'
INSERT INTO items (id, stock) VALUES (401, 90), (402, 90);
SELECT reserve_cart('pia', '[{"item_id": 401}, {"item_id": 402}]', '1 microsecond') IS NOT NULL, inventory.heat('items', 402);
SELECT buy_item('pia', 402) > 0;
CREATE FUNCTION keep_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER keep_row BEFORE UPDATE ON items FOR EACH ROW WHEN (OLD.id > 400) EXECUTE FUNCTION keep_row();
\set VERBOSITY default
\set SHOW_CONTEXT never
SELECT expire_reservations();
\set VERBOSITY terse
DROP TRIGGER keep_row ON items;
SELECT expire_reservations();
SELECT inventory.cool('items');
SELECT * FROM inventory.verify('items');
\pset tuples_only off
DROP SCHEMA expiry, expiry_stock CASCADE;
