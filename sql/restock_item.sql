-- Tests of restock_item: it adds units to the stock and returns what is then available.
\pset format unaligned
\set schema restock_item
\set stock_type smallint
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
INSERT INTO items (id, stock, stock_floor, version) VALUES (1, 10, 0, 1), (2, -5, -10, NULL), (3, 1, 5, 7), (4, 32767, 0, 0), (5, NULL, 0, 0);
INSERT INTO items (id, stock, stock_floor, live) VALUES (6, 0, 0, false);
SELECT inventory.attach('items', ledger_schema => 'restock_item_stock', sellable => 'live');

-- the answer is what is available afterwards
SELECT restock_item(1, 5), restock_item(item_id => 1, quantity => 1, reason => 'delivery 7'), pg_typeof(restock_item(1, 1));
-- items that are backordered, below their safety stock, not for sale
SELECT restock_item(2, 3), restock_item(3, 2), restock_item(3, 3), restock_item(6, 9);
SELECT id, stock, stock_floor, version, live FROM items ORDER BY id;

-- calls that are refused
SELECT restock_item(4, 1);
\echo :SQLSTATE
SELECT restock_item(1, 32767);
\echo :SQLSTATE
SELECT restock_item(1, 9223372036854775807);
\echo :SQLSTATE
SELECT restock_item(5, 1);
\echo :SQLSTATE
SELECT restock_item(99, 1);
\echo :SQLSTATE
SELECT restock_item(1, 0);
\echo :SQLSTATE

-- sold and restocked in one transaction
BEGIN;
SELECT buy_item('ada', 1, 17) IS NULL AS sold;
SELECT restock_item(1, 2), buy_item('ada', 1, 2) IS NULL AS sold;
COMMIT;
SELECT restock_item(1, 1, NULL, 'k'), restock_item(1, 1, NULL, 'k');
SELECT item_id, delta, kind, user_id, order_id, reason FROM movements WHERE kind <> 'opening' ORDER BY movement_id;
SELECT * FROM inventory.verify('items');
DROP SCHEMA restock_item, restock_item_stock CASCADE;
