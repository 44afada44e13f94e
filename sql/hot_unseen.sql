-- Tests of rows that are written unseen by the guard while their items are hot: no call sells by a
-- counter that was counted before, and while the guard is off hot items are refused like cold ones.
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
\set schema hot_unseen
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
INSERT INTO items (id, stock, stock_floor) SELECT id, 10, 0 FROM generate_series(1, 4) AS id;
SELECT inventory.attach('items', 'orders', ledger_schema => 'hot_unseen_stock');
SELECT inventory.heat('items', 1), inventory.heat('items', 2);
SELECT buy_item('u', 1) > 0, buy_item('u', 2) > 0;
-- the state, the number available and the epoch of items 1 and 2
CREATE FUNCTION counters() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', e.state, e.available), ', ' ORDER BY h.item_id)
	FROM inventory.hot_entries() AS e JOIN hot AS h USING (number) WHERE e.items = 'items'::regclass
$$;
-- Write the stock of items 1 to 3 with the guard off.
CREATE FUNCTION write_unseen(n integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	ALTER TABLE items DISABLE TRIGGER inventory_guard;
	UPDATE items SET stock = n WHERE id < 4;
	ALTER TABLE items ENABLE ALWAYS TRIGGER inventory_guard;
END
$$;

\echo '-- written in one transaction: counted again by the next call, whichever it is'
SELECT write_unseen(1);
SELECT buy_item('u', 1);
\echo :SQLSTATE
SELECT buy_item('u', 3, 2);
SELECT counters();
SELECT write_unseen(5);
SELECT status, available FROM try_buy_cart('u', '[{"item_id": 1, "quantity": 5}, {"item_id": 2}, {"item_id": 3}]');
SELECT * FROM buy_cart('u', '[{"item_id": 1, "quantity": 4}, {"item_id": 2}, {"item_id": 3}]');
SELECT write_unseen(8);
SELECT reserve_stock('u', 1, 4);
\echo :SQLSTATE
SELECT reserve_stock('u', 1, 3) IS NULL, available_stock(1);
SELECT write_unseen(20);
-- the guard itself: a direct write is judged by what is there now
UPDATE items SET stock = stock - 13 WHERE id = 1;
\echo :SQLSTATE
UPDATE items SET stock = stock - 12 WHERE id = 1;
SELECT counters(), available_stock(1);
SELECT restock_item(1, 2), adjust_stock(1, -1, 'x');
SELECT counters();
-- VACUUM, ANALYZE and GRANT are no sign of that
SELECT buy_item('u', 2, 1) > 0;
VACUUM ANALYZE items;
GRANT SELECT ON items TO pg_monitor;
CREATE INDEX ON items (name);
SELECT counters();
SELECT available_stock(2), buy_item('u', 2, 1) > 0;
SELECT counters();

\echo '-- while the guard is off, or does not fire always'
ALTER TABLE items DISABLE TRIGGER inventory_guard;
SELECT buy_item('u', 3);
\echo :SQLSTATE
SELECT buy_item('u', 1);
\echo :SQLSTATE
SELECT restock_item(1, 5);
\echo :SQLSTATE
SELECT reserve_stock('u', 1);
\echo :SQLSTATE
SELECT * FROM try_buy_cart('u', '[{"item_id": 1}, {"item_id": 2}]');
\echo :SQLSTATE
SELECT inventory.heat('items', 4);
\echo :SQLSTATE
UPDATE items SET stock = 13 WHERE id < 4;
SELECT buy_item('u', 1);
\echo :SQLSTATE
ALTER TABLE items ENABLE ALWAYS TRIGGER inventory_guard;
SELECT available_stock(1), buy_item('u', 1, 1) > 0;
SELECT buy_item('u', 1, 6);
\echo :SQLSTATE
SELECT counters();
-- as pg_restore --disable-triggers leaves it: writes of a replica would be missed, so it is sold as a cold item
ALTER TABLE items ENABLE TRIGGER inventory_guard;
SELECT buy_item('u', 1, 1) > 0;
SELECT hot FROM hot WHERE item_id = 1;
SELECT inventory.heat('items', 1);
\echo :SQLSTATE
ALTER TABLE items ENABLE ALWAYS TRIGGER inventory_guard;
SELECT inventory.heat('items', 1);

\echo '-- refresh, with the guard disabled before or dropped'
SELECT buy_item('u', 1) > 0;
ALTER TABLE items DISABLE TRIGGER ALL;
UPDATE items SET stock = 1 WHERE id = 1;
SELECT inventory.refresh('items');
SELECT buy_item('u', 1, 20);
\echo :SQLSTATE
SELECT count_stock(1, 10) AS counted, buy_item('u', 1, 1) > 0;
BEGIN;
DROP TRIGGER inventory_guard ON items;
UPDATE items SET stock = 100 WHERE id < 4;
SELECT inventory.refresh('items');
COMMIT;
SELECT restock_item(2, 1), available_stock(2);

\echo '-- in the transaction itself, and rolled back'
SELECT inventory.heat('items', 2);
SELECT buy_item('u', 2) > 0;
BEGIN;
SELECT write_unseen(50);
SELECT buy_item('u', 2, 10) > 0, available_stock(2);
ROLLBACK;
SELECT buy_item('u', 2, 1) > 0, counters();
BEGIN;
SELECT buy_item('u', 2) > 0;
SELECT write_unseen(2);
SELECT buy_item('u', 2);
\echo :SQLSTATE
ROLLBACK;
BEGIN;
SAVEPOINT s;
SELECT write_unseen(2);
ROLLBACK TO s;
SELECT buy_item('u', 2, 5) > 0;
COMMIT;
SELECT available_stock(2), counters();
-- what was written unseen is not in the ledger, and that is all that is wrong
SELECT DISTINCT problem FROM inventory.verify('items');
SELECT inventory.cool('items');
SELECT DISTINCT problem FROM inventory.verify('items');
DROP SCHEMA hot_unseen, hot_unseen_stock CASCADE;
