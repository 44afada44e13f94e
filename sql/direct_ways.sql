-- Door: the guard, and every roundabout way to write items that SQL has.  Each is
-- booked, or refused, and none is missed: stock and ledger are compared after each.
\set SHOW_CONTEXT never
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA direct_ways;
SET search_path = direct_ways, direct_ways_stock;
CREATE TABLE shelves (id integer PRIMARY KEY);
CREATE TABLE items (id bigint PRIMARY KEY, stock integer, stock_floor integer DEFAULT 0, version integer DEFAULT 0,
	shelf integer REFERENCES shelves ON DELETE CASCADE ON UPDATE CASCADE, name text);
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id text, item_id bigint, quantity integer);
INSERT INTO shelves VALUES (1), (2);
INSERT INTO items (id, stock, shelf) VALUES (1, 10, 1), (2, 20, 2), (3, NULL, NULL), (4, 40, NULL);
SELECT inventory.attach('items', 'orders', ledger_schema => 'direct_ways_stock');

-- What was booked since the last look, the stock, and what verify says.
CREATE TABLE seen AS SELECT max(movement_id) AS upto FROM movements;
CREATE FUNCTION look() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text := concat_ws(' | ',
		coalesce((SELECT string_agg(format('%s: %s %s', item_id, delta, kind), ', ' ORDER BY item_id, movement_id)
		 FROM movements WHERE movement_id > (SELECT upto FROM seen)), 'nothing'),
		'stock ' || (SELECT string_agg(format('%s=%s', id, coalesce(stock::text, '-')), ' ' ORDER BY id) FROM items),
		(SELECT 'WRONG: ' || json_agg(v) FROM inventory.verify('items') AS v HAVING count(*) > 0));
BEGIN
	UPDATE seen SET upto = (SELECT max(movement_id) FROM movements);
	RETURN answer;
END
$$;
-- it sees what nobody booked
BEGIN;
ALTER TABLE items DISABLE TRIGGER inventory_guard;
UPDATE items SET stock = stock + 1 WHERE id = 1;
ALTER TABLE items ENABLE ALWAYS TRIGGER inventory_guard;
SELECT look();
ROLLBACK;

\echo '-- through another statement: WITH, UPDATE FROM, a view, a cursor, PREPARE, DO'
WITH taken AS (UPDATE items SET stock = stock - 1 WHERE id = 1 RETURNING id),
	made AS (INSERT INTO items (id, stock) VALUES (5, 5) RETURNING id)
	DELETE FROM items WHERE id = 3;
SELECT look();
UPDATE items AS i SET stock = i.stock + o.n FROM (VALUES (1, 3), (2, 4)) AS o(id, n) WHERE i.id = o.id;
SELECT look();
CREATE VIEW on_shelf AS SELECT id, stock AS pieces FROM items WHERE shelf IS NOT NULL WITH CHECK OPTION;
UPDATE on_shelf SET pieces = pieces - 2;
SELECT look();
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM items WHERE id IN (1, 2) ORDER BY id FOR UPDATE;
MOVE 2 IN c;
UPDATE items SET stock = stock + 10 WHERE CURRENT OF c;
COMMIT;
SELECT look();
PREPARE sell(bigint, integer) AS UPDATE items SET stock = stock - $2 WHERE id = $1;
EXECUTE sell(2, 3);
EXECUTE sell(2, -3);
EXECUTE sell(2, 1000);
\echo :SQLSTATE
DO $$ BEGIN FOR n IN 1 .. 3 LOOP UPDATE items SET stock = stock - n WHERE id = 2; COMMIT; END LOOP; ROLLBACK; END $$;
SELECT look();
INSERT INTO items (id, stock) SELECT id + 100, stock FROM items WHERE id IN (1, 2);
DELETE FROM items AS i USING items AS j WHERE i.id = j.id + 100;
SELECT look();

\echo '-- the same row twice in one statement, in one transaction, and back'
INSERT INTO items (id, stock) VALUES (4, 1), (4, 2) ON CONFLICT (id) DO UPDATE SET stock = excluded.stock;
\echo :SQLSTATE
BEGIN;
UPDATE items SET stock = 41 WHERE id = 4;
UPDATE items SET stock = 42 WHERE id = 4;
DELETE FROM items WHERE id = 4;
INSERT INTO items (id, stock) VALUES (4, 40);
COMMIT;
SELECT look();

\echo '-- foreign keys: a shelf is renumbered, and goes with all that is on it'
UPDATE shelves SET id = 3 WHERE id = 1;
SELECT look();
DELETE FROM shelves WHERE id = 3;
SELECT look();
SELECT reserve_stock('u', 2, 2) AS held \gset
DELETE FROM shelves WHERE id = 2;
\echo :SQLSTATE
SELECT release_reservation(:'held');
SELECT look();

\echo '-- TRUNCATE, alone, with what refers to it, and by way of what it refers to'
TRUNCATE items;
\echo :SQLSTATE
TRUNCATE ONLY items RESTART IDENTITY CASCADE;
\echo :SQLSTATE
TRUNCATE shelves CASCADE;
\echo :SQLSTATE
SELECT look();

\echo '-- COPY: in, over what is there, with a floor; a whole file or nothing'
COPY items (id, stock) FROM stdin;
6	6
7	7
\.
SELECT look();
COPY items (id, stock) FROM stdin;
8	8
6	60
\.
COPY items (id, stock) FROM stdin;
9	9
10	-1
\.
SELECT look();

\echo '-- MERGE: each arm, and one row for which there are two'
MERGE INTO items AS i USING (VALUES (6, 60), (7, NULL), (11, 11), (2, 2)) AS w(id, stock) ON i.id = w.id
	WHEN MATCHED AND w.stock IS NULL THEN DELETE
	WHEN MATCHED AND w.stock = 2 THEN DO NOTHING
	WHEN MATCHED THEN UPDATE SET stock = w.stock
	WHEN NOT MATCHED THEN INSERT (id, stock) VALUES (w.id, w.stock);
SELECT look();
MERGE INTO items AS i USING (VALUES (6, 1), (6, 2)) AS w(id, stock) ON i.id = w.id WHEN MATCHED THEN UPDATE SET stock = w.stock;
\echo :SQLSTATE
MERGE INTO items AS i USING (VALUES (6)) AS w(id) ON i.id = w.id WHEN MATCHED THEN UPDATE SET stock = -1;
\echo :SQLSTATE
MERGE INTO items AS i USING (VALUES (6)) AS w(id) ON i.id = w.id WHEN MATCHED THEN UPDATE SET id = 66;
\echo :SQLSTATE
SELECT look();

\echo '-- a stale row is saved as a whole: booked; by its version, it is not saved at all'
SELECT stock AS stale, version AS stale_version FROM items WHERE id = 2 \gset
SELECT buy_item('u', 2, 5) > 0;
UPDATE items SET stock = :stale, version = :stale_version + 1, name = 'renamed' WHERE id = 2 AND version = :stale_version;
SELECT look();
UPDATE items SET stock = :stale, version = :stale_version + 1, name = 'renamed' WHERE id = 2;
SELECT look();

\echo '-- nothing of it remains when it is undone'
BEGIN;
SAVEPOINT s;
MERGE INTO items AS i USING (VALUES (6, 1), (12, 12)) AS w(id, stock) ON i.id = w.id
	WHEN MATCHED THEN UPDATE SET stock = w.stock WHEN NOT MATCHED THEN INSERT (id, stock) VALUES (w.id, w.stock);
ROLLBACK TO s;
UPDATE on_shelf SET pieces = pieces - 1;
ROLLBACK;
SELECT look();

\echo '-- a replica: nothing is booked, what comes beside it is'
SET session_replication_role = replica;
UPDATE items SET stock = stock - 1 WHERE id = 2;
INSERT INTO movements (item_id, delta, kind, actor, created_at) VALUES (2, -1, 'sale', 'publisher', now());
INSERT INTO items (id, stock) VALUES (13, 13);
INSERT INTO movements (item_id, delta, kind, actor, created_at) VALUES (13, 13, 'opening', 'publisher', now());
DELETE FROM items WHERE id = 11;
INSERT INTO movements (item_id, delta, kind, actor, created_at) VALUES (11, -11, 'direct', 'publisher', now());
SELECT look();
-- and what sells there sells as ever
SELECT buy_item('u', 2, 1000);
\echo :SQLSTATE
SELECT buy_item('u', 2) > 0, release_reservation(reserve_stock('u', 13, 13));
RESET session_replication_role;
SELECT look();

\echo '-- where direct writes are refused, in each of these ways'
SELECT inventory.detach('items');
SELECT inventory.attach('items', 'orders', ledger_schema => 'direct_ways_stock', direct_writes => 'refuse');
WITH taken AS (UPDATE items SET stock = stock - 1 WHERE id = 2 RETURNING id) SELECT count(*) FROM taken;
\echo :SQLSTATE
UPDATE on_shelf SET pieces = pieces + 1;
\echo :SQLSTATE
INSERT INTO items (id, stock) VALUES (2, 1) ON CONFLICT (id) DO UPDATE SET stock = items.stock + 1;
\echo :SQLSTATE
MERGE INTO items AS i USING (VALUES (2)) AS w(id) ON i.id = w.id WHEN MATCHED THEN UPDATE SET stock = stock + 1;
\echo :SQLSTATE
MERGE INTO items AS i USING (VALUES (2)) AS w(id) ON i.id = w.id WHEN MATCHED THEN DELETE;
\echo :SQLSTATE
COPY items (id, stock) FROM stdin;
14	14
\.
DELETE FROM shelves;
\echo :SQLSTATE
TRUNCATE shelves CASCADE;
\echo :SQLSTATE
UPDATE items SET stock = stock, name = 'the same' WHERE id = 2;
SELECT look();
SELECT buy_item('u', 2) > 0;
SELECT look();
\pset tuples_only off
DROP SCHEMA direct_ways, direct_ways_stock CASCADE;
