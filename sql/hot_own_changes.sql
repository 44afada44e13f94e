-- Tests of a transaction that changes the tables of the ledger by hand, calls the engine, and is
-- rolled back: nothing that other sessions are told comes from what it had changed.
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
\set schema hot_own_changes
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
INSERT INTO items (id, stock, stock_floor) SELECT id, 30, 0 FROM generate_series(1, 2) AS id;
SELECT inventory.attach('items', 'orders', ledger_schema => 'hot_own_changes_stock');
-- What can be sold, by the counter and by the tables.
CREATE FUNCTION stock_of(id integer) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', available_stock(id), (SELECT sum(delta) FROM hot_own_changes_stock.movements AS m WHERE m.item_id = id))
$$;
-- A hot item that was sold in two epochs, and is not settled.  The refresh makes its counter be
-- counted again.
CREATE PROCEDURE sell_in_two_epochs() LANGUAGE plpgsql AS $$
BEGIN
	PERFORM inventory.heat('items', 1);
	COMMIT;
	PERFORM buy_item('u', 1);
	COMMIT;
	PERFORM inventory.settle('items');
	ROLLBACK;
	PERFORM buy_item('u', 1);
	COMMIT;
	PERFORM inventory.refresh('items');
END
$$;

\echo '-- movements are deleted'
CALL sell_in_two_epochs();
BEGIN;
DELETE FROM hot_own_changes_stock.movements;
SELECT buy_item('u', 1) > 0;
ROLLBACK;
SELECT stock_of(1);
SELECT buy_item('u', 1, available_stock(1) + 1);
SELECT * FROM inventory.verify('items');
SELECT inventory.cool('items');
SELECT stock FROM items WHERE id = 1;
SELECT * FROM inventory.verify('items');

\echo '-- changed, in a savepoint, as REPEATABLE READ'
CALL sell_in_two_epochs();
BEGIN ISOLATION LEVEL REPEATABLE READ;
SAVEPOINT s;
UPDATE hot_own_changes_stock.movements SET delta = 100;
SELECT buy_item('u', 1) > 0;
ROLLBACK TO s;
SELECT buy_item('u', 1) > 0;
COMMIT;
SELECT inventory.refresh('items');
BEGIN;
UPDATE hot_own_changes_stock.movements SET epoch = NULL;
SELECT buy_item('u', 1) > 0;
ROLLBACK;
SELECT stock_of(1);
SELECT buy_item('u', 1, available_stock(1) + 1);
SELECT * FROM inventory.verify('items');
SELECT inventory.cool('items');
SELECT stock_of(1);
SELECT * FROM inventory.verify('items');

\echo '-- emptied, and altered: no snapshot has what is committed'
CALL sell_in_two_epochs();
BEGIN;
TRUNCATE hot_own_changes_stock.movements;
SELECT buy_item('u', 1) > 0;
ROLLBACK;
SELECT stock_of(1);
SELECT buy_item('u', 1, available_stock(1) + 1);
SELECT * FROM inventory.verify('items');
SELECT inventory.refresh('items');
BEGIN;
ALTER TABLE hot_own_changes_stock.movements DROP epoch CASCADE, ADD epoch bigint;
SELECT buy_item('u', 1) > 0;
\echo :SQLSTATE
ROLLBACK;
SELECT stock_of(1);
SELECT buy_item('u', 1, available_stock(1) + 1);
SELECT * FROM inventory.verify('items');
SELECT inventory.cool('items');
SELECT stock_of(1);
SELECT * FROM inventory.verify('items');

\echo '-- the mark of the hot item is deleted'
CALL sell_in_two_epochs();
BEGIN;
DELETE FROM hot_own_changes_stock.hot;
SELECT buy_item('u', 1) > 0;
ROLLBACK;
SELECT stock_of(1);
SELECT buy_item('u', 1, available_stock(1) + 1);
SELECT * FROM inventory.verify('items');
SELECT inventory.refresh('items');
BEGIN;
TRUNCATE hot_own_changes_stock.hot;
SELECT buy_item('u', 1) > 0;
ROLLBACK;
SELECT stock_of(1);
SELECT buy_item('u', 1, available_stock(1) + 1);
SELECT * FROM inventory.verify('items');
SELECT inventory.refresh('items');
BEGIN;
UPDATE hot_own_changes_stock.hot SET hot = false;
SELECT buy_item('u', 1) > 0;
ROLLBACK;
SELECT stock_of(1);
SELECT buy_item('u', 1, available_stock(1) + 1);
SELECT * FROM inventory.verify('items');
SELECT inventory.cool('items');
SELECT stock_of(1);
SELECT * FROM inventory.verify('items');

\echo '-- marked by hand'
BEGIN;
UPDATE hot_own_changes_stock.hot SET hot = true;
SELECT buy_item('u', 1) > 0;
ROLLBACK;
SELECT buy_item('u', 1) > 0;
SELECT stock_of(1), count(*) FROM inventory.hot_entries() WHERE items = 'items'::regclass;

SET client_min_messages = warning;
DROP SCHEMA hot_own_changes, hot_own_changes_stock CASCADE;
