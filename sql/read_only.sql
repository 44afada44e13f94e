-- Tests of read-only transactions: functions that write are refused before they touch
-- anything, and functions that read work.
\pset format unaligned
\pset tuples_only on
\set schema read_only
\set plain on
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
INSERT INTO items VALUES (1, 10), (2, NULL);
SELECT inventory.attach('items', 'orders', ledger_schema => 'read_only_stock');
SELECT buy_item('u', 1, 1, 'k');
CREATE VIEW calls AS SELECT * FROM (VALUES
	(1, $$buy_item('u', 1)$$), (2, $$buy_item('u', 1, 1, 'k')$$), (3, $$buy_item('u', 2)$$), (4, $$buy_item('u', NULL, -1)$$),
	(5, $$buy_cart('u', '[{"item_id": 1}]')$$), (6, $$try_buy_cart('u', '[{"item_id": 1}]')$$),
	(7, $$try_buy_item('u', 1, 99)$$), (7, $$try_buy_cart('u', '[{"item_id": 1, "quantity": 99}]')$$), (8, $$restock_item(1, 1)$$), (9, $$adjust_stock(1, 1, 'x')$$),
	(10, $$count_stock(1, 9)$$), (11, $$inventory.open_ledger('read_only.items')$$),
	(12, $$inventory.buy_item('read_only.items', 'u'::text, 1, 1, NULL, NULL, NULL::bigint)$$),
	(13, $$available_stock(1)$$), (14, $$levels$$), (15, $$inventory.verify('items')$$), (16, $$inventory.verify('items', 1)$$)
) AS v(n, call);

BEGIN READ ONLY;
SELECT n, attempt('SELECT * FROM ' || call) FROM calls ORDER BY n;
SELECT available_stock(1);
SELECT mode FROM pg_locks WHERE relation IN ('items'::regclass, 'orders'::regclass, 'movements'::regclass, 'requests'::regclass)
	AND pid = pg_backend_pid() AND mode <> 'AccessShareLock';
SELECT pg_current_xact_id_if_assigned() IS NULL AS no_transaction_id;
COMMIT;
BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE;
SELECT n, attempt('SELECT * FROM ' || call) FROM calls WHERE n IN (1, 6, 8) OR n > 12 ORDER BY n;
COMMIT;
SET default_transaction_read_only = on;
SELECT buy_item('u', 1);
\echo :SQLSTATE
SELECT inventory.detach('items');
\echo :SQLSTATE
RESET default_transaction_read_only;
-- a transaction that becomes read-only after a purchase
BEGIN;
SELECT buy_item('u', 1);
SET TRANSACTION READ ONLY;
SELECT attempt($$SELECT buy_item('u', 1)$$);
SELECT available_stock(1);
COMMIT;
SELECT id, stock FROM items ORDER BY id;
SELECT count(*) FROM orders;
SELECT * FROM inventory.verify('items');
\pset tuples_only off
DROP SCHEMA read_only, read_only_stock CASCADE;
