-- Tests of PREPARE TRANSACTION with hot items: it is refused once one was used, and nothing
-- is taken.  It is refused, too, once a store has come, changed or gone.
\getenv abs_srcdir PG_ABS_SRCDIR
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
\set schema hot_prepare
\set limits on
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
INSERT INTO items (id, stock) VALUES (1, 100), (2, 100), (3, 0);
SELECT inventory.attach('items', 'orders', ledger_schema => 'hot_prepare_stock');
SELECT inventory.heat('items', 1), inventory.heat('items', 3);
SELECT buy_item('first', 1) > 0, restock_item(3, 1), adjust_stock(3, -1, 'published');
-- The counters as all sessions see them, with what is in flight in brackets.
CREATE FUNCTION counters() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(format('%s=%s', h.item_id, e.available) || CASE WHEN e.held <> 0 THEN format(' (%s)', e.held) ELSE '' END, ' ' ORDER BY h.item_id)
	FROM hot AS h JOIN inventory.hot_entries() AS e ON e.items = 'items'::regclass AND e.number = h.number
$$;

\echo '-- purchases, restocks, heat, cool, direct writes'
BEGIN;
SELECT buy_item('u', 1) > 0;
PREPARE TRANSACTION 'hot_prepare';
\echo :SQLSTATE
SELECT counters();
BEGIN;
SELECT restock_item(1, 1) > 0;
PREPARE TRANSACTION 'hot_prepare';
\echo :SQLSTATE
BEGIN;
SELECT inventory.heat('items', 2);
PREPARE TRANSACTION 'hot_prepare';
\echo :SQLSTATE
BEGIN;
SELECT inventory.cool('items', 1);
PREPARE TRANSACTION 'hot_prepare';
\echo :SQLSTATE
BEGIN;
UPDATE items SET stock = stock - 1 WHERE id = 1;
PREPARE TRANSACTION 'hot_prepare';
\echo :SQLSTATE
BEGIN;
UPDATE items SET purchase_limit = 100 WHERE id = 1;
PREPARE TRANSACTION 'hot_prepare';
\echo :SQLSTATE
SELECT counters();
\echo '-- allowed if the use was rolled back'
BEGIN;
SAVEPOINT s;
SELECT buy_item('u', 1) > 0;
ROLLBACK TO s;
SELECT buy_item('u', 2) > 0;
PREPARE TRANSACTION 'hot_prepare';
COMMIT PREPARED 'hot_prepare';
SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database();
SELECT counters();
\echo '-- allowed after a refusal, which uses nothing'
BEGIN;
SELECT status FROM try_buy_cart('u', '[{"item_id": 3, "quantity": 100}, {"item_id": 1}]');
PREPARE TRANSACTION 'hot_prepare';
ROLLBACK PREPARED 'hot_prepare';
\echo '-- a store comes, changes or goes'
CREATE FUNCTION gone() RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM inventory.stats_entries() AS e WHERE NOT EXISTS (SELECT FROM pg_class WHERE oid = e.items)
$$;
SELECT inventory.cool('items');
BEGIN;
CREATE SCHEMA hot_prepare_new;
CREATE TABLE hot_prepare_new.items (id int PRIMARY KEY, stock int);
INSERT INTO hot_prepare_new.items VALUES (1, 5);
SELECT inventory.attach('hot_prepare_new.items', ledger_schema => 'hot_prepare_new');
SELECT hot_prepare_new.buy_item('u', 1) IS NOT NULL;
PREPARE TRANSACTION 'hot_prepare';
\echo :SQLSTATE
SELECT gone();
SET lock_timeout = '5s';
BEGIN;
SELECT inventory.detach('items');
PREPARE TRANSACTION 'hot_prepare';
BEGIN;
DROP TABLE items CASCADE;
PREPARE TRANSACTION 'hot_prepare';
BEGIN;
SAVEPOINT s;
DROP EXTENSION inventory CASCADE;
ROLLBACK TO s;
PREPARE TRANSACTION 'hot_prepare';
SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database();
SELECT gone();
SELECT id, stock FROM items ORDER BY id;
SELECT * FROM inventory.verify('items');
\pset tuples_only off
DROP SCHEMA hot_prepare, hot_prepare_stock CASCADE;
