-- Tests of verify: it returns no row while nothing is wrong, and finds each kind of damage.
\set schema verify
\set item_type text
\set plain on
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
INSERT INTO items VALUES ('a', 10), ('b', 20), ('c', NULL), ('d', 0);
SELECT inventory.attach('items', 'orders', ledger_schema => 'verify_stock');

-- sales, a restock and a direct write: nothing is wrong
SELECT buy_item(NULL, 'a', 3), buy_item(NULL, 'c', 5), restock_item('d', 4);
SELECT count(*) FROM buy_cart(NULL, '[{"item_id": "a"}, {"item_id": "b"}, {"item_id": "c"}]');
UPDATE items SET stock = stock + 1;
SELECT * FROM inventory.verify('items');
SELECT * FROM inventory.verify('items', 'a');

-- each kind of damage alone, and rolled back
BEGIN;
ALTER TABLE items DISABLE TRIGGER inventory_guard;
SELECT * FROM inventory.verify('items');
ROLLBACK;
BEGIN;
ALTER TABLE items ENABLE TRIGGER inventory_guard;
SELECT * FROM inventory.verify('items');
ROLLBACK;
BEGIN;
ALTER TABLE items ENABLE REPLICA TRIGGER inventory_guard;
SELECT * FROM inventory.verify('items');
ROLLBACK;
BEGIN;
DROP TRIGGER inventory_guard ON items;
SELECT * FROM inventory.verify('items', 'b');
ROLLBACK;
-- a guard that does not see all changes
BEGIN;
DROP TRIGGER inventory_guard ON items;
CREATE TRIGGER inventory_guard AFTER INSERT OR UPDATE ON items FOR EACH ROW EXECUTE FUNCTION inventory.guard();
ALTER TABLE items ENABLE ALWAYS TRIGGER inventory_guard;
SELECT * FROM inventory.verify('items');
ROLLBACK;
BEGIN;
DROP TRIGGER inventory_guard ON items;
CREATE TRIGGER inventory_guard AFTER INSERT OR DELETE OR UPDATE OF stock ON items
	FOR EACH ROW EXECUTE FUNCTION inventory.guard();
ALTER TABLE items ENABLE ALWAYS TRIGGER inventory_guard;
SELECT * FROM inventory.verify('items');
ROLLBACK;
BEGIN;
DROP TRIGGER inventory_guard_truncate ON items;
SELECT * FROM inventory.verify('items');
TRUNCATE items;
SELECT * FROM inventory.verify('items');
ROLLBACK;
BEGIN;
ALTER TABLE items DISABLE TRIGGER inventory_guard_truncate;
SELECT * FROM inventory.verify('items');
ROLLBACK;
BEGIN;
DELETE FROM movements WHERE kind = 'sale' AND item_id = 'a' AND delta = -3;
SELECT * FROM inventory.verify('items');
ROLLBACK;
BEGIN;
DELETE FROM movements WHERE item_id = 'c' AND kind = 'sale' AND delta = -5;
SELECT * FROM inventory.verify('items');
ROLLBACK;
BEGIN;
UPDATE movements SET delta = delta + 1 WHERE kind = 'opening' AND item_id IN ('a', 'b');
SELECT * FROM inventory.verify('items');
SELECT * FROM inventory.verify('items', 'b');
SELECT * FROM inventory.verify('items', 'd');
ROLLBACK;
BEGIN;
UPDATE movements SET item_id = 'z' WHERE kind = 'restock';
SELECT * FROM inventory.verify('items');
SELECT * FROM inventory.verify('items', 'z');
ROLLBACK;
BEGIN;
INSERT INTO movements (item_id, delta, kind, actor, created_at) VALUES ('b', 2, 'restock', 'nobody', now());
SELECT * FROM inventory.verify('items');
ROLLBACK;
BEGIN;
TRUNCATE movements;
SELECT * FROM inventory.verify('items');
ROLLBACK;

-- writes while the guard is disabled, or does not book in this session
BEGIN;
ALTER TABLE items DISABLE TRIGGER inventory_guard;
UPDATE items SET stock = stock - 1 WHERE id = 'a';
DELETE FROM items WHERE id = 'b';
UPDATE items SET stock = NULL WHERE id = 'd';
INSERT INTO items VALUES ('e', 5), ('f', 0);
ALTER TABLE items ENABLE ALWAYS TRIGGER inventory_guard;
SELECT * FROM inventory.verify('items');
ROLLBACK;
SET session_replication_role = replica;
UPDATE items SET stock = stock + 7 WHERE id = 'd';
RESET session_replication_role;
SELECT * FROM inventory.verify('items');

-- the engine itself refuses to sell without its guard
BEGIN;
ALTER TABLE items DISABLE TRIGGER inventory_guard;
SELECT buy_item(NULL, 'a');
\echo :SQLSTATE
ROLLBACK;
BEGIN;
DROP TRIGGER inventory_guard ON items;
SELECT * FROM buy_cart(NULL, '[{"item_id": "a"}, {"item_id": "b"}]');
\echo :SQLSTATE
ROLLBACK;
-- and without the trigger that remembers the columns
BEGIN;
DROP TRIGGER inventory_binding ON items;
SAVEPOINT s;
SELECT buy_item(NULL, 'a');
\echo :SQLSTATE
ROLLBACK TO s;
SELECT inventory.refresh('items');
\echo :SQLSTATE
ROLLBACK TO s;
SELECT inventory.detach('items');
SELECT inventory.attach('items', 'orders', ledger_schema => 'verify_stock');
SELECT buy_item(NULL, 'a') > 0 AS bought;
ROLLBACK;

-- attaching again keeps the ledger and books the difference
SELECT inventory.detach('items');
SELECT inventory.attach('items', 'orders', ledger_schema => 'verify_stock');
SELECT * FROM inventory.verify('items');
SELECT item_id, delta, kind, reason FROM movements WHERE reason = 'attach';
SELECT buy_item(NULL, 'd', 12);

DROP SCHEMA verify, verify_stock CASCADE;
