-- Tests of the least stock that a bigint can have: it is booked, counted and repaired as it
-- is; and what would be less is refused.
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
\set schema least_units
\set stock_type bigint
\set plain on
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
\set least -9223372036854775808
INSERT INTO items VALUES (1, 0), (2, 0), (3, :least), (4, 0), (5, 0);
SELECT inventory.attach('items', 'orders', ledger_schema => 'least_units_stock');
\set include :abs_srcdir '/sql/include/no_worker.sql'
\i :include

\echo '-- booked by attach, by a direct write, of a row that is inserted'
SELECT * FROM inventory.verify('items');
UPDATE items SET stock = :least WHERE id = 1;
INSERT INTO items VALUES (6, :least);
SELECT * FROM inventory.verify('items');
SELECT available_stock(1), available_stock(3), available_stock(6);
SELECT buy_item('u', 1);
SELECT restock_item(1, 9223372036854775807), restock_item(1, 2), buy_item('u', 1) > 0;
SELECT * FROM inventory.verify('items');

\echo '-- nothing is less'
SELECT adjust_stock(3, -1, 'lost');
UPDATE items SET stock = stock - 1 WHERE id = 3;
UPDATE items SET stock = 1 WHERE id = 4;
UPDATE items SET stock = :least WHERE id = 4;

\echo '-- repaired'
UPDATE items SET stock = 0 WHERE id = 4;
BEGIN;
ALTER TABLE items DISABLE TRIGGER inventory_guard;
UPDATE items SET stock = :least WHERE id = 4;
ALTER TABLE items ENABLE ALWAYS TRIGGER inventory_guard;
SELECT item_id, problem, expected, actual FROM inventory.verify('items', 4::bigint) WHERE problem ~ 'movements';
SELECT inventory.repair('items') IS NOT NULL;
SELECT item_id, problem, expected, actual FROM inventory.verify('items', 4::bigint) WHERE problem ~ 'movements';
ROLLBACK;

\echo '-- of a hot item the counter holds its negative, too'
SELECT restock_item(5, 10), inventory.heat('items', 5);
SELECT buy_item('u', 5, 2) > 0;
UPDATE items SET stock = :least WHERE id = 5;
UPDATE items SET stock = -9223372036854775798 WHERE id = 5;
SELECT available_stock(5);
SELECT * FROM inventory.verify('items');
SELECT inventory.cool('items', 5);
