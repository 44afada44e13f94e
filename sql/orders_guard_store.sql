-- Tests of the guard on orders as a part of the store: it comes and goes with the store, and
-- no other role can make, replace or misuse it.
\pset format unaligned
\pset tuples_only on
\set schema orders_store
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
CREATE ROLE regress_orders_store_owner;
CREATE ROLE regress_orders_store_heir;
CREATE ROLE regress_orders_store_other;
CREATE SCHEMA orders_store AUTHORIZATION regress_orders_store_owner;
SELECT format('GRANT CREATE ON DATABASE %I TO regress_orders_store_owner, regress_orders_store_heir', current_database()) \gexec
SET ROLE regress_orders_store_owner;
\i :include
INSERT INTO items (id, stock) VALUES (1, 100), (2, 100);
ALTER TABLE orders ALTER id RESTART 1000;
SELECT inventory.attach('items', 'orders', order_columns => '{id}');
CREATE FUNCTION guards() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT concat_ws(' ', t.tgrelid::regclass, t.tgname, t.tgenabled) FROM pg_catalog.pg_trigger AS t
	WHERE t.tgfoid = 'inventory.guard_orders()'::regprocedure AND t.tgrelid = to_regclass('orders')
$$;
CREATE FUNCTION missing() RETURNS SETOF text LANGUAGE sql AS $$ SELECT problem FROM inventory.verify('items') WHERE item_id IS NULL $$;
SET search_path = orders_store, items_stock;
SELECT guards();
\d items_stock.order_changes
SELECT obj_description('items_stock.order_changes'::regclass);
SELECT has_table_privilege('regress_orders_store_other', 'items_stock.order_changes', 'SELECT');

\echo '-- detach and attach: edits in between are not seen'
SELECT buy_item('ann', 1, 3, NULL, '{"id": 1}'), buy_item('ann', 1, 3, NULL, '{"id": 2}');
UPDATE orders SET quantity = 5 WHERE id = 1;
SELECT inventory.detach('items');
SELECT guards();
UPDATE orders SET quantity = 6 WHERE id = 1;
UPDATE orders SET quantity = 2 WHERE id = 2;
-- as an earlier version left it
DROP INDEX items_stock.movements_refunds_idx;
CREATE INDEX movements_refunds_idx ON items_stock.movements (order_id) WHERE kind IN ('refund', 'write_off');
SELECT inventory.attach('items', 'orders', order_columns => '{id}');
SELECT pg_get_indexdef('items_stock.movements_refunds_idx'::regclass);
SELECT guards();
SELECT count(*) FROM order_changes;
SELECT refund_order(1), refund_order(2);
SELECT * FROM inventory.verify('items') ORDER BY 1, 2, 3, 4;
\echo '-- an order that was deleted while the guard was off, and one that is closed'
SELECT buy_item('ann', 2, 3, NULL, '{"id": 3}'), buy_item('ann', 2, 1, NULL, '{"id": 4}');
ALTER TABLE orders DISABLE TRIGGER inventory_orders_guard;
DELETE FROM orders WHERE id IN (3, 4);
SELECT missing();
ALTER TABLE orders ENABLE TRIGGER inventory_orders_guard;
SELECT missing();
ALTER TABLE orders ENABLE ALWAYS TRIGGER inventory_orders_guard;
SELECT missing();
SELECT refund_order(3);
SELECT * FROM inventory.verify('items', 2);
SELECT close_ledger(clock_timestamp());
SELECT * FROM inventory.verify('items', 2);
\echo '-- refunds of more than was sold'
SELECT buy_item('ann', 2, 2, NULL, '{"id": 5}'), refund_order(5);
ALTER TABLE orders DISABLE TRIGGER inventory_orders_guard;
UPDATE orders SET quantity = 1 WHERE id = 5;
ALTER TABLE orders ENABLE ALWAYS TRIGGER inventory_orders_guard;
SELECT * FROM inventory.verify('items', 2);
UPDATE movements SET delta = delta + 3 WHERE order_id = 5 AND kind = 'refund';
SELECT * FROM inventory.verify('items', 2);
UPDATE movements SET delta = delta - 3 WHERE order_id = 5 AND kind = 'refund';

\echo '-- the trigger renamed, dropped, and brought back'
ALTER TRIGGER inventory_orders_guard ON orders RENAME TO watch;
SELECT buy_item('ann', 2, 2, NULL, '{"id": 6}');
UPDATE orders SET quantity = 5 WHERE id = 6;
SELECT refund_order(6);
DROP TRIGGER watch ON orders;
SELECT missing();
SELECT buy_item('ann', 2, 2);
SELECT inventory.refresh('items');
SELECT guards();
SELECT missing();
\echo '-- columns, tables and the ledger renamed'
ALTER TABLE orders RENAME quantity TO units;
ALTER TABLE orders RENAME id TO key;
ALTER TABLE orders RENAME TO lines;
ALTER SCHEMA items_stock RENAME TO orders_store_stock;
SET search_path = orders_store, orders_store_stock;
SELECT buy_item('ann', 2, 2) AS o \gset
UPDATE lines SET units = 7 WHERE key = :o;
SELECT refund_order(:o);
ALTER TABLE lines RENAME TO orders;
ALTER TABLE orders RENAME units TO quantity;
ALTER TABLE orders RENAME key TO id;
\echo '-- without its table'
BEGIN;
DROP TABLE order_changes;
SAVEPOINT s;
UPDATE orders SET quantity = 9 WHERE id = :o;
ROLLBACK TO s;
SELECT refund_order(:o);
ROLLBACK TO s;
SELECT problem FROM inventory.verify('items');
SELECT inventory.refresh('items');
UPDATE orders SET quantity = 9 WHERE id = :o;
SELECT count(*) FROM order_changes;
SELECT missing();
ROLLBACK;

\echo '-- called as a function, or by another trigger'
SELECT inventory.guard_orders();
CREATE TABLE other (id bigint, item_id bigint, quantity int);
CREATE TRIGGER guard AFTER INSERT ON other FOR EACH ROW EXECUTE FUNCTION inventory.guard_orders('orders_store.items');
INSERT INTO other VALUES (1, 1, 1);
SELECT count(*) FROM order_changes WHERE order_id = 1 AND operation = 'INSERT';
CREATE TRIGGER early BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION inventory.guard_orders('nothing');
UPDATE orders SET quantity = 9 WHERE id = :o;
DROP TRIGGER early ON orders;
CREATE TRIGGER nameless AFTER UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION inventory.guard_orders();
UPDATE orders SET quantity = 9 WHERE id = :o;
DROP TRIGGER nameless ON orders;
\echo '-- a second guard would record each change twice'
CREATE TRIGGER again AFTER UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION inventory.guard_orders('orders_store.items');
SELECT buy_item('ann', 2, 2);
UPDATE orders SET quantity = 9 WHERE id = :o;
DROP TRIGGER again ON orders;
CREATE TRIGGER a_guard AFTER UPDATE ON items FOR EACH ROW EXECUTE FUNCTION inventory.guard_orders('orders_store.items');
SELECT buy_item('ann', 2, 2);
DROP TRIGGER a_guard ON items;
GRANT TRIGGER, INSERT, UPDATE ON orders TO regress_orders_store_other;
GRANT USAGE ON SCHEMA orders_store TO regress_orders_store_other;
RESET ROLE;
SET ROLE regress_orders_store_other;
CREATE TRIGGER again AFTER UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION inventory.guard_orders('orders_store.items');
CREATE FUNCTION pg_temp.nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE OR REPLACE TRIGGER inventory_orders_guard AFTER UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION pg_temp.nothing();
ALTER TABLE orders DISABLE TRIGGER inventory_orders_guard;
DROP TRIGGER inventory_orders_guard ON orders;
RESET ROLE;
\echo '-- the whole store goes to another owner'
ALTER TABLE orders_store.items OWNER TO regress_orders_store_heir;
ALTER TABLE orders_store.orders OWNER TO regress_orders_store_heir;
GRANT CREATE, USAGE ON SCHEMA orders_store TO regress_orders_store_heir;
SELECT inventory.refresh('items');
SELECT c.relname, c.relowner::regrole FROM pg_class AS c WHERE c.relnamespace = 'orders_store_stock'::regnamespace AND c.relkind = 'r' ORDER BY 1;
SELECT buy_item('ann', 2, 2) AS o \gset
DELETE FROM orders WHERE id = :o;
SELECT refund_order(:o);
\echo '-- the items are dropped: the guard that is left does nothing, and goes with the next attach'
BEGIN;
DROP TABLE items CASCADE;
INSERT INTO orders (id, item_id, quantity) VALUES (900, 1, 1);
DELETE FROM orders WHERE id = 900;
CREATE TABLE items (id bigint PRIMARY KEY, stock int);
ALTER TABLE items OWNER TO regress_orders_store_heir;
SELECT inventory.attach('items', 'orders', ledger_schema => 'orders_store_stock');
SELECT count(*) FROM guards();
ROLLBACK;
\echo '-- the extension is dropped'
BEGIN;
SET LOCAL client_min_messages = error;
DROP EXTENSION inventory CASCADE;
SELECT t.tgname FROM pg_trigger AS t WHERE t.tgrelid = 'orders'::regclass AND NOT t.tgisinternal;
UPDATE orders SET quantity = 1;
SELECT count(*) > 0 FROM order_changes;
CREATE EXTENSION inventory;
SELECT inventory.attach('items', 'orders', ledger_schema => 'orders_store_stock');
SELECT count(*) FROM pg_trigger AS t WHERE t.tgrelid = 'orders'::regclass AND t.tgfoid = 'inventory.guard_orders()'::regprocedure;
ROLLBACK;
\pset tuples_only off
DROP SCHEMA orders_store, orders_store_stock CASCADE;
DROP OWNED BY regress_orders_store_owner, regress_orders_store_heir, regress_orders_store_other;
DROP ROLE regress_orders_store_owner, regress_orders_store_heir, regress_orders_store_other;
