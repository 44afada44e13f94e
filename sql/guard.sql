-- Door: the guard.  Whatever changes stock outside the engine is booked, or
-- refused; what the shop's own triggers do meanwhile too.
\set SHOW_CONTEXT never
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA guard;
SET search_path = guard;

CREATE TABLE items (id bigint PRIMARY KEY, stock integer, stock_floor integer DEFAULT 0, name text);
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, item_id bigint REFERENCES items, quantity integer);
INSERT INTO items VALUES (1, 10, 0, 'kit'), (2, 20, 0, 'part'), (3, NULL, 0, 'file');
SELECT inventory.attach('items', 'orders', ledger_schema => 'guard_stock');

-- What was booked since the last look, the stock, and what verify says.
CREATE TABLE seen AS SELECT max(movement_id) AS upto FROM guard_stock.movements;
CREATE FUNCTION look() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text := concat_ws(' | ',
		coalesce((SELECT string_agg(format('%s: %s %s', item_id, delta, kind), ', ' ORDER BY movement_id)
		 FROM guard_stock.movements WHERE movement_id > (SELECT upto FROM seen)), 'nothing'),
		'stock ' || (SELECT string_agg(format('%s=%s', id, coalesce(stock::text, '-')), ' ' ORDER BY id) FROM items),
		(SELECT 'WRONG: ' || json_agg(v) FROM inventory.verify('items') AS v HAVING count(*) > 0));
BEGIN
	UPDATE seen SET upto = (SELECT max(movement_id) FROM guard_stock.movements);
	RETURN answer;
END
$$;

-- every way to write
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

-- what it refuses always: less than the floor, another key, TRUNCATE
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
TRUNCATE items, orders;
\echo :SQLSTATE
SELECT look();


-- as a trigger of any other kind, or as a function, it does nothing and says so
SELECT inventory.guard();
CREATE TABLE other (id bigint, stock integer);
CREATE TRIGGER guard AFTER INSERT ON other FOR EACH ROW EXECUTE FUNCTION inventory.guard();
INSERT INTO other VALUES (1, 1);
CREATE TRIGGER early BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION inventory.guard();
UPDATE items SET stock = stock + 1 WHERE id = 2;
\echo :SQLSTATE
DROP TRIGGER early ON items;
SELECT look();

-- a subscriber gets the movements beside the rows: nothing is booked, and
-- buying still is
SET session_replication_role = replica;
UPDATE items SET stock = stock + 1 WHERE id = 2;
INSERT INTO guard_stock.movements (item_id, delta, kind, actor, created_at) VALUES (2, 1, 'direct', 'publisher', now());
SELECT buy_item(NULL, 2);
SELECT count(*) FROM buy_cart(NULL, '[{"item_id": 2}, {"item_id": 3}]');
RESET session_replication_role;
SELECT look();

-- direct_writes => 'refuse': the engine alone changes stock
SELECT inventory.detach('items');
UPDATE items SET stock = 5 WHERE id = 1;
DELETE FROM items WHERE id = 3;
SELECT inventory.attach('items', 'orders', ledger_schema => 'guard_stock', direct_writes => 'refuse');
SELECT look();
UPDATE items SET stock = stock + 1 WHERE id = 2;
\echo :SQLSTATE
UPDATE items SET stock = NULL WHERE id = 2;
\echo :SQLSTATE
INSERT INTO items VALUES (20, 1);
\echo :SQLSTATE
DELETE FROM items WHERE id = 1;
\echo :SQLSTATE
UPDATE items SET name = 'free' WHERE id = 1;
INSERT INTO items VALUES (20, 0), (21, NULL);
DELETE FROM items WHERE id = 21;
SELECT guard_stock.restock_item(20, 4), buy_item(NULL, 20), buy_item(NULL, 1);
SELECT count(*) FROM buy_cart(NULL, '[{"item_id": 20}, {"item_id": 1}]');
SELECT look();

\pset tuples_only off
DROP SCHEMA guard, guard_stock CASCADE;
