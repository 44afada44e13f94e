-- Tests of the guard against every indirect way in which SQL can write items: each change
-- is booked or refused, and stock and ledger are compared after each.
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
\set schema direct_ways
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
CREATE TABLE shelves (id integer PRIMARY KEY);
ALTER TABLE items ADD shelf integer REFERENCES shelves ON DELETE CASCADE ON UPDATE CASCADE;
INSERT INTO shelves VALUES (1), (2);
INSERT INTO items (id, stock, shelf) VALUES (1, 10, 1), (2, 20, 2), (3, NULL, NULL), (4, 40, NULL);
SELECT inventory.attach('items', 'orders', ledger_schema => 'direct_ways_stock');
INSERT INTO seen SELECT max(movement_id), true FROM movements;
-- look() notices a change that was not booked
BEGIN;
ALTER TABLE items DISABLE TRIGGER inventory_guard;
UPDATE items SET stock = stock + 1 WHERE id = 1;
ALTER TABLE items ENABLE ALWAYS TRIGGER inventory_guard;
SELECT look();
ROLLBACK;

\echo '-- by way of WITH, UPDATE FROM, a view, a cursor, PREPARE, DO'
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

\echo '-- the same row twice in one statement, and in one transaction back to what it was'
INSERT INTO items (id, stock) VALUES (4, 1), (4, 2) ON CONFLICT (id) DO UPDATE SET stock = excluded.stock;
\echo :SQLSTATE
BEGIN;
UPDATE items SET stock = 41 WHERE id = 4;
UPDATE items SET stock = 42 WHERE id = 4;
DELETE FROM items WHERE id = 4;
INSERT INTO items (id, stock) VALUES (4, 40);
COMMIT;
SELECT look();

\echo '-- foreign keys: a shelf is renumbered, and deleted with all items on it'
UPDATE shelves SET id = 3 WHERE id = 1;
SELECT look();
DELETE FROM shelves WHERE id = 3;
SELECT look();
SELECT reserve_stock('u', 2, 2) AS held \gset
DELETE FROM shelves WHERE id = 2;
\echo :SQLSTATE
SELECT release_reservation(:'held');
SELECT look();

\echo '-- TRUNCATE of items, with CASCADE, and of the table that items refers to'
BEGIN;
TRUNCATE items;
SELECT look();
ROLLBACK;
BEGIN;
TRUNCATE ONLY items RESTART IDENTITY CASCADE;
SELECT look();
ROLLBACK;
BEGIN;
TRUNCATE shelves CASCADE;
SELECT look();
ROLLBACK;
SELECT look();

\echo '-- COPY: all rows or none; a duplicate key, and a stock below the floor'
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

\echo '-- MERGE: each of its actions, and a row that matches twice'
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

\echo '-- a stale copy of a row is saved: refused where the version is compared, else booked'
SELECT stock AS stale, version AS stale_version FROM items WHERE id = 2 \gset
SELECT buy_item('u', 2, 5) > 0;
UPDATE items SET stock = :stale, version = :stale_version + 1, name = 'renamed' WHERE id = 2 AND version = :stale_version;
SELECT look();
UPDATE items SET stock = :stale, version = :stale_version + 1, name = 'renamed' WHERE id = 2;
SELECT look();

\echo '-- nothing remains of changes that are rolled back'
BEGIN;
SAVEPOINT s;
MERGE INTO items AS i USING (VALUES (6, 1), (12, 12)) AS w(id, stock) ON i.id = w.id
	WHEN MATCHED THEN UPDATE SET stock = w.stock WHEN NOT MATCHED THEN INSERT (id, stock) VALUES (w.id, w.stock);
ROLLBACK TO s;
UPDATE on_shelf SET pieces = pieces - 1;
ROLLBACK;
SELECT look();

\echo '-- applied by a subscriber: nothing is booked, because the movements are replicated as well'
SET session_replication_role = replica;
UPDATE items SET stock = stock - 1 WHERE id = 2;
INSERT INTO movements (item_id, delta, kind, actor, created_at) VALUES (2, -1, 'sale', 'publisher', now());
INSERT INTO items (id, stock) VALUES (13, 13);
INSERT INTO movements (item_id, delta, kind, actor, created_at) VALUES (13, 13, 'opening', 'publisher', now());
DELETE FROM items WHERE id = 11;
INSERT INTO movements (item_id, delta, kind, actor, created_at) VALUES (11, -11, 'direct', 'publisher', now());
SELECT look();
-- a session of that kind can sell as any other
SELECT buy_item('u', 2, 1000);
\echo :SQLSTATE
SELECT buy_item('u', 2) > 0, release_reservation(reserve_stock('u', 13, 13));
RESET session_replication_role;
SELECT look();

\echo '-- in a store that refuses direct writes, each of these ways is refused'
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
