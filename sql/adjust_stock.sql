-- Door: adjust_stock.
\set SHOW_CONTEXT never
\pset format unaligned
SET client_min_messages = warning;
CREATE SCHEMA adjust_stock;
SET search_path = adjust_stock, adjust_stock_ledger;
CREATE TABLE items (id bigint PRIMARY KEY, stock integer, stock_floor integer, version integer);
INSERT INTO items VALUES (1, 10, 0, 1), (2, -5, -10, 1), (3, 10, 8, 1), (4, 3, 8, 1), (5, NULL, 0, 1);
SELECT inventory.attach('items', ledger_schema => 'adjust_stock_ledger');

-- up and down, to the floor and not below
SELECT adjust_stock(1, 2, 'found behind the shelf'), adjust_stock(1, -5, 'sample'), adjust_stock(1, -7, 'flood', kind => 'write_off');
SELECT adjust_stock(1, -1, 'x');
\echo :SQLSTATE
SELECT adjust_stock(2, -5, 'lost'), adjust_stock(3, -2, 'lost');
SELECT adjust_stock(2, -1, 'x');
SELECT adjust_stock(3, -1, 'x');
-- already below its floor: only up
SELECT adjust_stock(4, 4, 'found');
SELECT adjust_stock(4, -1, 'x');

-- expected is the number in the stock column
SELECT adjust_stock(3, 1, 'x', 8), adjust_stock(3, 1, 'x', expected => 9);
SELECT adjust_stock(3, 1, 'x', 2);
\echo :SQLSTATE
SELECT adjust_stock(2, 1, 'x', -10);

-- what cannot be
SELECT adjust_stock(1, 0, 'x');
SELECT adjust_stock(1, 1, '');
SELECT adjust_stock(1, 1, NULL);
SELECT adjust_stock(1, 1, 'x', kind => 'opening');
SELECT adjust_stock(1, 1, 'x', kind => 'write_off');
SELECT adjust_stock(1, 2147483648, 'x');
\echo :SQLSTATE
SELECT adjust_stock(5, 1, 'x');
\echo :SQLSTATE
SELECT adjust_stock(99, 1, 'x');
\echo :SQLSTATE
-- the key is older than what is expected
SELECT adjust_stock(1, 1, 'x', 0, 'adjustment', 'k'), adjust_stock(1, 1, 'x', 0, 'adjustment', 'k');

SELECT item_id, delta, kind, reason FROM movements WHERE kind <> 'opening' ORDER BY movement_id;
SELECT * FROM items ORDER BY id;
SELECT * FROM inventory.verify('items');
DROP SCHEMA adjust_stock, adjust_stock_ledger CASCADE;
