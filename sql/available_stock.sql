-- Door: available_stock, and the view levels, which says the same for all items.
\set SHOW_CONTEXT never
\pset format unaligned
SET client_min_messages = warning;
CREATE SCHEMA available_stock;
SET search_path = available_stock, available_stock_ledger;
CREATE TABLE items (id integer PRIMARY KEY, stock smallint, stock_floor integer, live boolean DEFAULT true);
INSERT INTO items VALUES
	(1, 10, NULL), (2, 10, 0), (3, 10, 3), (4, 10, 10), (5, 10, 11), (6, 10, -5), (7, 0, 0), (8, -3, -5), (9, -5, -5),
	(10, NULL, 0), (11, 32767, -100000), (12, -32768, 2147483647);
INSERT INTO items VALUES (13, 10, 0, false);
SELECT inventory.attach('items', ledger_schema => 'available_stock_ledger', sellable => 'live');

SELECT l.*, CASE WHEN i.live THEN available_stock(i.id) END AS asked, pg_typeof(l.available) AS type
	FROM levels AS l JOIN items AS i ON i.id = l.item_id ORDER BY 1;
SELECT available_stock(13);
\echo :SQLSTATE
SELECT available_stock(99);
\echo :SQLSTATE
SELECT available_stock(NULL);
\echo :SQLSTATE
SELECT available_stock(item_id => 1), pg_typeof(available_stock(1));

-- what it says can be sold, to the unit
SELECT i.id, available_stock(i.id), buy_item(NULL, i.id, available_stock(i.id)) IS NULL AS sold
	FROM items AS i WHERE i.id IN (1, 2, 3, 6, 8) ORDER BY i.id;
SELECT l.item_id, l.available, l.on_hand, t.status FROM levels AS l,
	try_buy_cart(NULL, jsonb_build_array(jsonb_build_object('item_id', l.item_id))) AS t WHERE l.available = 0 ORDER BY 1;

-- in a transaction it sees what that has done, and not what is undone
BEGIN;
SELECT restock_item(1, 4);
SELECT available_stock(1);
UPDATE items SET stock = stock - 1 WHERE id = 1;
SELECT available_stock(1);
ROLLBACK;
SELECT available_stock(1);
-- one statement sees one state, as every query does
SELECT available_stock(1), restock_item(1, 4), available_stock(1);
SELECT available_stock(1);
SELECT * FROM inventory.verify('items');
DROP SCHEMA available_stock, available_stock_ledger CASCADE;
