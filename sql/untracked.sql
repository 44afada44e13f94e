-- Door: items without a number.  Stock NULL sells without limit, its movements say
-- who bought, and sum to nothing.
\set SHOW_CONTEXT never
\pset format unaligned
SET client_min_messages = warning;
CREATE SCHEMA untracked;
SET search_path = untracked, untracked_stock;
CREATE TABLE items (id bigint PRIMARY KEY, stock integer, stock_floor integer, version integer, live boolean DEFAULT true);
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id text, item_id bigint, quantity bigint);
INSERT INTO items VALUES (1, NULL, 0, 0), (2, NULL, 5, 0), (3, 1, 0, 0);
INSERT INTO items VALUES (4, NULL, 0, 0, false);
SELECT inventory.attach('items', 'orders', ledger_schema => 'untracked_stock', sellable => 'live');
CREATE VIEW ledger AS SELECT item_id, delta, kind, user_id, order_id, reason FROM movements ORDER BY movement_id;

-- nothing was there to open with
SELECT * FROM ledger;
SELECT item_id, available, on_hand FROM levels ORDER BY 1;
SELECT available_stock(1) IS NULL AS without_limit;

-- sold as often as asked for, under every strategy; the row is not written
SELECT buy_item('ada', 1), buy_item('bob', 1, 2000000000), buy_item('bob', 1, 9223372036854775807);
SET inventory.strategy = pessimistic;
SELECT buy_item('ada', 2);
SET inventory.strategy = optimistic;
SELECT buy_item('ada', 2);
RESET inventory.strategy;
SELECT * FROM ledger;
SELECT id, stock, version FROM items ORDER BY id;
SELECT buy_item('ada', 4);
\echo :SQLSTATE

-- beside a tracked one in a cart
SELECT * FROM buy_cart('cid', '[{"item_id": 1}, {"item_id": 3}, {"item_id": 1, "quantity": 7}]');
SELECT * FROM try_buy_cart('cid', '[{"item_id": 1}, {"item_id": 3}]');
SELECT * FROM buy_cart('cid', '[{"item_id": 1}, {"item_id": 2}]');
SELECT * FROM ledger WHERE user_id = 'cid' OR order_id > 5;
SELECT * FROM buy_cart('cid', '[{"item_id": 1, "quantity": 9223372036854775807}, {"item_id": 1}]');
\echo :SQLSTATE

-- there is nothing to restock, adjust or count
SELECT restock_item(1, 1);
\echo :SQLSTATE
SELECT adjust_stock(1, 1, 'x');
\echo :SQLSTATE
SELECT count_stock(1, 1);
\echo :SQLSTATE

-- from now on it is counted: earlier sales do not matter; and no longer
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
