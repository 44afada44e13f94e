-- Tests of order_writes => 'refuse': others cannot change a line while units of it are sold
-- and not refunded.
\pset format unaligned
\pset tuples_only on
\set schema orders_refuse
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
INSERT INTO items (id, stock) VALUES (1, 100), (2, 100);
INSERT INTO orders (id, user_id, item_id, quantity) VALUES (901, 'old', 1, 3);
SELECT inventory.attach('items', 'orders', ledger_schema => 'orders_refuse_stock', order_columns => '{id}', order_writes => 'refuse');
SELECT order_writes FROM inventory.store WHERE items = 'items'::regclass;
ALTER TABLE orders ALTER id RESTART 1000;
CREATE FUNCTION changes() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT concat_ws(' ', c.order_id, c.operation, concat_ws('/', c.item_before, c.quantity_before, c.user_before), '->',
					 concat_ws('/', c.item_after, c.quantity_after, c.user_after))
	FROM order_changes AS c ORDER BY c.change_id
$$;

\echo '-- the engine itself, and columns that are not bound'
SELECT buy_item('ann', 1, 3, NULL, '{"id": 1}'), buy_item('ann', 1, 3);
SELECT count(*) FROM buy_cart('ann', '[{"item_id": 1}, {"item_id": 2, "id": 3}]');
SELECT reserve_stock('ann', 1, 2) AS r \gset
SELECT status FROM confirm_reservation(:'r', order_data => '{"id": 4}');
UPDATE orders SET note = 'gift', quantity = quantity;

\echo '-- the quantity, the item, the user, the key, and the row'
SELECT error('UPDATE orders SET quantity = 5 WHERE id = 1');
SELECT error('UPDATE orders SET quantity = 2 WHERE id = 1');
SELECT error('UPDATE orders SET quantity = NULL WHERE id = 1');
SELECT error('UPDATE orders SET item_id = 2 WHERE id = 1');
SELECT error($$UPDATE orders SET user_id = 'bob' WHERE id = 1$$);
SELECT error('UPDATE orders SET id = 11 WHERE id = 1');
SELECT error('DELETE FROM orders WHERE id = 1');
SELECT error('DELETE FROM orders');
SELECT error('UPDATE orders SET quantity = 1 WHERE id = 901');
SELECT error('DELETE FROM orders WHERE id = 901');
SELECT error('UPDATE orders SET item_id = NULL, quantity = 9 WHERE id = 1');
SELECT error('INSERT INTO orders (id, quantity) VALUES (1, 9) ON CONFLICT (id) DO UPDATE SET quantity = 9');
UPDATE orders SET quantity = 5 WHERE id = 1;
\echo :SQLSTATE
SET inventory.http_errors = on;
DELETE FROM orders WHERE id = 1;
\echo :SQLSTATE
RESET inventory.http_errors;
SELECT changes();

\echo '-- a user or an item that becomes null is recorded; the units stay booked'
UPDATE orders SET user_id = NULL WHERE id = 1;
UPDATE orders SET item_id = NULL WHERE id = 3;
SELECT changes();
SELECT error('UPDATE orders SET item_id = 1 WHERE id = 3');
SELECT refund_order(3);
\echo '-- what the shop inserts is recorded; nothing is sold on it, so nothing is refused'
INSERT INTO orders (id, user_id, item_id, quantity) VALUES (20, 'bob', 1, 4);
UPDATE orders SET quantity = 5, item_id = 2, user_id = 'cid' WHERE id = 20;
SELECT error('UPDATE orders SET id = 21 WHERE id = 20');
SELECT refund_order(20);
DELETE FROM orders WHERE id = 20;
\echo '-- when all units are refunded, the line is free'
SELECT refund_order(1, 2);
SELECT error('DELETE FROM orders WHERE id = 1');
SELECT refund_order(1, restock => false);
UPDATE orders SET quantity = 7 WHERE id = 1;
SELECT refund_order(1);
DELETE FROM orders WHERE id = 1;
SELECT refund_order(901);
DELETE FROM orders WHERE id = 901;
SELECT changes();
\echo '-- a trigger of the shop is other code too; a subscriber is not asked'
CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE orders SET quantity = 1 WHERE id = NEW.id AND quantity > 1;
	RETURN NULL;
END $$;
CREATE TRIGGER cut AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION cut();
SELECT error($$SELECT buy_item('ann', 1, 3)$$);
DROP TRIGGER cut ON orders;
SET session_replication_role = replica;
UPDATE orders SET quantity = quantity + 1 WHERE id = 4;
DELETE FROM orders WHERE id = 3;
RESET session_replication_role;
\echo '-- lines of hot items'
SELECT inventory.heat('items', 2);
SELECT buy_item('ann', 2, 3, NULL, '{"id": 30}');
SELECT error('DELETE FROM orders WHERE id = 30');
SELECT refund_order(30);
DELETE FROM orders WHERE id = 30;
SELECT inventory.cool('items', 2);
SELECT * FROM inventory.verify('items') ORDER BY 1, 2, 3, 4;

\echo '-- arguments of attach'
SELECT inventory.detach('items');
SELECT error($$SELECT inventory.attach('items', 'orders', order_writes => 'keep', ledger_schema => 'orders_refuse_stock')$$);
SELECT error($$SELECT inventory.attach('items', order_writes => 'refuse', ledger_schema => 'orders_refuse_stock')$$);
SELECT inventory.attach('items', 'orders', ledger_schema => 'orders_refuse_stock');
SELECT order_writes FROM inventory.store WHERE items = 'items'::regclass;
UPDATE orders SET quantity = 9 WHERE id = 4;
\pset tuples_only off
DROP SCHEMA orders_refuse, orders_refuse_stock CASCADE;
