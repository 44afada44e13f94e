-- Tests of order_writes follow after SET CONSTRAINTS ALL IMMEDIATE: what is written then is applied
-- with it, in lines, headers and partitions.
\set SHOW_CONTEXT never
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
SET client_min_messages = error;
CREATE SCHEMA follow_immediate;
SET search_path = follow_immediate;
CREATE TABLE items (id int PRIMARY KEY, stock int NOT NULL);
CREATE TABLE orders (id int PRIMARY KEY, status text NOT NULL DEFAULT 'paid');
CREATE TABLE lines (id int, region int, order_id int REFERENCES orders ON DELETE CASCADE, item_id int, quantity int NOT NULL, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE lines_1 PARTITION OF lines FOR VALUES IN (1);
CREATE TABLE lines_2 PARTITION OF lines FOR VALUES IN (2, 3) PARTITION BY LIST (region);
CREATE TABLE lines_2_2 PARTITION OF lines_2 FOR VALUES IN (2);
CREATE TABLE lines_2_3 PARTITION OF lines_2 FOR VALUES IN (3);
CREATE INDEX ON lines (order_id);
INSERT INTO items VALUES (1, 10), (2, 10);
INSERT INTO orders VALUES (1), (2);
SELECT inventory.attach('items', 'lines', order_id => 'id', order_header => 'orders', order_writes => 'follow',
	order_units => $$CASE WHEN header.status = 'paid' THEN line.quantity ELSE 0 END$$);
CREATE FUNCTION now_is() RETURNS text LANGUAGE sql SET search_path = follow_immediate AS $$
	SELECT concat_ws('; ', (SELECT string_agg(on_hand::text, ' ' ORDER BY item_id) FROM items_stock.levels),
		(SELECT 'verify: ' || string_agg(concat_ws(' ', item_id, problem, expected, actual), ', ') FROM inventory.verify('items')))
$$;

\echo '-- at the end of the transaction: lines that were written before, and after'
SET inventory.follow_at = 'commit';
BEGIN;
INSERT INTO lines VALUES (1, 1, 1, 1, 1);
SELECT now_is();
SET CONSTRAINTS ALL IMMEDIATE;
SELECT now_is();
INSERT INTO lines VALUES (2, 1, 1, 1, 1), (3, 2, 1, 2, 1);
SELECT now_is();
UPDATE lines SET region = 2, quantity = 3 WHERE id = 2;
SELECT now_is();
COMMIT;
SELECT now_is();
\echo '-- headers, with their lines'
BEGIN;
SET CONSTRAINTS ALL IMMEDIATE;
UPDATE orders SET status = 'cart' WHERE id = 1;
SELECT now_is();
UPDATE orders SET status = 'paid' WHERE id = 1;
DELETE FROM orders WHERE id = 1;
SELECT now_is();
SET CONSTRAINTS ALL DEFERRED;
INSERT INTO lines VALUES (4, 1, 2, 1, 2);
SELECT now_is();
COMMIT;
SELECT now_is();
\echo '-- a refusal comes from the statement, and counts all of its lines'
BEGIN;
SET CONSTRAINTS ALL IMMEDIATE;
INSERT INTO lines VALUES (5, 1, 2, 2, 10);
UPDATE lines SET item_id = 3 - item_id, quantity = 10 WHERE id IN (4, 5);
SELECT now_is();
INSERT INTO lines VALUES (8, 1, 2, 1, 9);
ROLLBACK;
\echo '-- partitions themselves, whenever it is followed'
BEGIN;
SET CONSTRAINTS ALL IMMEDIATE;
INSERT INTO lines_1 VALUES (6, 1, 2, 1, 1);
UPDATE lines_1 SET quantity = 2 WHERE id = 6;
COMMIT;
SET inventory.follow_at = 'statement';
BEGIN;
SET CONSTRAINTS ALL IMMEDIATE;
INSERT INTO lines_2 VALUES (7, 2, 2, 2, 4);
UPDATE lines_2 SET region = 3, quantity = 5 WHERE id = 7;
SELECT now_is();
SAVEPOINT one;
DELETE FROM lines_2 WHERE id = 7;
SELECT now_is();
ROLLBACK TO one;
COMMIT;
SELECT now_is();
DROP SCHEMA follow_immediate, items_stock CASCADE;
