-- Tests of what limits purchases of hot items, while it is changed: a change counts for other
-- sessions when it is committed, and not at all if it is rolled back.
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
\set schema hot_limits
\set limits on
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
INSERT INTO items (id, stock, purchase_limit) VALUES (1, 100, 2), (2, 100, NULL), (3, 100, 9);
SELECT inventory.attach('items', 'orders', ledger_schema => 'hot_limits_stock', sellable => 'live');
SELECT inventory.heat('items', n) FROM generate_series(1, 3) AS n;
SELECT buy_item('a', n) > 0 FROM generate_series(1, 3) AS n;

\echo '-- a purchase between a change that is committed and one that is rolled back'
UPDATE items SET purchase_limit = 3 WHERE id = 1;
BEGIN;
UPDATE items SET purchase_limit = NULL WHERE id = 1;
SELECT buy_item('b', 1, 20) > 0;
ROLLBACK;
SELECT error($$ SELECT buy_item('c', 1, 4) $$);
SELECT buy_item('c', 1, 3) > 0;
UPDATE items SET live = true, name = 'changed' WHERE id = 2;
BEGIN;
SAVEPOINT s;
UPDATE items SET live = false WHERE id = 2;
SELECT error($$ SELECT buy_item('b', 2) $$);
ROLLBACK TO s;
SELECT buy_item('b', 2) > 0;
COMMIT;
SELECT buy_item('c', 2) > 0;
UPDATE items SET live = false WHERE id = 2;
BEGIN;
UPDATE items SET live = true WHERE id = 2;
SELECT buy_item('b', 2) > 0;
ROLLBACK;
SELECT error($$ SELECT buy_item('c', 2) $$);

\echo '-- one that is committed counts from then on'
UPDATE items SET purchase_limit = 8 WHERE id = 3;
BEGIN;
UPDATE items SET purchase_limit = 2 WHERE id = 3;
SELECT error($$ SELECT buy_item('b', 3, 3) $$);
COMMIT;
SELECT error($$ SELECT buy_item('b', 3, 3) $$);
SELECT buy_item('b', 3, 2) > 0;
-- and for the transaction itself before, whatever the counter has
BEGIN;
SELECT buy_item('d', 3) > 0;
UPDATE items SET purchase_limit = 1 WHERE id = 3;
SELECT error($$ SELECT buy_item('d', 3) $$);
UPDATE items SET live = false WHERE id = 3;
SELECT error($$ SELECT buy_item('e', 3) $$);
ROLLBACK;
SELECT buy_item('d', 3, 2) > 0;
SELECT item_id, available FROM levels ORDER BY item_id;
SELECT * FROM inventory.verify('items');
SELECT inventory.cool('items');
\echo '-- a changed function of the condition, or a changed condition, counts for hot items at once'
CREATE SCHEMA hot_condition;
CREATE TABLE hot_condition.items (id int PRIMARY KEY, stock int NOT NULL, name text);
INSERT INTO hot_condition.items VALUES (1, 10, 'old'), (2, 10, 'old');
CREATE FUNCTION hot_condition.is_old(name text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT name = 'old' $$;
SELECT inventory.attach('hot_condition.items', ledger_schema => 'hot_condition', sellable => 'hot_condition.is_old(name)');
SELECT inventory.heat('hot_condition.items', 1);
SELECT hot_condition.buy_item('u', 1), hot_condition.buy_item('u', 2);
CREATE OR REPLACE FUNCTION hot_condition.is_old(name text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT name = 'new' $$;
SELECT hot_condition.buy_item('u', 1);
SELECT hot_condition.buy_item('u', 2);
CREATE OR REPLACE VIEW hot_condition.sellable AS SELECT i.id AS item_id FROM hot_condition.items AS i WHERE i.name = 'old';
SELECT hot_condition.buy_item('u', 1), hot_condition.buy_item('u', 2);
-- also a function behind an operator
CREATE FUNCTION hot_condition.like_it(a text, b text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT a = b $$;
CREATE OPERATOR hot_condition.=~ (LEFTARG = text, RIGHTARG = text, FUNCTION = hot_condition.like_it);
CREATE OR REPLACE VIEW hot_condition.sellable AS SELECT i.id AS item_id FROM hot_condition.items AS i WHERE i.name OPERATOR(hot_condition.=~) 'old';
SELECT hot_condition.buy_item('u', 1), hot_condition.buy_item('u', 2);
CREATE OR REPLACE FUNCTION hot_condition.like_it(a text, b text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT a <> b $$;
SELECT hot_condition.buy_item('u', 1);
SELECT hot_condition.buy_item('u', 2);
-- also a function that one of them calls, of which the view and the catalog of functions tell nothing
CREATE FUNCTION hot_condition.wanted(name text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN name = 'new'; END $$;
CREATE FUNCTION hot_condition.is_wanted(name text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN hot_condition.wanted(name); END $$;
CREATE OR REPLACE VIEW hot_condition.sellable AS SELECT i.id AS item_id FROM hot_condition.items AS i WHERE hot_condition.is_wanted(i.name);
SELECT hot_condition.buy_item('u', 1);
SELECT hot_condition.buy_item('u', 2);
CREATE OR REPLACE FUNCTION hot_condition.wanted(name text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN name = 'old'; END $$;
SELECT hot_condition.buy_item('u', 1), hot_condition.buy_item('u', 2);
SELECT inventory.cool('hot_condition.items');
SELECT stock FROM hot_condition.items ORDER BY id;
SELECT * FROM inventory.verify('hot_condition.items');
DROP SCHEMA hot_condition CASCADE;
DROP SCHEMA hot_limits, hot_limits_stock CASCADE;
