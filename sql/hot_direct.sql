-- Tests of the guard on hot items: a direct write to the row of a hot item is booked and the
-- counter follows, or the write is refused; row, ledger and counter are compared after each.
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
\set schema hot_direct
\set limits on
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
INSERT INTO items (id, stock) VALUES (1, 100), (2, 50), (3, 7);
SELECT inventory.attach('items', 'orders', ledger_schema => 'hot_direct_stock', sellable => 'live');
SELECT inventory.heat('items', 1), inventory.heat('items', 2);
SELECT buy_item('u', 1, 10) > 0, buy_item('u', 2, 10) > 0;

INSERT INTO seen SELECT max(movement_id), true FROM movements;
-- here it shows what is available instead of the stock, and each counter that is wrong
CREATE OR REPLACE FUNCTION look() RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' | ', booked(),
		'available ' || (SELECT string_agg(format('%s=%s', item_id, available), ' ' ORDER BY item_id) FROM levels),
		(SELECT 'COUNTER ' || string_agg(format('%s=%s', h.item_id, e.available), ' ' ORDER BY h.item_id)
		 FROM hot AS h JOIN inventory.hot_entries() AS e ON e.items = 'items'::regclass AND e.number = h.number
		 JOIN items AS i ON i.id = h.item_id
		 WHERE e.state = 'hot' AND (e.held <> 0 OR e.available IS DISTINCT FROM i.stock - coalesce(i.stock_floor, 0) + (SELECT coalesce(sum(m.delta), 0)
			FROM movements AS m WHERE m.item_id = h.item_id AND m.epoch > h.settled_epoch))),
		problems())
$$;
SELECT look();
-- look() notices a change that was not booked, and a counter that did not follow
BEGIN;
ALTER TABLE items DISABLE TRIGGER inventory_guard;
UPDATE items SET stock = stock + 1 WHERE id = 1;
ALTER TABLE items ENABLE ALWAYS TRIGGER inventory_guard;
SELECT look() LIKE '%COUNTER 1=90%WRONG%';
ROLLBACK;

\echo '-- up, and down to the floor'
UPDATE items SET stock = stock + 5 WHERE id = 1;
SELECT look();
UPDATE items SET stock = stock - 5 WHERE id = 1;
SELECT look();
UPDATE items SET stock = stock - 90 WHERE id = 1;
SELECT look();
SELECT buy_item('u', 1);
UPDATE items SET stock = stock - 1 WHERE id = 1;
\echo :SQLSTATE
UPDATE items SET stock = stock + 90 WHERE id = 1;
SELECT look();
-- saving a stale copy of the row is a change by the difference to the row
SELECT inventory.settle('items') >= 0;
BEGIN;
SELECT stock FROM items WHERE id = 2 FOR UPDATE;
SELECT buy_item('u', 2, 10) > 0;
UPDATE items SET stock = 40, name = 'a name' WHERE id = 2;
UPDATE items SET stock = 35 WHERE id = 2;
COMMIT;
SELECT look();
UPDATE items SET stock = stock + 1000, stock_floor = stock_floor WHERE id IN (1, 2);
SELECT look() ~ 'direct, 2: 1000 direct';
UPDATE items SET stock = stock - 1000 WHERE id IN (1, 2);
SELECT look() ~ 'direct, 2: -1000 direct';

\echo '-- other ways: upsert, MERGE, COPY, a cursor, a view, DO'
INSERT INTO items (id, stock) VALUES (1, 0) ON CONFLICT (id) DO UPDATE SET stock = items.stock + 3;
SELECT look() ~ '^1: 3 direct';
INSERT INTO items (id, stock) VALUES (1, 0) ON CONFLICT (id) DO NOTHING;
INSERT INTO items (id, stock) VALUES (1, 0);
\echo :SQLSTATE
MERGE INTO items AS i USING (VALUES (1, 3), (2, 3)) AS w(id, n) ON i.id = w.id WHEN MATCHED THEN UPDATE SET stock = stock - n;
SELECT look() ~ '^1: -3 direct, 2: -3 direct';
MERGE INTO items AS i USING (VALUES (1, 3)) AS w(id, n) ON i.id = w.id WHEN MATCHED THEN DELETE;
\echo :SQLSTATE
COPY items (id, stock) FROM stdin;
1	14
\.
COPY items (id, stock) FROM stdin;
8	14
\.
SELECT look() ~ '^8: 14 opening';
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM items WHERE id = 1 FOR UPDATE;
MOVE 1 IN c;
UPDATE items SET stock = stock + 4 WHERE CURRENT OF c;
COMMIT;
SELECT look() ~ '^1: 4 direct';
CREATE VIEW on_shelf AS SELECT id, stock AS pieces FROM items;
UPDATE on_shelf SET pieces = pieces - 4 WHERE id = 1;
SELECT look() ~ '^1: -4 direct';
DO $$ BEGIN FOR n IN 1 .. 5 LOOP UPDATE items SET stock = stock + n WHERE id = 1; COMMIT; UPDATE items SET stock = stock - n WHERE id = 1; ROLLBACK; END LOOP; END $$;
SELECT look() ~ '^1: 1 direct, 1: 2 direct, 1: 3 direct, 1: 4 direct, 1: 5 direct \| avail[^A-Z]*$';
SELECT adjust_stock(1, -15, 'back') > 0;
SELECT look() ~ '^1: -15 adj[^A-Z]*$';

\echo '-- a transaction can sell at once what it added itself'
BEGIN;
UPDATE items SET stock = stock + 10 WHERE id = 1;
SELECT buy_item('u', 1, 95) > 0;
SAVEPOINT s;
UPDATE items SET stock = stock - 5 WHERE id = 1;
UPDATE items SET stock = stock - 1 WHERE id = 1;
\echo :SQLSTATE
ROLLBACK TO s;
UPDATE items SET stock = stock - 2 WHERE id = 1;
SELECT buy_item('u', 1, 3) > 0;
SELECT buy_item('u', 1);
\echo :SQLSTATE
ROLLBACK;
SELECT look() ~ '^nothing[^A-Z]*$';

\echo '-- a hot item cannot be deleted, change its key, or cease to be tracked'
DELETE FROM items WHERE id = 1;
\echo :SQLSTATE
DELETE FROM items;
\echo :SQLSTATE
UPDATE items SET id = 9 WHERE id = 1;
\echo :SQLSTATE
UPDATE items SET stock = NULL WHERE id = 1;
\echo :SQLSTATE
UPDATE items SET stock = NULL WHERE id = 3;
UPDATE items SET stock = 5 WHERE id = 3;
DELETE FROM items WHERE id = 8;
SELECT look() ~ '^3: -7 direct, 3: 5 direct, 8: -14 direct[^A-Z]*$';

\echo '-- the floor can be raised and lowered freely, and the counter follows'
SELECT inventory.settle('items') >= 0, available_stock(1);
UPDATE items SET stock_floor = 85 WHERE id = 1;
SELECT available_stock(1);
SELECT buy_item('u', 1, 6);
SELECT buy_item('u', 1, 5) > 0;
UPDATE items SET stock_floor = 1000 WHERE id = 1;
SELECT available_stock(1);
SELECT buy_item('u', 1);
UPDATE items SET stock_floor = -3 WHERE id = 1;
SELECT buy_item('u', 1, 89);
SELECT buy_item('u', 1, 88) > 0;
SELECT available_stock(1);
UPDATE items SET stock_floor = NULL, stock = stock + 93 WHERE id = 1;
SELECT available_stock(1);
BEGIN;
UPDATE items SET stock_floor = 50 WHERE id = 1;
SELECT buy_item('u', 1, 41);
ROLLBACK;
SELECT buy_item('u', 1, 41) > 0;
SELECT available_stock(1), restock_item(1, 41);
SELECT look() !~ '[A-Z]';

\echo '-- changes of live and purchase_limit apply to sales after the commit'
UPDATE items SET live = false WHERE id = 1;
SELECT buy_item('u', 1);
UPDATE items SET live = true, purchase_limit = 2 WHERE id = 1;
SELECT buy_item('lim', 1, 3);
SELECT buy_item('lim', 1, 2) > 0;
SELECT buy_item('lim', 1);
UPDATE items SET purchase_limit = 3 WHERE id = 1;
SELECT buy_item('lim', 1) > 0;
BEGIN;
UPDATE items SET purchase_limit = NULL WHERE id = 1;
ROLLBACK;
SELECT buy_item('lim', 1);
UPDATE items SET purchase_limit = NULL WHERE id = 1;
SELECT buy_item('lim', 1) > 0;
SELECT * FROM try_buy_cart('lim', '[{"item_id": 1}, {"item_id": 3}]');
UPDATE items SET live = false WHERE id = 1;
SELECT status FROM try_buy_cart('lim', '[{"item_id": 1}, {"item_id": 3}]');
SELECT reserve_stock('lim', 1);
-- operators can restock an item that is not for sale
SELECT restock_item(1, 6);
UPDATE items SET live = true WHERE id = 1;
SELECT look() !~ '[A-Z]';

\echo '-- applied by a subscriber: nothing is booked or refused, and the counter follows'
SET session_replication_role = replica;
UPDATE items SET stock = stock - 1000 WHERE id = 2;
SELECT available_stock(2) AS below, (SELECT e.available < 0 FROM inventory.hot_entries() AS e JOIN hot AS h USING (number) WHERE h.item_id = 2 AND e.items = 'items'::regclass);
UPDATE items SET stock = stock + 1000 WHERE id = 2;
RESET session_replication_role;
SELECT look() ~ '^nothing[^A-Z]*$';

\echo '-- a store that refuses direct writes refuses them of hot items too'
UPDATE inventory.store SET direct_writes = 'refuse' WHERE store_name = 'hot_direct.items';
UPDATE items SET stock = stock + 1 WHERE id = 1;
\echo :SQLSTATE
SELECT inventory.settle('items') >= 0;
SELECT buy_item('u', 1) > 0, restock_item(1, 1) > 0;
SELECT inventory.settle('items') >= 0;
SELECT inventory.cool('items');
UPDATE items SET stock = stock + 1 WHERE id = 1;
\echo :SQLSTATE
SELECT look() !~ '[A-Z]';
SELECT count(*) FROM inventory.verify('items');

\echo '-- the row of a hot item is deleted where that cannot be refused, and inserted again'
UPDATE inventory.store SET direct_writes = 'record' WHERE store_name = 'hot_direct.items';
INSERT INTO items (id, stock) VALUES (99, 100);
SELECT inventory.heat('items', 99);
SELECT buy_item('u', 99, 10) > 0;
SET session_replication_role = replica;
DELETE FROM items WHERE id = 99;
RESET session_replication_role;
INSERT INTO items (id, stock) VALUES (99, NULL);
\echo :SQLSTATE
INSERT INTO items (id, stock) VALUES (99, 20);
SELECT buy_item('u', 99, 11);
SELECT buy_item('u', 99, 10) > 0;
-- the ledger was not told of the deletion; the counter agrees with the tables
SELECT problem, expected - actual AS missing FROM inventory.verify('items', 99);

\echo '-- open_ledger does not book what is not settled yet a second time'
SELECT inventory.open_ledger('hot_direct.items');
INSERT INTO items (id, stock) VALUES (100, 20);
SELECT inventory.heat('items', 100);
SELECT buy_item('u', 100, 5) > 0, restock_item(100, 2);
SELECT inventory.open_ledger('hot_direct.items');
SELECT * FROM inventory.verify('items', 100);
SELECT inventory.settle('items');
SELECT inventory.open_ledger('hot_direct.items');
SELECT * FROM inventory.verify('items', 100);

\echo '-- what is available to a refused cart has what its own transaction gave'
UPDATE items SET purchase_limit = 2 WHERE id = 100;
BEGIN;
SELECT restock_item(100, 3);
SELECT status, available FROM try_buy_cart('v', '[{"item_id": 100, "quantity": 5}]');
UPDATE items SET stock_floor = 4 WHERE id = 100;
SELECT status, available FROM try_buy_cart('v', '[{"item_id": 100, "quantity": 5}]');
UPDATE items SET stock_floor = 1 WHERE id = 100;
SELECT status, available FROM try_buy_cart('v', '[{"item_id": 100, "quantity": 5}]');
ROLLBACK;

\echo '-- with direct_writes => refuse it is refused before the counter is asked'
UPDATE inventory.store SET direct_writes = 'refuse' WHERE store_name = 'hot_direct.items';
UPDATE items SET stock = stock - 1000 WHERE id = 100;
\echo :SQLSTATE
UPDATE items SET stock = stock + 1000 WHERE id = 100;
\echo :SQLSTATE
UPDATE inventory.store SET direct_writes = 'record' WHERE store_name = 'hot_direct.items';

\echo '-- a refused direct write is counted as one'
CREATE TEMP TABLE counted AS SELECT operation, calls, out_of_stock FROM inventory.stats WHERE store_name = 'hot_direct.items';
SELECT available_stock(100);
UPDATE items SET stock = stock - 1000 WHERE id = 100;
SELECT s.operation, s.calls - c.calls AS calls, s.out_of_stock - c.out_of_stock AS out_of_stock
FROM inventory.stats AS s JOIN counted AS c USING (operation)
WHERE s.store_name = 'hot_direct.items' AND s.operation <> 'worker' AND (s.calls, s.out_of_stock) IS DISTINCT FROM (c.calls, c.out_of_stock) ORDER BY 1;

\echo '-- at the largest stock, what this transaction has sold makes room for what it adds'
UPDATE items SET stock = 2147483647, purchase_limit = NULL WHERE id = 100;
BEGIN;
SELECT buy_item('u', 100, 2) > 0;
SELECT restock_item(100, 2);
SAVEPOINT s;
SELECT buy_item('u', 100, 2) > 0;
SELECT restock_item(100, 2);
ROLLBACK TO s;
SELECT restock_item(100, 1);
\echo :SQLSTATE
COMMIT;
SELECT available_stock(100);
SELECT * FROM inventory.verify('items', 100);
DROP SCHEMA hot_direct, hot_direct_stock CASCADE;
