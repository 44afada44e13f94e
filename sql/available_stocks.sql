-- Tests of available_stocks: a row for each item that is for sale, the same number as available_stock,
-- whatever the array contains.
\pset format unaligned
\set schema available_stocks
\set item_type smallint
\set stock_type smallint
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
CREATE ROLE regress_stocks_buyer;
INSERT INTO items (id, stock, stock_floor) VALUES (1, 10, NULL), (2, 10, 3), (3, 10, 11), (4, 7, -5), (5, NULL, 0),
	(6, 32767, -100000), (7, 20, 2);
INSERT INTO items (id, stock, live) VALUES (8, 10, false);
SELECT inventory.attach('items', 'orders', ledger_schema => 'available_stocks_stock', sellable => 'live');
\set include :abs_srcdir '/sql/include/no_worker.sql'
\i :include
SELECT inventory.grant_api('items', 'regress_stocks_buyer', 'buyer');

-- unknown items and those not for sale have no row, untracked ones no number; each item once, in key order
SELECT *, pg_typeof(item_id), pg_typeof(available) FROM available_stocks(ARRAY[7, 3, 3, 99, 8, 1, 2, 5, 4, 6, 7]);
SELECT count(*) FROM available_stocks('{}');
SELECT count(*) FROM available_stocks('{99}');
SELECT * FROM available_stocks(item_ids => '{{1,2},{4,99}}');
SELECT * FROM available_stocks('[7:8]={2,1}');
SELECT available_stocks(NULL);
\echo :SQLSTATE
SELECT available_stocks('{1,NULL}');
\echo :SQLSTATE
SELECT available_stocks('{32768}');
\echo :SQLSTATE

-- cold and hot, with unsettled sales, open and overdue holds
SELECT buy_item('u', 7, 2), inventory.heat('items', 7);
SELECT buy_item('u', 7, 3) IS NOT NULL, reserve_stock('u', 7, 4, '1 microsecond') IS NOT NULL, reserve_stock('u', 7, 5) IS NOT NULL,
	reserve_stock('u', 1, 4, '1 microsecond') IS NOT NULL, reserve_stock('u', 1, 5) IS NOT NULL;
SELECT s.*, available_stock(s.item_id), (SELECT l.available FROM levels AS l WHERE l.item_id = s.item_id) AS level
	FROM available_stocks('{1,2,7}') AS s;
BEGIN;
SELECT buy_item('u', 7, 1) IS NOT NULL;
SELECT * FROM available_stocks('{7}');
ROLLBACK;
SELECT count(*) FROM available_stocks(ARRAY(SELECT generate_series(-20000, 20000)));

-- rights
SET ROLE regress_stocks_buyer;
SELECT * FROM available_stocks('{1,2}');
SELECT * FROM inventory.available_stocks('available_stocks.items', '{1,2}'::integer[], NULL::available_stocks_stock.item_level);
\echo :SQLSTATE
RESET ROLE;
-- the owner may call the engine with any type
SELECT * FROM inventory.available_stocks('available_stocks.items', '{1,2}', NULL::available_stocks_stock.item_level);
SELECT * FROM inventory.available_stocks('available_stocks.items', '{1,2}'::text[], NULL::available_stocks_stock.item_level);
SELECT * FROM inventory.available_stocks('available_stocks.items', 1, NULL::available_stocks_stock.item_level);
\echo :SQLSTATE
SELECT * FROM inventory.available_stocks('available_stocks.items', '{1}', NULL::available_stocks_stock.line);
\echo :SQLSTATE
CREATE FUNCTION f(item_ids text[]) RETURNS SETOF available_stocks_stock.item_level LANGUAGE inventory STABLE AS 'available_stocks available_stocks.items';
SELECT f('{1}');
\echo :SQLSTATE
CREATE FUNCTION g(item_ids integer) RETURNS SETOF available_stocks_stock.item_level LANGUAGE inventory STABLE AS 'available_stocks available_stocks.items';
\echo :SQLSTATE
CREATE FUNCTION g(item_ids jsonb[]) RETURNS SETOF available_stocks_stock.item_level LANGUAGE inventory STABLE AS 'available_stocks available_stocks.items';
\echo :SQLSTATE
BEGIN READ ONLY;
SELECT * FROM available_stocks('{1}');
COMMIT;
SELECT * FROM inventory.verify('items');
DROP FUNCTION f;
SELECT inventory.cool('items', 7);
SELECT inventory.detach('items');
SELECT to_regtype('available_stocks_stock.item_level'), to_regproc('available_stocks.available_stocks');
SET client_min_messages = warning;
DROP SCHEMA available_stocks, available_stocks_stock CASCADE;
DROP ROLE regress_stocks_buyer;
