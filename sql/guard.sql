-- Tests of the guard: every change of stock that the engine did not make is booked or
-- refused.
\pset format unaligned
\pset tuples_only on
\set schema guard
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
ALTER TABLE orders ADD FOREIGN KEY (item_id) REFERENCES items;
INSERT INTO items (id, stock, name) VALUES (1, 10, 'kit'), (2, 20, 'part'), (3, NULL, 'file');
SELECT inventory.attach('items', 'orders', ledger_schema => 'guard_stock');
INSERT INTO seen SELECT max(movement_id), false FROM movements;

-- every statement that writes
INSERT INTO items VALUES (4, 5), (5, 0), (6, NULL);
SELECT look();
INSERT INTO items VALUES (4, 6), (7, 7) ON CONFLICT (id) DO UPDATE SET stock = excluded.stock + 1;
SELECT look();
INSERT INTO items VALUES (4, 99) ON CONFLICT DO NOTHING;
SELECT look();
COPY items (id, stock) FROM stdin;
8	8
9	\N
\.
SELECT look();
MERGE INTO items AS i USING (VALUES (4, 1), (8, 0), (10, 10)) AS w(id, stock) ON i.id = w.id
	WHEN MATCHED AND w.stock = 0 THEN DELETE
	WHEN MATCHED THEN UPDATE SET stock = w.stock
	WHEN NOT MATCHED THEN INSERT (id, stock) VALUES (w.id, w.stock);
SELECT look();
UPDATE items SET stock = stock - 1 WHERE id IN (1, 2, 4);
SELECT look();
DELETE FROM items WHERE id >= 7;
SELECT look();
UPDATE items SET name = upper(name), stock = stock, stock_floor = 1;
SELECT look();
UPDATE items SET stock = 3 WHERE id IN (3, 6);
UPDATE items SET stock = NULL WHERE id = 6;
SELECT look();
BEGIN;
SAVEPOINT s;
UPDATE items SET stock = 0 WHERE id = 5;
INSERT INTO items VALUES (11, 11);
ROLLBACK TO s;
DELETE FROM items WHERE id IN (4, 5, 6);
COMMIT;
SELECT look();

-- always refused: a stock below the floor, a change of the key
UPDATE items SET stock = 0 WHERE id = 1;
\echo :SQLSTATE
UPDATE items SET stock = stock_floor WHERE id = 1;
INSERT INTO items VALUES (12, -1);
\echo :SQLSTATE
INSERT INTO items VALUES (12, 3, 5);
UPDATE items SET stock = stock - 1 WHERE id = 12;
\echo :SQLSTATE
UPDATE items SET stock = 4 WHERE id = 12;
UPDATE items SET stock = 2, stock_floor = 2 WHERE id = 12;
DELETE FROM items WHERE id = 12;
UPDATE items SET id = 13 WHERE id = 2;
\echo :SQLSTATE
SELECT look();

-- called as a function, or as a trigger of another kind, it raises an error
SELECT inventory.guard();
CREATE TABLE other (id bigint, stock integer);
CREATE TRIGGER guard AFTER INSERT ON other FOR EACH ROW EXECUTE FUNCTION inventory.guard();
INSERT INTO other VALUES (1, 1);
CREATE TRIGGER early BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION inventory.guard();
UPDATE items SET stock = stock + 1 WHERE id = 2;
\echo :SQLSTATE
DROP TRIGGER early ON items;
SELECT look();

-- a subscriber gets the movements as well as the rows, so nothing is booked; sales are
SET session_replication_role = replica;
UPDATE items SET stock = stock + 1 WHERE id = 2;
INSERT INTO guard_stock.movements (item_id, delta, kind, actor, created_at) VALUES (2, 1, 'direct', 'publisher', now());
SELECT buy_item(NULL, 2);
SELECT count(*) FROM buy_cart(NULL, '[{"item_id": 2}, {"item_id": 3}]');
RESET session_replication_role;
SELECT look();

-- direct_writes => 'refuse': only the engine changes stock
SELECT inventory.detach('items');
UPDATE items SET stock = 5 WHERE id = 1;
DELETE FROM items WHERE id = 3;
SELECT inventory.attach('items', 'orders', ledger_schema => 'guard_stock', direct_writes => 'refuse');
SELECT look();
UPDATE items SET stock = stock + 1 WHERE id = 2;
\echo :SQLSTATE
UPDATE items SET stock = NULL WHERE id = 2;
\echo :SQLSTATE
UPDATE items SET stock = 0, stock_floor = 0 WHERE id = 2;
\echo :SQLSTATE
DELETE FROM items WHERE id = 1;
\echo :SQLSTATE
UPDATE items SET name = 'free' WHERE id = 1;
-- an INSERT overwrites nothing; its stock becomes null, or tracked, by the engine alone
INSERT INTO items VALUES (20, 0), (21, NULL), (22, 22);
UPDATE items SET stock = NULL WHERE id = 20;
\echo :SQLSTATE
UPDATE items SET stock = 0 WHERE id = 21;
\echo :SQLSTATE
DELETE FROM items WHERE id = 21;
SELECT guard_stock.restock_item(20, 4), buy_item(NULL, 20), buy_item(NULL, 1);
SELECT count(*) FROM buy_cart(NULL, '[{"item_id": 20}, {"item_id": 1}]');
SELECT look();

\pset tuples_only off
DROP SCHEMA guard, guard_stock CASCADE;
