-- Tests of adjust_stock: it books corrections of the stock, and none goes below the floor.
\pset format unaligned
\set schema adjust_stock
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
INSERT INTO items (id, stock, stock_floor, version) VALUES (1, 10, 0, 1), (2, -5, -10, 1), (3, 10, 8, 1), (4, 3, 8, 1), (5, NULL, 0, 1);
SELECT inventory.attach('items', ledger_schema => 'adjust_stock_stock');

-- up and down, to the floor and not below
SELECT adjust_stock(1, 2, 'found behind the shelf'), adjust_stock(1, -5, 'sample'), adjust_stock(1, -7, 'flood', kind => 'write_off');
SELECT adjust_stock(1, -1, 'x');
\echo :SQLSTATE
SELECT adjust_stock(2, -5, 'lost'), adjust_stock(3, -2, 'lost');
SELECT adjust_stock(2, -1, 'x');
SELECT adjust_stock(3, -1, 'x');
-- an item that is below its floor can only be adjusted upwards
SELECT adjust_stock(4, 4, 'found');
SELECT adjust_stock(4, -1, 'x');

-- expected is compared with the stock column
SELECT adjust_stock(3, 1, 'x', 8), adjust_stock(3, 1, 'x', expected => 9);
SELECT adjust_stock(3, 1, 'x', 2);
\echo :SQLSTATE
SELECT adjust_stock(2, 1, 'x', -10);

-- arguments that are refused
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
-- a repeated key gets the first answer, although expected no longer matches
SELECT adjust_stock(1, 1, 'x', 0, 'adjustment', 'k'), adjust_stock(1, 1, 'x', 0, 'adjustment', 'k');

SELECT item_id, delta, kind, reason FROM movements WHERE kind <> 'opening' ORDER BY movement_id;
SELECT id, stock, stock_floor, version FROM items ORDER BY id;
SELECT * FROM inventory.verify('items');
DROP SCHEMA adjust_stock, adjust_stock_stock CASCADE;
