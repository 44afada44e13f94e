-- Tests of stock and floors at the ends of their types: cold and hot items answer alike.
\pset format unaligned
\pset tuples_only on
\set schema hot_edges
\set stock_type bigint
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
ALTER TABLE items ALTER stock_floor TYPE bigint;
ALTER TABLE orders ALTER quantity TYPE bigint;
INSERT INTO items (id, stock, stock_floor) VALUES
	(1, 9223372036854775807, 0),
	(2, 9223372036854775807, -9223372036854775808),
	(3, -9223372036854775800, -9223372036854775808),
	(4, -9223372036854775800, NULL),
	(5, 5, 9223372036854775807),
	(6, 10, -9223372036854775808);
SELECT inventory.attach('items', 'orders', ledger_schema => 'hot_edges_stock');
-- What each call answers when all items are cold, and when all are hot; nothing is kept.
CREATE TABLE answers (n serial, call text, cold text, hot text);
INSERT INTO answers (call) VALUES
	('buy_item(''u'', 1, 1) > 0'),
	('buy_item(''u'', 1, 4611686018427387904) > 0'),
	('buy_item(''u'', 1, 9223372036854775807) > 0'),
	('restock_item(1, 1)'),
	('adjust_stock(1, -9223372036854775807, ''x'')'),
	('adjust_stock(1, (-9223372036854775808)::bigint, ''x'')'),
	('count_stock(1, 9223372036854775807)'),
	('buy_item(''u'', 2, 9223372036854775807) > 0'),
	('restock_item(2, 5)'),
	('buy_item(''u'', 3, 5) > 0'),
	('buy_item(''u'', 3, 8) > 0'),
	('buy_item(''u'', 3, 9) > 0'),
	('buy_item(''u'', 3, 9223372036854775807) > 0'),
	('adjust_stock(3, -9, ''x'')'),
	('adjust_stock(3, -8, ''x'')'),
	('restock_item(3, 9223372036854775807)'),
	('buy_item(''u'', 4, 5) > 0'),
	('buy_item(''u'', 4, 9223372036854775807) > 0'),
	('buy_item(''u'', 5, 5) > 0'),
	('count_stock(5, 0)'),
	('buy_item(''u'', 6, 9223372036854775807) > 0'),
	('adjust_stock(6, -9223372036854775807, ''x'')'),
	('(SELECT string_agg(concat_ws('' '', status, available), '', '') FROM try_buy_cart(''u'', ''[{"item_id": 3, "quantity": 9}, {"item_id": 4}, {"item_id": 1}]''))'),
	('(SELECT string_agg(available_stock(id)::text, '' '' ORDER BY id) FROM items)'),
	('(SELECT string_agg(available::text, '' '' ORDER BY item_id) FROM levels)');
CREATE FUNCTION answer(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	value text;
	detail text;
BEGIN
	EXECUTE 'SELECT ' || call INTO value;
	RAISE SQLSTATE 'ZZ002';
EXCEPTION WHEN SQLSTATE 'ZZ002' THEN
	RETURN value;
WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN concat_ws(' ', SQLSTATE, SQLERRM, substring(detail from 'asked for, ([0-9]+ available)'));
END
$$;

\echo '-- cold and hot, by every strategy'
UPDATE answers SET cold = answer(call);
SELECT inventory.heat('items', id) FROM items ORDER BY id;
UPDATE answers SET hot = answer(call);
SELECT call, hot, CASE WHEN hot IS DISTINCT FROM cold THEN 'COLD: ' || coalesce(cold, 'null') END FROM answers ORDER BY n;
SELECT inventory.cool('items');
SET inventory.strategy = pessimistic;
SELECT call, cold FROM answers WHERE cold IS DISTINCT FROM answer(call);
SET inventory.strategy = optimistic;
SELECT call, cold FROM answers WHERE cold IS DISTINCT FROM answer(call);
RESET inventory.strategy;
SELECT problems();

\echo '-- a hot item takes no more than its column can hold, whatever is rolled back'
SELECT inventory.heat('items', id) FROM items WHERE id IN (1, 2, 5) ORDER BY id;
SELECT buy_item('u', 1, 7) > 0;
SELECT restock_item(1, 8);
\echo :SQLSTATE
BEGIN;
SELECT restock_item(1, 7), buy_item('u', 1, 9223372036854775807) > 0;
SAVEPOINT s;
SELECT restock_item(1, 1);
\echo :SQLSTATE
ROLLBACK;
SELECT restock_item(1, 5);
SELECT available FROM inventory.hot_entries() AS e JOIN hot USING (number) WHERE item_id = 1 AND e.items = 'items'::regclass;
SELECT inventory.settle('items') >= 0, problems();
SELECT stock FROM items WHERE id = 1;

\echo '-- no more is in flight than a bigint counts, although the column could hold it'
BEGIN;
SELECT buy_item('u', 2, 9223372036854775807) > 0;
SAVEPOINT s;
SELECT buy_item('u', 2, 9223372036854775807) > 0;
\echo :SQLSTATE
ROLLBACK TO s;
SELECT restock_item(2, 9223372036854775807);
SELECT buy_item('u', 2, 9223372036854775807) > 0;
SELECT restock_item(2, 9223372036854775807);
\echo :SQLSTATE
ROLLBACK;
SELECT available_stock(2), problems();

\echo '-- floors move from one end to the other'
UPDATE items SET stock_floor = -9223372036854775808 WHERE id = 5;
SELECT buy_item('u', 5, 9) > 0;
UPDATE items SET stock_floor = 9223372036854775807 WHERE id = 5;
SELECT buy_item('u', 5);
\echo :SQLSTATE
BEGIN;
UPDATE items SET stock_floor = -10 WHERE id = 5;
-- the transaction itself may use at once what it lowered the floor by
SELECT buy_item('u', 5, 6) > 0;
SAVEPOINT s;
UPDATE items SET stock_floor = 0 WHERE id = 5;
SELECT buy_item('u', 5);
ROLLBACK TO s;
SAVEPOINT s;
SELECT buy_item('u', 5);
\echo :SQLSTATE
ROLLBACK TO s;
UPDATE items SET stock_floor = 7 WHERE id = 5;
UPDATE items SET stock_floor = -11 WHERE id = 5;
COMMIT;
SELECT available_stock(5), problems();
SELECT buy_item('u', 5) > 0;
SELECT buy_item('u', 5);
\echo :SQLSTATE
SELECT e.available, e.held FROM inventory.hot_entries() AS e JOIN hot USING (number) WHERE item_id = 5 AND e.items = 'items'::regclass;
SELECT inventory.cool('items'), problems();
SELECT id, stock, stock_floor FROM items ORDER BY id;

\echo '-- a floor below what the stock column can hold is the end of its range'
ALTER TABLE items DISABLE TRIGGER USER;
DELETE FROM items WHERE stock <> 10;
ALTER TABLE items ENABLE ALWAYS TRIGGER inventory_guard;
SELECT inventory.detach('items');
ALTER TABLE items ALTER stock TYPE smallint;
DROP SCHEMA hot_edges_stock CASCADE;
SELECT inventory.attach('items', 'orders', ledger_schema => 'hot_edges_stock');
SELECT buy_item('u', 6, 32778) > 0;
SELECT buy_item('u', 6);
\echo :SQLSTATE
SELECT restock_item(6, 32778);
SELECT available_stock(6), available FROM levels;
SELECT inventory.heat('items', 6);
SELECT buy_item('u', 6, 32778) > 0;
SELECT buy_item('u', 6);
\echo :SQLSTATE
SELECT inventory.cool('items'), stock, problems() FROM items;
SELECT inventory.detach('items');
DROP SCHEMA hot_edges, hot_edges_stock CASCADE;
