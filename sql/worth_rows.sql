-- Tests of functions that say what an order line is worth and read whole rows: of partitions that do
-- not have a column that was dropped, and of a body that the owner has put in the place of attach's.
\pset format unaligned
\pset tuples_only on
\set SHOW_CONTEXT never
\set VERBOSITY terse
SET client_min_messages = error;
CREATE SCHEMA worth_rows;
SET search_path = worth_rows;
CREATE TABLE items (id int PRIMARY KEY, stock int NOT NULL);
INSERT INTO items VALUES (1, 100);
CREATE TABLE orders (id int NOT NULL, old text, item_id int NOT NULL, quantity int NOT NULL, state text DEFAULT 'placed', placed date NOT NULL DEFAULT '2026-01-10',
	note text, PRIMARY KEY (id, placed)) PARTITION BY RANGE (placed);
CREATE TABLE january PARTITION OF orders FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE february PARTITION OF orders FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
ALTER TABLE orders DROP COLUMN old;
CREATE FUNCTION units_of(line orders) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$ SELECT CASE line.state WHEN 'cancelled' THEN 0 ELSE line.quantity END $$;
SELECT inventory.attach('items', 'orders', order_id => 'id', order_writes => 'follow', order_units => 'worth_rows.units_of(line)');

\echo '-- partitions without a column that was dropped'
INSERT INTO orders (id, item_id, quantity) VALUES (1, 1, 3), (2, 1, 4);
SELECT stock FROM items;
UPDATE orders SET note = 'n' WHERE id = 1;
UPDATE orders SET quantity = 5 WHERE id = 1;
UPDATE january SET state = 'cancelled' WHERE id = 2;
UPDATE orders SET placed = '2026-02-10' WHERE id = 1;
SELECT stock FROM items;
SELECT * FROM inventory.verify('items');

\echo '-- a body with a sub-select that returns rows'
DROP TABLE orders CASCADE;
DROP FUNCTION IF EXISTS units_of;
CREATE TABLE lines (id int PRIMARY KEY, item_id int NOT NULL, quantity int NOT NULL);
SELECT inventory.attach('items', 'lines', order_writes => 'follow', ledger_schema => 'worth_rows_lines');
SELECT format('CREATE OR REPLACE FUNCTION worth_rows_lines.order_units(line lines) RETURNS bigint LANGUAGE sql IMMUTABLE RETURN CASE WHEN (%s) IN (SELECT %s FROM lines AS l) THEN 1 ELSE 2 END',
	string_agg('line', ', '), string_agg('l', ', ')) FROM generate_series(1, 60) \gexec
INSERT INTO lines VALUES (1, 1, 3);
UPDATE lines SET quantity = 4;
SELECT stock FROM items;
DROP SCHEMA worth_rows, worth_rows_lines, items_stock CASCADE;
