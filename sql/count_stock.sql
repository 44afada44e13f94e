-- Tests of count_stock, the stock-take: sales, refunds and deliveries during the count are
-- neither lost nor undone.
\pset format unaligned
\set schema count_stock
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
INSERT INTO items (id, stock, stock_floor) VALUES (1, 100, 0), (2, 10, 4), (3, 10, -5), (4, NULL, 0), (5, 0, 0), (6, 50, 0);
SELECT inventory.attach('items', ledger_schema => 'count_stock_stock');

-- counted now: the stock becomes what was counted
SELECT count_stock(1, 95, reason => 'inventory'), count_stock(1, 95), count_stock(1, 97), pg_typeof(count_stock(1, 97));
-- three of the ninety-seven are sold but not yet shipped
SELECT count_stock(1, 97, 3);

-- after the count 5 are sold and 20 arrive; 94 were expected, 90 counted
SELECT clock_timestamp() AS at \gset
SELECT buy_item('ada', 1, 5) IS NULL, restock_item(1, 20);
SELECT count_stock(1, 90, 0, :'at') AS "90 - 5 + 20";
-- the same count again changes nothing; a corrected count changes the stock by the difference
SELECT count_stock(1, 90, 0, :'at');
SELECT count_stock(1, 91, 0, :'at') AS "one more";
SELECT count_stock(1, 90, 0, :'at') AS "and back";
SELECT adjust_stock(1, -1, 'broken since') AS broken, count_stock(1, 90, 0, :'at') AS "still broken";
-- in the same transaction as a sale
BEGIN;
SELECT clock_timestamp() AS at \gset
SELECT buy_item('ada', 1, 4) IS NULL;
SELECT count_stock(1, 103, 0, :'at') AS "103 - 4";
COMMIT;
-- everything was sold after the count, so there is nothing left to correct downwards
SELECT clock_timestamp() AS at \gset
SELECT buy_item('ada', 6, 50) IS NULL;
SELECT count_stock(6, 49, 0, :'at');
\echo :SQLSTATE
SELECT count_stock(6, 51, 0, :'at') AS "one is left";

-- a count may leave less than the safety stock, but not less than 0 or a negative floor
SELECT count_stock(2, 3), count_stock(2, 0), count_stock(2, 9);
SELECT count_stock(3, 0, 5), count_stock(5, 7, 7);
SELECT count_stock(3, 0, 6);
\echo :SQLSTATE
SELECT count_stock(2, 1, 2);
\echo :SQLSTATE

-- values of counted_at that are refused
SELECT count_stock(1, 5, counted_at => now() + '1 hour');
\echo :SQLSTATE
SELECT count_stock(1, 5, counted_at => now() - '1 year'::interval);
\echo :SQLSTATE
INSERT INTO items (id, stock, stock_floor) VALUES (7, 5, 0);
SELECT count_stock(7, 5, counted_at => :'at');
SELECT count_stock(4, 5);
\echo :SQLSTATE
SELECT count_stock(1, -1);
SELECT count_stock(1, 1, -1);

-- each stock-take writes a movement, even if it changed nothing
SELECT item_id, delta, kind, reason FROM movements WHERE kind = 'count' ORDER BY movement_id;
SELECT id, stock, stock_floor, version FROM items ORDER BY id;
SELECT * FROM inventory.verify('items');
DROP SCHEMA count_stock, count_stock_stock CASCADE;
