-- Door: count_stock, the stock-take: what is sold, returned or delivered while
-- people count is neither lost nor undone.
\set SHOW_CONTEXT never
\pset format unaligned
SET client_min_messages = warning;
CREATE SCHEMA count_stock;
SET search_path = count_stock, count_stock_ledger;
CREATE TABLE items (id bigint PRIMARY KEY, stock integer, stock_floor integer, version integer);
INSERT INTO items VALUES (1, 100, 0, 0), (2, 10, 4, 0), (3, 10, -5, 0), (4, NULL, 0, 0), (5, 0, 0, 0), (6, 50, 0, 0);
SELECT inventory.attach('items', ledger_schema => 'count_stock_ledger');

-- now: the shelf is right
SELECT count_stock(1, 95, reason => 'inventory'), count_stock(1, 95), count_stock(1, 97), pg_typeof(count_stock(1, 97));
-- three of the ninety-seven are sold and wait to be shipped
SELECT count_stock(1, 97, 3);

-- counted at an instant; then 5 are sold and 20 arrive; 94 was expected, 90 seen
SELECT clock_timestamp() AS at \gset
SELECT buy_item('ada', 1, 5) IS NULL, restock_item(1, 20);
SELECT count_stock(1, 90, 0, :'at') AS "90 - 5 + 20";
-- the same sheet handed in again changes nothing, and a second opinion only its difference
SELECT count_stock(1, 90, 0, :'at');
SELECT count_stock(1, 91, 0, :'at') AS "one more";
SELECT count_stock(1, 90, 0, :'at') AS "and back";
SELECT adjust_stock(1, -1, 'broken since') AS broken, count_stock(1, 90, 0, :'at') AS "still broken";
-- in the transaction that sells
BEGIN;
SELECT clock_timestamp() AS at \gset
SELECT buy_item('ada', 1, 4) IS NULL;
SELECT count_stock(1, 103, 0, :'at') AS "103 - 4";
COMMIT;
-- by then all is sold: the correction cannot be had any more
SELECT clock_timestamp() AS at \gset
SELECT buy_item('ada', 6, 50) IS NULL;
SELECT count_stock(6, 49, 0, :'at');
\echo :SQLSTATE
SELECT count_stock(6, 51, 0, :'at') AS "one is left";

-- safety stock is no bound, what is owed to customers is
SELECT count_stock(2, 3), count_stock(2, 0), count_stock(2, 9);
SELECT count_stock(3, 0, 5), count_stock(5, 7, 7);
SELECT count_stock(3, 0, 6);
\echo :SQLSTATE
SELECT count_stock(2, 1, 2);
\echo :SQLSTATE

-- an instant that cannot be
SELECT count_stock(1, 5, counted_at => now() + '1 hour');
\echo :SQLSTATE
SELECT count_stock(1, 5, counted_at => now() - '1 year'::interval);
\echo :SQLSTATE
INSERT INTO items VALUES (7, 5, 0, 0);
SELECT count_stock(7, 5, counted_at => :'at');
SELECT count_stock(4, 5);
\echo :SQLSTATE
SELECT count_stock(1, -1);
SELECT count_stock(1, 1, -1);

-- each take is a movement, also one that found nothing wrong
SELECT item_id, delta, kind, reason FROM movements WHERE kind = 'count' ORDER BY movement_id;
SELECT * FROM items ORDER BY id;
SELECT * FROM inventory.verify('items');
DROP SCHEMA count_stock, count_stock_ledger CASCADE;
