-- Tests of change_order, exchange_order and refund_orders of order lines that others have edited, deleted
-- or inserted: they go by what was sold, and what they write themselves is not recorded as a change of others.
\pset format unaligned
\pset tuples_only on
\set schema orders_life
\set limits 1
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
INSERT INTO items (id, stock) VALUES (1, 100), (2, 100), (3, 100), (5, 100);
INSERT INTO items (id, stock, purchase_limit) VALUES (4, 100, 5);
SELECT inventory.attach('items', 'orders', ledger_schema => 'orders_life_stock', order_columns => '{id}');
SELECT inventory.heat('items', 2);
-- the changes of a line
CREATE FUNCTION changes(o bigint) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT format('%s: item %s -> %s, quantity %s -> %s, user %s -> %s', c.operation,
				  coalesce(c.item_before::text, '-'), coalesce(c.item_after::text, '-'), coalesce(c.quantity_before::text, '-'),
				  coalesce(c.quantity_after::text, '-'), coalesce(c.user_before, '-'), coalesce(c.user_after, '-'))
	FROM order_changes AS c WHERE c.order_id = o ORDER BY c.change_id
$$;
CREATE FUNCTION booked(o bigint) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT concat_ws(' ', m.item_id, m.delta, m.kind, m.user_id) FROM movements AS m WHERE m.order_id = o ORDER BY m.movement_id
$$;
CREATE FUNCTION stock() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(format('%s=%s', id, available_stock(id)), ' ' ORDER BY id) FROM items
$$;

\echo '-- what the engine writes is not a change of others'
SELECT buy_item('ann', 1, 3, NULL, '{"id": 1}'), buy_item('ann', 2, 3, NULL, '{"id": 2}');
SELECT change_order(1, 5), change_order(2, 5), change_order(1, 2), change_order(2, 2);
SELECT status, item_id, quantity FROM exchange_order(1, '[{"item_id": 3, "quantity": 1, "id": 3}, {"item_id": 2, "quantity": 2, "id": 4}]');
SELECT order_id, status, quantity FROM refund_orders('{2, 3, 4}');
SELECT count(*) FROM order_changes;
SELECT stock();
SELECT problem FROM inventory.verify('items');

\echo '-- the quantity was edited: more, fewer and none of what was sold, cold and hot'
SELECT buy_item('ann', 1, 3, NULL, '{"id": 10}'), buy_item('ann', 2, 3, NULL, '{"id": 11}');
UPDATE orders SET quantity = 9 WHERE id IN (10, 11);
SELECT change_order(10, 5), change_order(11, 5);
SELECT id, quantity FROM orders WHERE id IN (10, 11) ORDER BY id;
SELECT changes(10);
SELECT booked(10), booked(11);
SELECT stock();
UPDATE orders SET quantity = 1 WHERE id IN (10, 11);
SELECT change_order(10, 2), change_order(11, 2);
SELECT changes(11);
SELECT stock();
SELECT problem FROM inventory.verify('items');
UPDATE orders SET quantity = 7 WHERE id IN (10, 11);
-- as many as were sold: only the row changes
SELECT change_order(10, 2), change_order(11, 2), stock();
SELECT quantity FROM orders WHERE id IN (10, 11);
SELECT refund_order(10, 1), change_order(10, 0), refund_order(11, 3);
\echo :SQLSTATE
SELECT refund_order(10, 1), change_order(10, 0), change_order(11, 0), stock();
SELECT change_order(10, 1);
\echo :SQLSTATE
SELECT order_id, status, quantity FROM refund_orders('{10, 11}');

\echo '-- the item was edited: the item that was sold is given back, and more of it is taken'
SELECT buy_item('ann', 1, 3, NULL, '{"id": 20}'), buy_item('ann', 2, 3, NULL, '{"id": 21}');
UPDATE orders SET item_id = 5, quantity = 4 WHERE id IN (20, 21);
SELECT change_order(20, 6), change_order(21, 2), stock();
SELECT id, item_id, quantity FROM orders WHERE id IN (20, 21) ORDER BY id;
SELECT changes(20);
SELECT item_id, problem, expected, actual FROM inventory.verify('items') ORDER BY 1, 2;
SELECT change_order(20, 7), change_order(21, 3), stock();
SELECT count(*) FROM order_changes WHERE order_id = 20;
UPDATE orders SET item_id = item_id - 4 + CASE id WHEN 21 THEN 1 ELSE 0 END WHERE id IN (20, 21);
SELECT item_id, problem, expected, actual FROM inventory.verify('items');
SELECT status, item_id, quantity, available FROM exchange_order(20, '[{"item_id": 5, "quantity": 1, "id": 22}]');
SELECT status, item_id, quantity, available FROM exchange_order(21, '[{"item_id": 2, "quantity": 1, "id": 23}]');
SELECT booked(20), booked(21);
SELECT order_id, status, quantity FROM refund_orders('{20, 21, 22, 23}');
SELECT stock();

\echo '-- the product was deleted, or the quantity: the units are still those of the item'
SELECT buy_item('ann', 1, 3, NULL, '{"id": 24}'), buy_item('ann', 2, 3, NULL, '{"id": 25}');
UPDATE orders SET item_id = NULL, user_id = NULL WHERE id = 24;
UPDATE orders SET quantity = NULL WHERE id = 25;
SELECT change_order(24, 5), change_order(25, 2), stock();
SELECT id, user_id, item_id, quantity FROM orders WHERE id IN (24, 25) ORDER BY id;
SELECT changes(24);
SELECT booked(24), booked(25);
SELECT order_id, status, quantity FROM refund_orders('{24, 25}');
SELECT stock();

\echo '-- the user was edited: the limit is of the user who bought'
SELECT buy_item('ann', 4, 3, NULL, '{"id": 30}');
UPDATE orders SET user_id = 'bob' WHERE id = 30;
SELECT change_order(30, 5), change_order(30, 6);
\echo :SQLSTATE
SELECT change_order(30, 5);
SELECT buy_item('ann', 4, 1);
\echo :SQLSTATE
SELECT buy_item('bob', 4, 5, NULL, '{"id": 31}');
SELECT changes(30);
SELECT status, item_id, quantity FROM exchange_order(30, '[{"item_id": 1, "id": 32}]');
SELECT user_id FROM orders WHERE id = 32;
SELECT order_id, status, quantity FROM refund_orders('{30, 31, 32}');
SELECT item_id, problem, expected, actual FROM inventory.verify('items');

\echo '-- the line was deleted: it can be refunded, or exchanged, and not get another quantity'
SELECT buy_item('ann', 1, 3, NULL, '{"id": 40}'), buy_item('ann', 2, 3, NULL, '{"id": 41}'), buy_item('ann', 1, 3, NULL, '{"id": 42}');
DELETE FROM orders WHERE id IN (40, 41, 42);
SELECT change_order(40, 2);
\echo :SQLSTATE
BEGIN;
SET LOCAL inventory.error_format = json;
SELECT change_order(40, 4);
ROLLBACK;
SELECT change_order(40, 0), stock();
SELECT status, item_id, quantity FROM exchange_order(41, '[{"item_id": 5, "id": 43}]');
SELECT user_id, item_id FROM orders WHERE id = 43;
SELECT order_id, status, quantity FROM refund_orders('{40, 41, 42, 43, 44}');
SELECT stock();
SELECT item_id, problem, expected, actual FROM inventory.verify('items');

\echo '-- the shop inserted the line: nothing was sold on it'
INSERT INTO orders (id, user_id, item_id, quantity) VALUES (50, 'ann', 1, 3), (51, 'ann', 2, 3);
SELECT change_order(50, 4);
\echo :SQLSTATE
SELECT change_order(51, 0);
SELECT * FROM exchange_order(51, '[{"item_id": 1}]');
\echo :SQLSTATE
SELECT order_id, status, quantity FROM refund_orders('{50, 51}');
BEGIN;
SET LOCAL inventory.error_format = json;
SELECT refund_order(50);
ROLLBACK;
DELETE FROM orders WHERE id IN (50, 51);

\echo '-- a key that was used again after its row was deleted'
SELECT buy_item('ann', 1, 3, NULL, '{"id": 60}');
DELETE FROM orders WHERE id = 60;
SELECT buy_item('bob', 5, 2, NULL, '{"id": 60}');
SELECT change_order(60, 3);
\echo :SQLSTATE
SELECT order_id, status, quantity FROM refund_orders('{60}');
SELECT stock();
-- one of the two is left
SELECT buy_item('ann', 1, 3, NULL, '{"id": 61}');
SELECT change_order(61, 0);
DELETE FROM orders WHERE id = 61;
SELECT buy_item('bob', 5, 2, NULL, '{"id": 61}');
SELECT change_order(61, 3), stock();
SELECT refund_order(61), stock();

\echo '-- a trigger of the shop writes what change_order did not'
CREATE FUNCTION gives_to() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.user_id := 'eve'; RETURN NEW; END $$;
SELECT buy_item('ann', 1, 3, NULL, '{"id": 70}');
CREATE TRIGGER gives_to BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION gives_to();
SELECT change_order(70, 4);
SELECT changes(70);
SELECT change_order(70, 0);
SELECT booked(70);
DROP TRIGGER gives_to ON orders;
-- and one that writes another line of the same kind, which is the shop's change
CREATE FUNCTION edits_another() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE orders SET quantity = 8 WHERE id = 72 AND quantity <> 8; RETURN NULL; END $$;
SELECT buy_item('ann', 1, 3, NULL, '{"id": 71}'), buy_item('ann', 1, 3, NULL, '{"id": 72}');
CREATE TRIGGER edits_another AFTER UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION edits_another();
SELECT change_order(71, 4);
SELECT changes(71);
SELECT changes(72);
DROP TRIGGER edits_another ON orders;
SELECT order_id, status, quantity FROM refund_orders('{71, 72}');
SELECT stock();

\echo '-- refuse: the engine changes lines as before'
SELECT buy_item('ann', 1, 3, NULL, '{"id": 90}');
UPDATE orders SET quantity = 9 WHERE id = 90;
SELECT inventory.cool('items', 2);
SELECT inventory.detach('items');
SELECT inventory.attach('items', 'orders', ledger_schema => 'orders_life_stock', order_columns => '{id}', order_writes => 'refuse');
SELECT inventory.heat('items', 2);
SELECT buy_item('ann', 1, 3, NULL, '{"id": 80}'), buy_item('ann', 2, 3, NULL, '{"id": 81}');
UPDATE orders SET quantity = 2 WHERE id = 80;
\echo :SQLSTATE
UPDATE orders SET item_id = 5 WHERE id = 81;
UPDATE orders SET user_id = 'bob' WHERE id = 81;
DELETE FROM orders WHERE id = 81;
BEGIN;
SET LOCAL inventory.error_format = json;
UPDATE orders SET quantity = 2 WHERE id = 80;
ROLLBACK;
DO $$
DECLARE
	table_name text; column_name text; rule text;
BEGIN
	UPDATE orders SET item_id = 5 WHERE id = 81;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS table_name := TABLE_NAME, column_name := COLUMN_NAME, rule := CONSTRAINT_NAME;
	RAISE WARNING '%: %.%', rule, table_name, column_name;
END $$;
SELECT change_order(80, 5), change_order(81, 5), change_order(80, 2), change_order(81, 2), stock();
SELECT status, item_id, quantity FROM exchange_order(80, '[{"item_id": 3, "quantity": 1, "id": 82}]');
-- nothing is left on it
UPDATE orders SET quantity = 9 WHERE id = 80;
DELETE FROM orders WHERE id = 80;
SELECT changes(80);
-- a line that was edited before the store refused: the row becomes what is sold
SELECT change_order(90, 4);
SELECT changes(90);
DELETE FROM orders WHERE id = 90;
SELECT change_order(90, 0);
DELETE FROM orders WHERE id = 90;
INSERT INTO orders (id, user_id, item_id, quantity) VALUES (83, 'ann', 1, 3);
UPDATE orders SET quantity = 4 WHERE id = 83;
SELECT change_order(83, 1);
\echo :SQLSTATE
SELECT order_id, status, quantity FROM refund_orders('{80, 81, 82, 83}');
DELETE FROM orders WHERE id IN (81, 82, 83);
SELECT stock();
-- line 72, which the trigger edited
SELECT item_id, problem, expected, actual FROM inventory.verify('items');
SELECT inventory.cool('items', 2);
DROP SCHEMA orders_life, orders_life_stock CASCADE;
