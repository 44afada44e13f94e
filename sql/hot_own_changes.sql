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
-- What the tables have, whether a unit more is sold, and what verify() says.
CREATE FUNCTION stock_of_one() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	units bigint := available_stock(1);
	oversold boolean := true;
BEGIN
	BEGIN
		PERFORM buy_item('u', 1, units + 1);
	EXCEPTION WHEN SQLSTATE 'IV001' THEN
		oversold := false;
	END;
	RETURN concat_ws(' ', units, (SELECT sum(delta) FROM hot_own_changes_stock.movements WHERE item_id = 1),
		CASE WHEN oversold THEN 'oversold' END, (SELECT string_agg(v::text, ', ') FROM inventory.verify('items') AS v));
END
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
SELECT stock_of_one();
SELECT inventory.cool('items');
SELECT stock_of_one();

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
SELECT stock_of_one();
SELECT inventory.cool('items');
SELECT stock_of_one();

\echo '-- emptied, and altered: no snapshot has what is committed'
CALL sell_in_two_epochs();
BEGIN;
TRUNCATE hot_own_changes_stock.movements;
SELECT buy_item('u', 1) > 0;
ROLLBACK;
SELECT stock_of_one();
SELECT inventory.refresh('items');
BEGIN;
ALTER TABLE hot_own_changes_stock.movements DROP epoch CASCADE, ADD epoch bigint;
SELECT buy_item('u', 1) > 0;
\echo :SQLSTATE
ROLLBACK;
SELECT stock_of_one();
SELECT inventory.cool('items');
SELECT stock_of_one();

-- An item whose counter is not published, and a directory that is to be filled again: a write of
-- the row after the refresh ends the counter, and another item becomes hot, or cold.
CREATE PROCEDURE forget() LANGUAGE plpgsql AS $$
BEGIN
	PERFORM inventory.refresh('items');
	COMMIT;
	UPDATE items SET name = name WHERE id = 1;
	COMMIT;
	IF NOT inventory.heat('items', 2) THEN
		PERFORM inventory.cool('items', 2);
	END IF;
END
$$;
\echo '-- the mark of the hot item is deleted'
CALL sell_in_two_epochs();
CALL forget();
BEGIN;
DELETE FROM hot_own_changes_stock.hot;
SELECT buy_item('u', 1) > 0;
ROLLBACK;
SELECT stock_of_one();
CALL forget();
BEGIN;
TRUNCATE hot_own_changes_stock.hot;
SELECT buy_item('u', 1) > 0;
ROLLBACK;
SELECT stock_of_one();
CALL forget();
BEGIN;
UPDATE hot_own_changes_stock.hot SET hot = false;
SELECT buy_item('u', 1) > 0;
ROLLBACK;
SELECT stock_of_one();
SELECT inventory.cool('items');
SELECT stock_of_one();

\echo '-- marked by hand'
BEGIN;
UPDATE hot_own_changes_stock.hot SET hot = true;
SELECT buy_item('u', 1) > 0;
ROLLBACK;
SELECT buy_item('u', 1) > 0;
SELECT stock_of_one(), count(*) FROM inventory.hot_entries() WHERE items = 'items'::regclass;

SET client_min_messages = warning;
DROP SCHEMA hot_own_changes, hot_own_changes_stock CASCADE;
