-- Tests of available_stock and of the view levels: both say what can be sold, to the unit.
\pset format unaligned
\set schema available_stock
\set item_type integer
\set stock_type smallint
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
INSERT INTO items (id, stock, stock_floor) VALUES
	(1, 10, NULL), (2, 10, 0), (3, 10, 3), (4, 10, 10), (5, 10, 11), (6, 10, -5), (7, 0, 0), (8, -3, -5), (9, -5, -5),
	(10, NULL, 0), (11, 32767, -100000), (12, -32768, 2147483647);
INSERT INTO items (id, stock, live) VALUES (13, 10, false);
SELECT inventory.attach('items', ledger_schema => 'available_stock_stock', sellable => 'live');

SELECT l.*, CASE WHEN i.live THEN available_stock(i.id) END AS asked, pg_typeof(l.available) AS type
	FROM levels AS l JOIN items AS i ON i.id = l.item_id ORDER BY 1;
SELECT available_stock(13);
\echo :SQLSTATE
SELECT available_stock(99);
\echo :SQLSTATE
SELECT available_stock(NULL);
\echo :SQLSTATE
SELECT available_stock(item_id => 1), pg_typeof(available_stock(1));

-- what is available can be sold, and not a unit more
SELECT i.id, available_stock(i.id), buy_item(NULL, i.id, available_stock(i.id)) IS NULL AS sold
	FROM items AS i WHERE i.id IN (1, 2, 3, 6, 8) ORDER BY i.id;
SELECT l.item_id, l.available, l.on_hand, t.status FROM levels AS l,
	try_buy_cart(NULL, jsonb_build_array(jsonb_build_object('item_id', l.item_id))) AS t WHERE l.available = 0 ORDER BY 1;

-- a transaction sees its own changes, and no longer those that were rolled back
BEGIN;
SELECT restock_item(1, 4);
SELECT available_stock(1);
UPDATE items SET stock = stock - 1 WHERE id = 1;
SELECT available_stock(1);
ROLLBACK;
SELECT available_stock(1);
-- within one statement the answer does not change, as in every query
SELECT available_stock(1), restock_item(1, 4), available_stock(1);
SELECT available_stock(1);
SELECT * FROM inventory.verify('items');
DROP SCHEMA available_stock, available_stock_stock CASCADE;
