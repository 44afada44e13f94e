-- Tests of direct_writes => 'keep': saves of whole rows leave the stock as it is.
\set VERBOSITY default
\pset format unaligned
\pset tuples_only on
\set schema direct_keep
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
ALTER TABLE items ADD price integer NOT NULL DEFAULT 1, ADD updated_at timestamptz, ADD checked timestamp,
	ADD twice integer GENERATED ALWAYS AS (stock * 2) STORED, ADD state text;
INSERT INTO items (id, stock, name) VALUES (1, 10, 'kit'), (2, 20, 'part'), (3, NULL, 'file'), (4, 0, 'gone');
SELECT inventory.attach('items', 'orders', ledger_schema => 'direct_keep_stock', direct_writes => 'keep');
SET client_min_messages = notice;
INSERT INTO seen SELECT max(movement_id), false FROM movements;

\echo '-- a page loads a row, 3 units are sold, and it saves the row: the name changes, the stock does not'
SELECT buy_item('u', 1, 3) > 0;
UPDATE items SET id = 1, stock = 10, stock_floor = 0, version = 0, live = true, name = 'set' WHERE id = 1
	RETURNING stock, twice, version, name;
SELECT look();
\echo '-- the version is the caller''s'
SELECT version, stock FROM items WHERE id = 1;
\echo '-- one notice for each statement that changes the stock of a row, and none for others'
UPDATE items SET stock = 100, price = price + 1;
UPDATE items SET stock = stock, price = price + 1;
UPDATE items SET price = price + 1;
UPDATE items SET stock = 8, name = 'x' WHERE false;
UPDATE items SET stock = NULL, price = 2 WHERE id = 2 RETURNING stock;
UPDATE items SET stock = 5, price = 2 WHERE id = 3 RETURNING stock;
SELECT look();

\echo '-- an UPDATE of the stock alone is meant'
UPDATE items SET stock = stock - 1 WHERE id = 1;
\echo :SQLSTATE
UPDATE items SET stock = 5, version = 3, updated_at = now(), checked = now(), id = 1 WHERE id = 1;
\echo :SQLSTATE
UPDATE items SET stock = NULL WHERE id = 4;
\echo :SQLSTATE
UPDATE items SET stock = 0 WHERE id = 3;
\echo :SQLSTATE
UPDATE items SET stock = stock WHERE id = 1;
SELECT look();

\echo '-- every statement that updates'
INSERT INTO items (id, stock, name) VALUES (1, 99, 'upsert'), (5, 5, 'new')
	ON CONFLICT (id) DO UPDATE SET stock = excluded.stock, name = excluded.name RETURNING id, stock, name;
SELECT look();
INSERT INTO items (id, stock) VALUES (1, 99) ON CONFLICT (id) DO UPDATE SET stock = excluded.stock;
\echo :SQLSTATE
MERGE INTO items AS i USING (VALUES (1, 77), (5, 77), (6, 6)) AS w(id, stock) ON i.id = w.id
	WHEN MATCHED THEN UPDATE SET stock = w.stock, name = 'merged'
	WHEN NOT MATCHED THEN INSERT (id, stock) VALUES (w.id, w.stock);
MERGE INTO items AS i USING (VALUES (1, 77)) AS w(id, stock) ON i.id = w.id WHEN MATCHED THEN UPDATE SET stock = w.stock;
\echo :SQLSTATE
SELECT look();
CREATE VIEW page AS SELECT id AS item, stock AS pieces, name AS title FROM items;
UPDATE page SET pieces = 0, title = 'by a view' WHERE item IN (1, 2);
UPDATE page SET pieces = 0 WHERE item IN (1, 2);
\echo :SQLSTATE
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM items WHERE id = 1 FOR UPDATE;
MOVE 1 IN c;
UPDATE items SET stock = 0, price = 3 WHERE CURRENT OF c;
COMMIT;
WITH a AS (UPDATE items SET stock = 0, price = 3 WHERE id = 1 RETURNING stock), b AS (UPDATE items SET stock = 0, price = 3 WHERE id = 2 RETURNING stock)
	SELECT a.stock, b.stock FROM a, b;
UPDATE items AS i SET (stock, price) = (SELECT 0, 9) FROM items AS j WHERE i.id = j.id AND j.id < 3;
PREPARE save(int, int, text) AS UPDATE items SET stock = $2, name = $3 WHERE id = $1;
EXECUTE save(1, 0, 'prepared');
DO $$ BEGIN FOR n IN 1 .. 2 LOOP UPDATE items SET stock = n, name = 'loop' WHERE id IN (1, 2); END LOOP; END $$;
SELECT look();
SELECT id, stock, name FROM items ORDER BY id;

\echo '-- an INSERT overwrites nothing, a DELETE of what is in stock does'
INSERT INTO items (id, stock) VALUES (7, 7);
COPY items (id, stock) FROM stdin;
8	0
\.
DELETE FROM items WHERE id = 7;
\echo :SQLSTATE
DELETE FROM items WHERE id IN (3, 8);
SELECT look();

\echo '-- the shop''s own triggers: what they compute from the stock is right, and what they do to it is refused'
CREATE FUNCTION compute() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.state := format('%s left', NEW.stock); RETURN NEW; END $$;
CREATE TRIGGER compute BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION compute();
UPDATE items SET stock = 0, name = 'computed' WHERE id = 1 RETURNING stock, state;
CREATE FUNCTION restore() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.stock := 1000; RETURN NEW; END $$;
CREATE TRIGGER restore BEFORE UPDATE ON items FOR EACH ROW WHEN (NEW.name = 'restore') EXECUTE FUNCTION restore();
UPDATE items SET stock = 0, name = 'restore' WHERE id = 1;
\echo :SQLSTATE
UPDATE items SET name = 'restore' WHERE id = 1;
\echo :SQLSTATE
ALTER TRIGGER restore ON items RENAME TO "A first";
UPDATE items SET name = 'restore' WHERE id = 1;
\echo :SQLSTATE
UPDATE items SET stock = 0, name = 'restore' WHERE id = 1 RETURNING stock;
DROP TRIGGER "A first" ON items;
-- one that saves another row of the same table, in the middle of an engine's statement, too
CREATE FUNCTION save_other() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
	UPDATE items SET stock = 1, name = 'other' WHERE id = 2;
	RETURN NULL;
END $$;
CREATE TRIGGER save_other AFTER UPDATE ON items FOR EACH ROW WHEN (NEW.id = 1) EXECUTE FUNCTION save_other();
SELECT buy_item('u', 1) > 0;
UPDATE items SET stock = 0, name = 'both' WHERE id = 1;
SELECT look();
DROP TRIGGER save_other ON items;
DROP TRIGGER compute ON items;

\echo '-- an error, a savepoint'
BEGIN;
SAVEPOINT s;
UPDATE items SET stock = 0, price = 1 / (price - price) WHERE id = 1;
ROLLBACK TO s;
UPDATE items SET stock = 0, price = 1 WHERE id = 1;
RELEASE s;
UPDATE items SET stock = 0, price = 1 WHERE id = 1;
COMMIT;

\echo '-- the engine writes as always, in every way'
SELECT restock_item(1, 5), adjust_stock(1, -2, 'broken'), count_stock(2, 25) ;
SELECT count(*) FROM buy_cart('u', '[{"item_id": 1}, {"item_id": 2, "quantity": 2}]');
SELECT reserve_stock('u', 1) AS hold \gset
SELECT release_reservation(:'hold');
SET inventory.strategy = optimistic;
SELECT buy_item('u', 1) > 0;
SET inventory.strategy = pessimistic;
SELECT buy_item('u', 1) > 0;
RESET inventory.strategy;
CREATE FUNCTION do_nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER do_nothing BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION do_nothing();
SELECT buy_item('u', 1) > 0;
SELECT count(*) FROM buy_cart('u', '[{"item_id": 1}, {"item_id": 2, "quantity": 2}]');
SELECT count(*) FROM buy_cart('u', '[{"item_id": 5}, {"item_id": 6}]');
DROP TRIGGER do_nothing ON items;
SELECT look();

\echo '-- hot items'
SELECT inventory.heat('items', 1), inventory.heat('items', 2);
SELECT buy_item('u', 1, 2) > 0;
UPDATE items SET stock = 500, name = 'hot' WHERE id IN (1, 2);
UPDATE items SET stock = 500 WHERE id = 1;
\echo :SQLSTATE
SELECT inventory.settle('items');
UPDATE items SET stock = 500, name = 'hot' WHERE id IN (1, 2) RETURNING stock;
SELECT inventory.cool('items');
SELECT look();

\echo '-- a subscriber applies what was decided elsewhere'
SET session_replication_role = replica;
UPDATE items SET stock = 50, name = 'replicated' WHERE id = 6;
UPDATE items SET stock = 5, name = 'replicated' WHERE id = 6;
RESET session_replication_role;
SELECT look();

\echo '-- counted, and verify says so; not of one item'
SELECT operation, calls, units > 0 FROM inventory.stats WHERE store_name = 'direct_keep.items' AND operation = 'direct_ignored';
SELECT item_id, problem, expected, actual = (SELECT calls FROM inventory.stats WHERE store_name = 'direct_keep.items' AND operation = 'direct_ignored')
	FROM inventory.verify('items');
SELECT * FROM inventory.verify('items', 1);

\echo '-- the triggers come back with refresh, and are gone after detach; without them all is refused'
ALTER TABLE items DISABLE TRIGGER _inventory_keep;
SELECT problem FROM inventory.verify('items') WHERE problem <> 'direct_ignored';
UPDATE items SET stock = 0, name = 'no' WHERE id = 1;
\echo :SQLSTATE
DROP TRIGGER _inventory_keep ON items;
SELECT problem FROM inventory.verify('items') WHERE problem <> 'direct_ignored';
SELECT inventory.refresh('items');
SELECT problem FROM inventory.verify('items') WHERE problem <> 'direct_ignored';
DROP TRIGGER inventory_keep_notice ON items;
SELECT problem FROM inventory.verify('items') WHERE problem <> 'direct_ignored';
UPDATE items SET stock = 0, name = 'silent' WHERE id = 1 RETURNING stock;
ALTER TABLE items RENAME stock TO pieces;
SELECT inventory.refresh('items');
UPDATE items SET pieces = 0, name = 'renamed' WHERE id = 1 RETURNING pieces;
SELECT inventory.describe('items') ~ 'direct_writes => ''keep''';
SELECT inventory.detach('items');
SELECT tgname FROM pg_trigger WHERE tgrelid = 'items'::regclass;

\echo '-- elsewhere these triggers do nothing'
CREATE TABLE other (id bigint PRIMARY KEY, stock integer, name text);
INSERT INTO other VALUES (1, 1, 'a');
SELECT inventory.keep_stock();
CREATE TRIGGER keep BEFORE UPDATE ON other FOR EACH ROW EXECUTE FUNCTION inventory.keep_stock();
UPDATE other SET stock = 2, name = 'b' RETURNING *;
CREATE TRIGGER late AFTER UPDATE ON other FOR EACH ROW EXECUTE FUNCTION inventory.keep_stock();
UPDATE other SET stock = 3, name = 'b';
DROP TRIGGER late ON other;
SET client_min_messages = warning;
SELECT inventory.attach('other', api_schema => 'direct_keep_stock', ledger_schema => 'direct_keep_other');
UPDATE other SET stock = 4, name = 'c' RETURNING *;
SELECT buy_item('u', 1);
SELECT * FROM inventory.verify('other');
DROP SCHEMA direct_keep, direct_keep_stock, direct_keep_other CASCADE;
