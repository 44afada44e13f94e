-- Tests of reserve_stock: it takes units from the stock at once and holds them for a user
-- until the reservation expires.
\pset format unaligned
\set schema reserve_stock
\set item_type text
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
INSERT INTO items (id, stock, stock_floor) VALUES ('mug', 10, 0), ('pen', 3, 0), ('safe', 5, 2), ('debt', 0, -2);
INSERT INTO items (id, stock, live) VALUES ('old', 9, false);
SELECT inventory.attach('items', 'orders', ledger_schema => 'reserve_stock_stock', sellable => 'live', max_ttl => '2 hours');

-- the stock decreases, and there is no order
SELECT reserve_stock('ada', 'mug', 3) AS r \gset
SELECT looks(:'r');
SELECT * FROM levels ORDER BY item_id;
SELECT version FROM items WHERE id = 'mug';
SELECT count(*) FROM orders;
SELECT item_id, delta, kind, user_id, order_id, reservation_id = :'r' AS its FROM movements WHERE kind <> 'opening';
SELECT status, expires_at > clock_timestamp() AS open, item_id, quantity, order_id FROM get_reservation(:'r');
-- a uuid of version 4
SELECT substr(:'r', 15, 1) AS version, substr(:'r', 20, 1) IN ('8', '9', 'a', 'b') AS variant;
-- held units cannot be sold or held again
SELECT buy_item('bob', 'mug', 8);
SELECT reserve_stock('bob', 'mug', 8);
\echo :SQLSTATE
SELECT buy_item('bob', 'mug', 6) AS order_id;
SELECT reserve_stock('bob', 'mug') IS NOT NULL AS held;
SELECT reserve_stock('zoe', 'mug');
SELECT * FROM levels WHERE item_id = 'mug';

-- for how long: ttl, or else the setting, and never more than max_ttl
SELECT looks(reserve_stock('ada', 'pen', 1, '5 minutes'));
SELECT looks(reserve_stock('ada', 'pen', 1, '2 hours'));
SET inventory.reservation_ttl = '1 min';
SELECT looks(reserve_stock('ada', 'pen'));
SELECT reserve_stock('ada', 'safe', 1, '2 hours 1 microsecond');
SELECT reserve_stock('ada', 'safe', 1, '0');
SELECT reserve_stock('ada', 'safe', 1, '-1 minute');
-- the setting is only a default, so it is reduced to max_ttl
SET inventory.reservation_ttl = '3 h';
SELECT looks(reserve_stock('ada', 'safe'));
RESET inventory.reservation_ttl;

-- floors: safety stock cannot be held, backorders can
SELECT reserve_stock('zoe', 'safe', 3);
SELECT reserve_stock('ada', 'safe', 2) IS NOT NULL AS held;
SELECT reserve_stock('ada', 'debt', 2) IS NOT NULL AS held;
SELECT reserve_stock('zoe', 'debt');
SELECT * FROM levels WHERE item_id IN ('safe', 'debt') ORDER BY 1;

-- an item that is not for sale cannot be held; a hold needs no user
SELECT reserve_stock('ada', 'old');
SELECT reserve_stock('ada', 'cup');
SELECT restock_item('mug', 5);
SELECT looks(reserve_stock(NULL, 'mug', 2));
SELECT looks(reserve_stock(user_id => 'eve', item_id => 'mug'));

-- a repeated key gets the same reservation, and nothing more is taken
SELECT reserve_stock('ada', 'mug', 1, '10 minutes', 'k') AS first \gset
SELECT reserve_stock('ada', 'mug', 1, '10 minutes', 'k') = :'first' AS again;
SET IntervalStyle = iso_8601;
SELECT reserve_stock('ada', 'mug', 1, '600 seconds', 'k') = :'first' AS again;
RESET IntervalStyle;
SELECT reserve_stock('ada', 'mug', 1, NULL, 'k');
SELECT reserve_stock('ada', 'mug', 2, '10 minutes', 'k');
SELECT reserve_stock('ada', 'pen', 1, '10 minutes', 'k');
\echo :SQLSTATE
SELECT reserve_stock('bob', 'mug', 1, '10 minutes', 'k') = :'first' AS another_user;
-- a refusal leaves the key free; the end of the reservation does not, and the answer is no longer its id
SELECT reserve_stock('zoe', 'pen', 1, NULL, 'k2');
SELECT restock_item('pen', 1);
SELECT reserve_stock('zoe', 'pen', 1, NULL, 'k2') AS second \gset
SELECT release_reservation(:'second');
\set VERBOSITY terse
SELECT reserve_stock('zoe', 'pen', 1, NULL, 'k2') = :'second' AS again;
\echo :SQLSTATE
\set VERBOSITY default
SELECT available_stock('pen');

-- the other strategies
SET inventory.strategy = pessimistic;
SELECT looks(reserve_stock('ada', 'pen'));
SELECT reserve_stock('zoe', 'pen');
SELECT restock_item('pen', 1);
SET inventory.strategy = optimistic;
SELECT looks(reserve_stock('ada', 'pen'));
SELECT reserve_stock('zoe', 'pen');
RESET inventory.strategy;

-- an item with open holds cannot be deleted
DELETE FROM items WHERE id = 'pen';
\echo :SQLSTATE
SELECT * FROM levels ORDER BY item_id;
SELECT * FROM inventory.verify('items');
DROP SCHEMA reserve_stock, reserve_stock_stock CASCADE;
