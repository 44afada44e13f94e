-- Tests of items that are not tracked: with stock NULL they sell without limit, and their
-- movements, which say who bought, add up to 0.
\pset format unaligned
\set schema untracked
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
ALTER TABLE orders ALTER quantity TYPE bigint;
INSERT INTO items (id, stock, stock_floor) VALUES (1, NULL, 0), (2, NULL, 5), (3, 1, 0);
INSERT INTO items (id, live) VALUES (4, false);
SELECT inventory.attach('items', 'orders', ledger_schema => 'untracked_stock', sellable => 'live');
CREATE VIEW ledger AS SELECT item_id, delta, kind, user_id, order_id, reason FROM movements ORDER BY movement_id;

-- attach has booked no opening stock
SELECT * FROM ledger;
SELECT item_id, available, on_hand FROM levels ORDER BY 1;
SELECT available_stock(1) IS NULL AS without_limit;

-- sales never run out, under every strategy, and do not write the row of the item
SELECT buy_item('ada', 1), buy_item('bob', 1, 2000000000), buy_item('bob', 1, 2147483647);
SET inventory.strategy = pessimistic;
SELECT buy_item('ada', 2);
SET inventory.strategy = optimistic;
SELECT buy_item('ada', 2);
RESET inventory.strategy;
SELECT * FROM ledger;
SELECT id, stock, version FROM items ORDER BY id;
SELECT buy_item('ada', 4);
\echo :SQLSTATE

-- in a cart with a tracked item
SELECT * FROM buy_cart('cid', '[{"item_id": 1}, {"item_id": 3}, {"item_id": 1, "quantity": 7}]');
SELECT * FROM try_buy_cart('cid', '[{"item_id": 1}, {"item_id": 3}]');
SELECT * FROM buy_cart('cid', '[{"item_id": 1}, {"item_id": 2}]');
SELECT * FROM ledger WHERE user_id = 'cid' OR order_id > 5;
SELECT * FROM buy_cart('cid', '[{"item_id": 1, "quantity": 9223372036854775807}, {"item_id": 1}]');
\echo :SQLSTATE

-- an item that is not tracked cannot be restocked, adjusted or counted
SELECT restock_item(1, 1);
\echo :SQLSTATE
SELECT adjust_stock(1, 1, 'x');
\echo :SQLSTATE
SELECT count_stock(1, 1);
\echo :SQLSTATE

-- an item becomes tracked: earlier sales do not matter; then it is no longer tracked
UPDATE items SET stock = 6 WHERE id IN (1, 2);
SELECT available_stock(1), available_stock(2);
SELECT buy_item('ada', 1, 6) > 0 AS bought;
SELECT buy_item('ada', 1);
\echo :SQLSTATE
SELECT count_stock(1, 2);
UPDATE items SET stock = NULL WHERE id = 1;
SELECT buy_item('ada', 1, 1000) > 0 AS bought, available_stock(1) IS NULL AS without_limit;
UPDATE items SET stock = 0 WHERE id = 1;
SELECT buy_item('ada', 1);
SELECT item_id, kind, sum(delta), count(*) FROM movements WHERE kind NOT IN ('sale', 'adjustment') GROUP BY 1, 2 ORDER BY 1, 2;
DELETE FROM items WHERE id = 4;
SELECT * FROM inventory.verify('items');
DROP SCHEMA untracked, untracked_stock CASCADE;
