-- Tests of purchase_limit and stock_floor: no user gets more than the limit, and no sale
-- goes below the floor.
\pset format unaligned
\set schema limits_floors
\set limits on
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
ALTER TABLE items ALTER stock_floor TYPE smallint, ALTER purchase_limit TYPE smallint;
INSERT INTO items (id, stock, stock_floor, purchase_limit) VALUES (1, 100, 0, 3), (2, 100, 0, NULL), (3, 100, 0, 0), (4, NULL, 0, 2), (5, 10, 4, 100),
	(6, 2, -3, NULL), (7, 3, 5, NULL), (8, 1, 0, 5), (9, 100, 0, -1);
SELECT inventory.attach('items', 'orders', ledger_schema => 'limits_floors_stock');

-- the limit is on all purchases of a user together
SELECT buy_item('ada', 1, 2) > 0 AS bought;
SELECT buy_item('ada', 1, 2);
\echo :SQLSTATE
SELECT buy_item('ada', 1) > 0 AS bought;
SELECT buy_item('ada', 1);
SELECT buy_item('bob', 1, 4);
SELECT buy_item('bob', 1, 3) > 0 AS bought;
SELECT buy_item('ada', 2, 50) > 0 AS unlimited;
SELECT buy_item('ada', 3);
SELECT buy_item('ada', 9);
-- items that are not tracked have limits too; a limited item needs a user
SELECT buy_item('ada', 4, 2) > 0 AS bought;
SELECT buy_item('ada', 4);
SELECT buy_item(NULL, 1);
\echo :SQLSTATE
SELECT * FROM try_buy_cart(NULL, '[{"item_id": 2}, {"item_id": 1}]');
\echo :SQLSTATE
SELECT buy_item(NULL, 2) > 0 AS guest;
-- the lines of a cart count together, and the error names them all
SELECT count(*) FROM buy_cart('cid', '[{"item_id": 1}, {"item_id": 2}, {"item_id": 1}]');
SELECT * FROM buy_cart('cid', '[{"item_id": 1}, {"item_id": 2}, {"item_id": 3}, {"item_id": 1}, {"item_id": 8, "quantity": 9}]');
\echo :SQLSTATE
SELECT item_id, status, available FROM try_buy_cart('cid', '[{"item_id": 1}, {"item_id": 1}, {"item_id": 2}]');
-- limits are checked before stock
SELECT buy_item('dan', 8, 6);
SELECT buy_item('dan', 8, 2);
\echo :SQLSTATE

-- a purchase counts in its own transaction, and no longer when it is rolled back
BEGIN;
SELECT buy_item('eve', 1, 3) > 0 AS bought;
SAVEPOINT s;
SELECT buy_item('eve', 1);
ROLLBACK TO s;
ROLLBACK;
SELECT buy_item('eve', 1, 3) > 0 AS bought;
-- a limit can be changed; corrections, write-offs and direct writes are not purchases
SELECT adjust_stock(1, -10, 'damaged', kind => 'write_off'), restock_item(1, 5);
UPDATE items SET purchase_limit = 4, stock = stock - 1 WHERE id = 1;
SELECT buy_item('eve', 1) > 0 AS bought;
SELECT buy_item('eve', 1);
UPDATE items SET purchase_limit = 1 WHERE id = 1;
SELECT buy_item('eve', 1);
UPDATE items SET purchase_limit = NULL WHERE id = 1;
SELECT buy_item('eve', 1, 10) > 0 AS bought;
SELECT user_id, -sum(delta) AS units FROM movements WHERE item_id = 1 AND kind = 'sale' GROUP BY 1 ORDER BY 1;

-- safety stock is never sold
SELECT available_stock(5), buy_item('ada', 5, 6) > 0 AS bought;
SELECT buy_item('ada', 5);
\echo :SQLSTATE
SELECT available_stock(7);
SELECT buy_item('ada', 7);
UPDATE items SET stock_floor = 2 WHERE id IN (5, 7);
SELECT buy_item('ada', 7) > 0 AS bought, buy_item('ada', 5, 2) > 0 AS bought;
-- a negative floor takes backorders
SELECT available_stock(6), buy_item('ada', 6, 4) > 0 AS bought;
SELECT stock, available_stock(id) FROM items WHERE id = 6;
SELECT * FROM buy_cart('bob', '[{"item_id": 6}, {"item_id": 6}]');
SELECT buy_item('bob', 6) > 0 AS bought;
SELECT buy_item('bob', 6);
-- without backorders nothing can be sold until the stock is above zero again
UPDATE items SET stock_floor = NULL WHERE id = 6;
SELECT available_stock(6), restock_item(6, 3), restock_item(6, 1);
SELECT buy_item('bob', 6) > 0 AS bought;
SELECT buy_item('bob', 6);
SELECT id, stock, stock_floor FROM items WHERE id IN (5, 6, 7) ORDER BY id;
SELECT * FROM levels WHERE item_id IN (5, 6, 7) ORDER BY 1;
SELECT * FROM inventory.verify('items');
DROP SCHEMA limits_floors, limits_floors_stock CASCADE;
