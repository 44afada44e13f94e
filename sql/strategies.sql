-- Tests of inventory.strategy: the three ways to take stock from a row give the same answers.
\pset format unaligned
\set schema strategies
\set stock_type bigint
\set limits on
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
ALTER TABLE items ALTER version TYPE smallint;
ALTER TABLE orders ALTER quantity TYPE bigint;
LOAD 'inventory';

-- the settings
SHOW inventory.strategy;
SHOW inventory.optimistic_retries;
SET inventory.strategy = 'hopeful';
SET inventory.strategy = '';
SET inventory.strategy = Pessimistic;
SHOW inventory.strategy;
SET inventory.optimistic_retries = -1;
SET inventory.optimistic_retries = 'many';
SET inventory.optimistic_retries = 0;
SET inventory.strategie = atomic;
RESET inventory.strategy;
RESET inventory.optimistic_retries;
SHOW inventory.strategy;
SELECT name, setting, boot_val, min_val, max_val, enumvals, context FROM pg_settings
	WHERE name IN ('inventory.strategy', 'inventory.optimistic_retries', 'inventory.http_errors') ORDER BY name COLLATE "C";

SELECT inventory.attach('items', 'orders', ledger_schema => 'strategies_stock', sellable => 'live');
CREATE FUNCTION fill() RETURNS void LANGUAGE sql AS $$
	DELETE FROM items;
	INSERT INTO items (id, stock, stock_floor, purchase_limit, version) VALUES
		(1, 5, 0, NULL, 1), (2, 5, 3, NULL, 32767), (3, 5, -2, NULL, NULL), (4, NULL, 0, NULL, 7), (5, 50, 0, 3, 0), (6, -4, -10, NULL, -32768), (7, 5, NULL, NULL, 0);
	INSERT INTO items (id, stock, version, live) VALUES (8, 5, 1, false);
$$;
-- the same calls under a strategy, and what is left afterwards
CREATE FUNCTION trial(strategy text, buyer text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('inventory.strategy', strategy, true), fill();
	RETURN NEXT strategy || ': ' || (SELECT string_agg(left(attempt('SELECT ' || call), 5), ' ' ORDER BY n) FROM (VALUES
		(1, $q$buy_item('u', 1, 5)$q$), (2, $q$buy_item('u', 1)$q$), (3, $q$buy_item('u', 2, 3)$q$), (4, $q$buy_item('u', 2, 2)$q$),
		(5, $q$buy_item('u', 3, 7)$q$), (6, $q$buy_item('u', 3)$q$), (7, $q$buy_item('u', 4, 1000000)$q$),
		(8, format('buy_item(%L, 5, 2)', buyer)), (9, format('buy_item(%L, 5, 2)', buyer)), (10, format('buy_item(%L, 5, 1)', buyer)),
		(11, $q$buy_item('u', 6, 6)$q$), (12, $q$buy_item('u', 6, 9223372036854775807)$q$), (13, $q$buy_item('u', 7, 9223372036854775807)$q$),
		(14, $q$buy_item('u', 7, 3000000000)$q$), (15, $q$buy_item('u', 8)$q$), (16, $q$buy_item('u', 9)$q$),
		(17, $q$buy_cart('u', '[{"item_id": 7}, {"item_id": 6}]')$q$), (18, $q$buy_cart('u', '[{"item_id": 7}, {"item_id": 4}, {"item_id": 7}]')$q$)
	) AS v(n, call));
	RETURN NEXT (SELECT string_agg(format('%s:%s v%s', id, coalesce(stock::text, '-'), coalesce(version::text, '-')), '  ' ORDER BY id) FROM items);
	RETURN NEXT (SELECT count(*) FROM inventory.verify('items')) || ' problems';
END
$$;
\pset tuples_only on
SELECT trial('atomic', 'ada');
SELECT trial('pessimistic', 'bob');
SELECT trial('optimistic', 'cid');

-- every write of the engine increments the version, so an ORM that saves a stale copy
-- of the row notices it
SELECT fill();
SELECT strategies_stock.restock_item(1, 1), strategies_stock.adjust_stock(1, 1, 'x'), strategies_stock.count_stock(1, 9),
	buy_item('u', 1) > 0, (SELECT count(*) FROM buy_cart('u', '[{"item_id": 1}, {"item_id": 2}]'));
WITH saved AS (UPDATE items SET stock = 4, version = 2 WHERE id = 1 AND version = 1 RETURNING 1) SELECT count(*) FROM saved;
SELECT version FROM items WHERE id = 1;

-- without a version column the optimistic strategy compares the stock
SELECT inventory.detach('items');
ALTER TABLE items DROP COLUMN version;
SELECT inventory.attach('items', 'orders', ledger_schema => 'strategies_stock', sellable => 'live');
ALTER TABLE items ADD COLUMN version smallint;
SELECT trial('optimistic', 'dan');
SELECT trial('atomic', 'eve');

-- an update that never finds its row gives up after the number of retries that is set
CREATE SEQUENCE attempts;
CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM nextval(''strategies.attempts''); RETURN NULL; END';
CREATE TRIGGER late BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION late();
SET inventory.strategy = optimistic;
SET inventory.optimistic_retries = 3;
SELECT buy_item('u', 7);
\echo :SQLSTATE
SELECT last_value FROM attempts;
SET inventory.optimistic_retries = 0;
SELECT buy_item('u', 7);
SELECT last_value FROM attempts;
SET inventory.strategy = pessimistic;
SELECT buy_item('u', 7);
SET inventory.strategy = atomic;
SELECT buy_item('u', 7);
\echo :SQLSTATE
DROP TRIGGER late ON items;
-- an update that misses its row once succeeds at the second attempt
CREATE FUNCTION rival() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF nextval('strategies.attempts') % 2 = 0 THEN
		RETURN NULL;
	END IF;
	RETURN NEW;
END
$$;
CREATE TRIGGER rival BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION rival();
SELECT setval('attempts', 1);
SET inventory.strategy = optimistic;
SET inventory.optimistic_retries = 1;
SELECT buy_item('u', 7) > 0;
SELECT last_value FROM attempts;
DROP TRIGGER rival ON items;
SELECT * FROM inventory.verify('items');

\pset tuples_only off
DROP SCHEMA strategies, strategies_stock CASCADE;
