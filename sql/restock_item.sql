-- Door: restock_item.
\set SHOW_CONTEXT never
\pset format unaligned
SET client_min_messages = warning;
CREATE SCHEMA restock_item;
SET search_path = restock_item, restock_item_stock;
CREATE TABLE items (id bigint PRIMARY KEY, stock smallint, stock_floor integer, version integer, live boolean DEFAULT true);
INSERT INTO items VALUES (1, 10, 0, 1), (2, -5, -10, NULL), (3, 1, 5, 7), (4, 32767, 0, 0), (5, NULL, 0, 0);
INSERT INTO items VALUES (6, 0, 0, 0, false);
SELECT inventory.attach('items', ledger_schema => 'restock_item_stock', sellable => 'live');

-- what is available afterwards comes back
SELECT restock_item(1, 5), restock_item(item_id => 1, quantity => 1, reason => 'delivery 7'), pg_typeof(restock_item(1, 1));
-- backordered, below its safety stock, not for sale
SELECT restock_item(2, 3), restock_item(3, 2), restock_item(3, 3), restock_item(6, 9);
SELECT * FROM items ORDER BY id;

-- what cannot be
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
