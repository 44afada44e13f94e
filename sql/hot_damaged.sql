-- Tests of hot items of stores whose owner has changed the table "hot": calls end in an error.
\pset format unaligned
\pset tuples_only on
\set schema hot_damaged
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
INSERT INTO items (id, stock) VALUES (1, 10);
SELECT inventory.attach('items', 'orders', ledger_schema => 'hot_damaged_stock');
CREATE FUNCTION suppress() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';

\echo '-- a trigger lets no row be written'
CREATE TRIGGER suppress BEFORE INSERT OR UPDATE ON hot FOR EACH ROW EXECUTE FUNCTION suppress();
SELECT inventory.heat('items', 1);
DROP TRIGGER suppress ON hot;
SELECT inventory.heat('items', 1);
SELECT buy_item('u', 1) IS NOT NULL;
CREATE TRIGGER suppress BEFORE INSERT OR UPDATE ON hot FOR EACH ROW EXECUTE FUNCTION suppress();
SELECT inventory.settle('items');
SELECT inventory.cool('items');
SELECT buy_item('u', 1) IS NOT NULL;
DROP TRIGGER suppress ON hot;
SELECT inventory.cool('items');
SELECT stock FROM items;

\echo '-- a trigger heats another item: each entry has the number of its own row'
INSERT INTO items (id, stock) VALUES (2, 10);
CREATE FUNCTION heat_too() RETURNS trigger LANGUAGE plpgsql AS
	'BEGIN IF NEW.item_id = 1 THEN PERFORM inventory.heat(''items'', 2); END IF; RETURN NULL; END';
CREATE TRIGGER heat_too AFTER INSERT OR UPDATE OF incarnation ON hot FOR EACH ROW EXECUTE FUNCTION heat_too();
SELECT inventory.heat('items', 1);
SELECT item_id, number IN (SELECT number FROM inventory.hot_entries()) FROM hot ORDER BY item_id;
DROP TRIGGER heat_too ON hot;
SELECT inventory.cool('items');
DELETE FROM items WHERE id = 2;

\echo '-- an item has two rows'
ALTER TABLE hot DROP CONSTRAINT hot_pkey CASCADE;
INSERT INTO hot (item_id, hot, settled_epoch, incarnation) VALUES (1, true, 0, 0);
SET statement_timeout = '10s';
SELECT buy_item('u', 1);
SELECT inventory.settle('items');
SELECT inventory.cool('items');
RESET statement_timeout;
DELETE FROM hot WHERE hot;
SELECT buy_item('u', 1) IS NOT NULL;
SELECT stock FROM items;
SELECT inventory.detach('items');
DROP SCHEMA hot_damaged, hot_damaged_stock CASCADE;
