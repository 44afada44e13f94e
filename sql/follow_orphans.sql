-- Tests of order_writes follow without a foreign key between lines and headers: a header that is
-- deleted before its lines, or instead of them, gives nothing back if the lines were final.
\set SHOW_CONTEXT never
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
SET client_min_messages = error;
CREATE SCHEMA follow_orphans;
SET search_path = follow_orphans;
CREATE TABLE items (id integer PRIMARY KEY, stock integer NOT NULL);
CREATE TABLE orders (id integer PRIMARY KEY, user_id integer, status text NOT NULL);
CREATE TABLE lines (id integer PRIMARY KEY, order_id integer, item_id integer NOT NULL, quantity integer NOT NULL);
CREATE INDEX ON lines (order_id);
INSERT INTO items VALUES (1, 10);
SELECT inventory.attach('items', 'lines', order_header => 'orders', order_header_id => 'order_id', header_columns => '{id,status}', order_columns => '{id}', order_writes => 'follow',
	order_units => $$CASE WHEN header.status IN ('paid', 'shipped') THEN line.quantity END$$, order_final => $$header.status = 'shipped'$$);
CREATE FUNCTION now_is() RETURNS text LANGUAGE sql SET search_path = follow_orphans AS $$
	SELECT concat_ws('; ', (SELECT stock FROM items),
		(SELECT 'verify: ' || string_agg(concat_ws(' ', item_id, problem, expected, actual), ', ') FROM inventory.verify('items')))
$$;
\echo '-- in one transaction, in both orders'
INSERT INTO orders VALUES (1, 7, 'shipped'), (2, 7, 'shipped'), (3, 7, 'paid');
INSERT INTO lines VALUES (1, 1, 1, 2), (2, 2, 1, 2), (3, 3, 1, 2);
SELECT now_is();
BEGIN;
DELETE FROM orders WHERE id IN (1, 3);
DELETE FROM lines WHERE id IN (1, 3);
COMMIT;
SELECT now_is();
BEGIN;
DELETE FROM lines WHERE id = 2;
DELETE FROM orders WHERE id = 2;
COMMIT;
SELECT now_is();
SELECT items_stock.refund_order(1, 1), items_stock.refund_order(2, 1);
SELECT now_is();
\echo '-- lines that stay, and are edited and deleted later'
INSERT INTO orders VALUES (4, 7, 'shipped'), (5, 7, 'paid');
INSERT INTO lines VALUES (4, 4, 1, 2), (5, 5, 1, 2);
SELECT now_is();
DELETE FROM orders WHERE id IN (4, 5);
SELECT now_is();
UPDATE lines SET quantity = 1 WHERE id IN (4, 5);
SELECT now_is();
DELETE FROM lines WHERE id IN (4, 5);
SELECT now_is();
SELECT items_stock.refund_order(4);
SELECT items_stock.refund_order(5);
\echo '-- a header that comes back, and one with another key'
INSERT INTO orders VALUES (6, 7, 'shipped');
INSERT INTO lines VALUES (6, 6, 1, 2);
DELETE FROM orders WHERE id = 6;
INSERT INTO orders VALUES (6, 7, 'paid');
SELECT now_is();
DELETE FROM orders WHERE id = 6;
SELECT now_is();
INSERT INTO orders VALUES (6, 7, 'shipped');
SELECT now_is();
UPDATE orders SET id = 7 WHERE id = 6;
SELECT now_is();
UPDATE lines SET order_id = 7 WHERE id = 6;
SELECT now_is();
UPDATE orders SET status = 'cancelled';
SELECT now_is();
\echo '-- a foreign key that sets the reference to NULL'
DELETE FROM lines;
DELETE FROM orders;
ALTER TABLE lines ADD FOREIGN KEY (order_id) REFERENCES orders ON DELETE SET NULL;
SELECT now_is();
INSERT INTO orders VALUES (11, 7, 'shipped'), (12, 7, 'paid'), (13, 7, 'shipped'), (14, 7, 'shipped');
INSERT INTO lines VALUES (11, 11, 1, 1), (12, 12, 1, 1), (13, 13, 1, 1), (14, 14, 1, 1);
SELECT now_is();
DELETE FROM orders WHERE id IN (11, 12);
SELECT now_is();
UPDATE lines SET quantity = 5 WHERE id IN (11, 12);
SELECT now_is();
DELETE FROM lines WHERE id IN (11, 12);
SELECT now_is();
SELECT items_stock.refund_order(11);
SELECT items_stock.refund_order(12);
SELECT now_is();
BEGIN;
DELETE FROM orders WHERE id = 13;
DELETE FROM lines WHERE id = 13;
COMMIT;
SELECT now_is();
SET inventory.follow_at = commit;
DELETE FROM orders WHERE id = 14;
SELECT now_is();
RESET inventory.follow_at;
INSERT INTO orders VALUES (15, 7, 'paid');
UPDATE lines SET order_id = 15 WHERE id = 14;
SELECT now_is();
DELETE FROM lines WHERE id = 14;
SELECT now_is();
-- a line that leaves its header, which stays
INSERT INTO lines VALUES (15, 15, 1, 1);
UPDATE lines SET order_id = NULL WHERE id = 15;
SELECT now_is();
DROP SCHEMA follow_orphans, items_stock CASCADE;
