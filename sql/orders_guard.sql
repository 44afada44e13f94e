-- Tests of the guard on orders: what others change on order lines is recorded, and what was
-- sold on a line is what the ledger says.
\pset format unaligned
\pset tuples_only on
\set schema orders_guard
\set limits 1
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
INSERT INTO items (id, stock, name) VALUES (1, 100, 'small'), (2, 100, 'large'), (3, NULL, 'file');
INSERT INTO items (id, stock, purchase_limit, name) VALUES (4, 100, 3, 'ticket');
-- lines from before the attach
INSERT INTO orders (id, user_id, item_id, quantity) VALUES (901, 'old', 1, 3), (902, 'old', 1, 3), (903, 'old', NULL, 1);
SELECT inventory.attach('items', 'orders', ledger_schema => 'orders_guard_stock', order_columns => '{id}');
-- the changes of a line
CREATE FUNCTION changes(o bigint) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT format('%s: item %s -> %s, quantity %s -> %s, user %s -> %s, by %s', c.operation,
				  coalesce(c.item_before::text, '-'), coalesce(c.item_after::text, '-'), coalesce(c.quantity_before::text, '-'),
				  coalesce(c.quantity_after::text, '-'), coalesce(c.user_before, '-'), coalesce(c.user_after, '-'),
				  replace(c.actor, session_user, '(superuser)'))
	FROM order_changes AS c WHERE c.order_id = o ORDER BY c.change_id
$$;
CREATE FUNCTION booked(o bigint) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT concat_ws(' ', m.item_id, m.delta, m.kind, m.user_id) FROM movements AS m WHERE m.order_id = o ORDER BY m.movement_id
$$;
CREATE FUNCTION stock() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(format('%s=%s', id, stock), ' ' ORDER BY id) FROM items WHERE stock IS NOT NULL
$$;

\echo '-- the engine writes lines with and without a statement: nothing is recorded'
SELECT buy_item('ann', 1, 3);
SELECT buy_item('ann', 1, 2, NULL, '{"id": 10}'), buy_item('ann', 2, 2, NULL, '{"id": 11}'), buy_item('ann', 3, 2, NULL, '{"id": 12}');
SELECT count(*) FROM buy_cart('ann', '[{"item_id": 1}, {"item_id": 2, "id": 13}, {"item_id": 2}]');
SELECT reserve_stock('ann', 1, 2) AS r \gset
SELECT status FROM confirm_reservation(:'r', order_data => '{"id": 14}');
SELECT refund_order(10, 1);
UPDATE orders SET note = 'gift', price = 1 WHERE id = 10;
UPDATE orders SET quantity = quantity, item_id = item_id, user_id = user_id;
SELECT count(*) FROM order_changes;
SELECT stock();

\echo '-- the quantity is edited, up and down: a refund gives back what was sold'
UPDATE orders SET quantity = 5 WHERE id = 1;
SELECT changes(1);
SELECT refund_order(1, 4);
\echo :SQLSTATE
SELECT refund_order(1, 1), refund_order(1);
SELECT refund_order(1);
UPDATE orders SET quantity = 1 WHERE id = 14;
UPDATE orders SET quantity = NULL WHERE id = 14;
UPDATE orders SET quantity = 7 WHERE id = 14;
SELECT changes(14);
SELECT refund_order(14, idempotency_key => 'k'), refund_order(14, idempotency_key => 'k');
SELECT stock();

\echo '-- the item is exchanged in place: the item that was sold comes back'
UPDATE orders SET item_id = 1 WHERE id = 11;
SELECT refund_order(11, 1);
UPDATE orders SET item_id = 2, quantity = 9 WHERE id = 11;
SELECT refund_order(11);
SELECT booked(11);
UPDATE orders SET item_id = 1 WHERE id = 12;
SELECT refund_order(12);
SELECT booked(12);
SELECT stock();

\echo '-- a line that the shop inserts took nothing, and its refund gives nothing'
INSERT INTO orders (id, user_id, item_id, quantity) VALUES (20, 'bob', 1, 4), (21, 'bob', NULL, 1);
SELECT refund_order(20);
\echo :SQLSTATE
SELECT refund_order(20, 1, restock => false);
UPDATE orders SET quantity = 6 WHERE id = 20;
UPDATE orders SET item_id = 1 WHERE id = 21;
SELECT refund_order(20);
SELECT refund_order(21);
SELECT changes(20) UNION ALL SELECT changes(21);

\echo '-- a line is deleted: what was sold on it is refunded by its key'
SELECT buy_item('ann', 1, 4, NULL, '{"id": 30}');
SELECT refund_order(30, 1);
DELETE FROM orders WHERE id = 30;
SELECT changes(30);
SELECT refund_order(30, 1, restock => false);
SELECT refund_order(30);
SELECT refund_order(30);
DELETE FROM orders WHERE id = 20;
SELECT refund_order(20);
SELECT refund_order(99);
\echo :SQLSTATE
SELECT stock();

\echo '-- the key of a line changes: the units stay with the old key'
SELECT buy_item('ann', 1, 2, NULL, '{"id": 31}');
UPDATE orders SET id = 32, quantity = 3 WHERE id = 31;
SELECT changes(31) UNION ALL SELECT changes(32);
SELECT refund_order(32);
SELECT refund_order(31);

\echo '-- a key that is used again: by the shop, and by a sale of another item'
SELECT buy_item('ann', 1, 2, NULL, '{"id": 33}');
DELETE FROM orders WHERE id = 33;
INSERT INTO orders (id, item_id, quantity) VALUES (33, 1, 5);
SELECT refund_order(33, 1);
DELETE FROM orders WHERE id = 33;
SELECT buy_item('bob', 2, 3, NULL, '{"id": 33}');
SELECT refund_order(33, 1);
SELECT refund_order(33);
SELECT refund_order(33);
SELECT booked(33);

\echo '-- lines that are older than the attach are what their rows were'
UPDATE orders SET quantity = 1 WHERE id = 901;
SELECT refund_order(901);
DELETE FROM orders WHERE id = 902;
SELECT refund_order(902, 2), refund_order(902);
UPDATE orders SET item_id = 1 WHERE id = 903;
SELECT refund_order(903);

\echo '-- a purchase limit gets back what it counted'
SELECT buy_item('ann', 4, 3, NULL, '{"id": 40}'), buy_item('bob', 4, 2, NULL, '{"id": 41}');
UPDATE orders SET user_id = 'bob', quantity = 9 WHERE id = 40;
SELECT buy_item('bob', 4, 2);
\echo :SQLSTATE
SELECT refund_order(40, 2);
SELECT buy_item('ann', 4, 2), buy_item('bob', 4);
DELETE FROM orders WHERE id = 41;
SELECT refund_order(41);
SELECT buy_item('bob', 4, 2);
SELECT booked(40) UNION ALL SELECT booked(41);
\echo '-- a user or an item that becomes null'
SELECT buy_item('cid', 4, 2, NULL, '{"id": 42}');
UPDATE orders SET user_id = NULL WHERE id = 42;
UPDATE orders SET item_id = NULL WHERE id = 42;
SELECT changes(42);
SELECT refund_order(42);
SELECT booked(42);

\echo '-- statements that write many lines'
SELECT count(*) FROM buy_cart('dan', '[{"item_id": 1, "id": 50}, {"item_id": 2, "id": 51}, {"item_id": 1, "id": 52}]');
INSERT INTO orders (id, item_id, quantity) VALUES (50, 1, 3), (53, 1, 1) ON CONFLICT (id) DO UPDATE SET quantity = excluded.quantity;
MERGE INTO orders AS o USING (VALUES (51, 0), (52, 4), (54, 5)) AS w(id, quantity) ON o.id = w.id
	WHEN MATCHED AND w.quantity = 0 THEN DELETE
	WHEN MATCHED THEN UPDATE SET quantity = w.quantity
	WHEN NOT MATCHED THEN INSERT (id, item_id, quantity) VALUES (w.id, 2, w.quantity);
COPY orders (id, item_id, quantity) FROM stdin;
55	1	1
\.
WITH d AS (DELETE FROM orders WHERE id IN (53, 55) RETURNING id) UPDATE orders SET quantity = 2 WHERE id = 54;
SELECT o || ' ' || c FROM generate_series(50, 55) AS o, changes(o) AS c;
SELECT refund_order(50), refund_order(51), refund_order(52);
\echo '-- of a rolled back savepoint nothing is left'
BEGIN;
SAVEPOINT s;
UPDATE orders SET quantity = 8 WHERE id = 10;
ROLLBACK TO s;
COMMIT;
SELECT changes(10);
\echo '-- a subscriber gets the changes with the rows'
SET session_replication_role = replica;
UPDATE orders SET quantity = 8 WHERE id = 10;
UPDATE orders SET quantity = 2 WHERE id = 10;
RESET session_replication_role;
SELECT changes(10);
\echo '-- headers and products that are deleted take their lines along, or leave them without an item'
CREATE TABLE headers (id int PRIMARY KEY);
INSERT INTO headers VALUES (1);
ALTER TABLE orders ADD header_id int REFERENCES headers ON DELETE CASCADE, ADD FOREIGN KEY (item_id) REFERENCES items ON DELETE SET NULL;
INSERT INTO items (id, stock) VALUES (9, 10);
SELECT buy_item('eve', 9, 2, NULL, '{"id": 60}'), buy_item('eve', 9, 3, NULL, '{"id": 61}');
UPDATE orders SET header_id = 1 WHERE id = 60;
DELETE FROM headers;
DELETE FROM items WHERE id = 9;
SELECT o || ' ' || c FROM generate_series(60, 61) AS o, changes(o) AS c;
SELECT refund_order(60), refund_order(61);
SELECT booked(60) UNION ALL SELECT booked(61);
\echo '-- a role that may only write the table'
CREATE ROLE regress_orders_guard_clerk;
GRANT USAGE ON SCHEMA orders_guard TO regress_orders_guard_clerk;
GRANT SELECT, INSERT, UPDATE, DELETE ON orders TO regress_orders_guard_clerk;
SET ROLE regress_orders_guard_clerk;
UPDATE orders SET quantity = 4 WHERE id = 10;
INSERT INTO orders (id, item_id, quantity) VALUES (70, 1, 1);
DELETE FROM orders WHERE id = 70;
SELECT orders_guard_stock.order_changes FROM orders_guard_stock.order_changes;
RESET ROLE;
SELECT changes(10) UNION ALL SELECT changes(70);
SELECT refund_order(10);
DROP OWNED BY regress_orders_guard_clerk;
DROP ROLE regress_orders_guard_clerk;

\echo '-- lines of hot items'
SELECT inventory.heat('items', 1);
SELECT buy_item('ann', 1, 3, NULL, '{"id": 80}'), buy_item('ann', 1, 3, NULL, '{"id": 81}');
UPDATE orders SET quantity = 30 WHERE id = 80;
DELETE FROM orders WHERE id = 81;
SELECT available_stock(1) AS before \gset
SELECT refund_order(80), refund_order(81);
SELECT available_stock(1) - :before AS back;
INSERT INTO orders (id, item_id, quantity) VALUES (82, 1, 3);
SELECT refund_order(82);
SELECT inventory.cool('items', 1);

\echo '-- verify finds lines that differ from their sale'
SELECT * FROM inventory.verify('items') ORDER BY 1, 2, 3, 4;
SELECT * FROM inventory.verify('items', 4);
\pset tuples_only off
DROP SCHEMA orders_guard, orders_guard_stock CASCADE;
