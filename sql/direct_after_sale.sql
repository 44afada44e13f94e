-- Tests of sales that the shop's own code counted a second time, while direct writes were recorded.
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
\set schema direct_after_sale
\set plain on
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
INSERT INTO items SELECT n, 100 FROM generate_series(1, 12) AS n;
SELECT inventory.attach('items', 'orders', ledger_schema => 'direct_after_sale_stock');
\set include :abs_srcdir '/sql/include/no_worker.sql'
\i :include
CREATE FUNCTION found() RETURNS SETOF text LANGUAGE sql AS $$ SELECT format('%s %s %s', item_id, problem, actual) FROM inventory.verify('items') $$;

\echo '-- the same units in one transaction: before the sale, after it, in two writes, of a cart, by a trigger'
BEGIN; SELECT buy_item('u', 1, 2) > 0; UPDATE items SET stock = stock - 2 WHERE id = 1; COMMIT;
BEGIN; UPDATE items SET stock = stock - 1 WHERE id = 2; SELECT buy_item('u', 2) > 0; COMMIT;
BEGIN; SELECT buy_item('u', 1, 5) > 0; UPDATE items SET stock = stock - 2 WHERE id = 1; UPDATE items SET stock = stock - 3 WHERE id = 1; COMMIT;
BEGIN; SELECT count(*) FROM buy_cart('u', '[{"item_id": 3}, {"item_id": 3}, {"item_id": 4}]'); UPDATE items SET stock = stock - 2 WHERE id = 3; COMMIT;
CREATE FUNCTION decrement() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE items SET stock = stock - NEW.quantity WHERE id = NEW.item_id; RETURN NULL; END $$;
CREATE TRIGGER decrement AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION decrement();
SELECT buy_item('u', 5, 3) > 0;
SELECT count(*) FROM try_buy_cart('u', '[{"item_id": 5}]');
SELECT inventory.heat('items', 6);
SELECT buy_item('u', 6, 3) > 0;
DROP TRIGGER decrement ON orders;

\echo '-- not the same: another transaction, amount, direction or item; rolled back; the transaction that made the item'
SELECT buy_item('u', 7, 2) > 0;
UPDATE items SET stock = stock - 2 WHERE id = 7;
BEGIN; SELECT buy_item('u', 8, 2) > 0; UPDATE items SET stock = stock - 1 WHERE id = 8; UPDATE items SET stock = stock + 2 WHERE id = 9; COMMIT;
BEGIN; SELECT buy_item('u', 9, 2) > 0; UPDATE items SET stock = stock - 2 WHERE id = 10; COMMIT;
BEGIN; SELECT buy_item('u', 11, 2) > 0; SAVEPOINT s; UPDATE items SET stock = stock - 2 WHERE id = 11; ROLLBACK TO s; COMMIT;
BEGIN; INSERT INTO items VALUES (13, 10); SELECT buy_item('u', 13, 2) > 0; UPDATE items SET stock = stock - 2 WHERE id = 13; COMMIT;
\echo '-- one of them in a savepoint: not seen; both: seen'
BEGIN; SELECT buy_item('u', 11, 2) > 0; SAVEPOINT s; UPDATE items SET stock = stock - 2 WHERE id = 11; COMMIT;
BEGIN; SAVEPOINT s; SELECT buy_item('u', 12, 2) > 0; UPDATE items SET stock = stock - 2 WHERE id = 12; COMMIT;

\echo '-- where direct writes are recorded, the shop may mean both'
SELECT found();
SELECT inventory.cool('items');
SELECT inventory.detach('items');
SELECT inventory.attach('items', 'orders', ledger_schema => 'direct_after_sale_stock', direct_writes => 'keep');
SELECT found();
SELECT item_id, problem, expected, actual FROM inventory.verify('items', 1);
SELECT * FROM inventory.repair('items', 1::text);
\echo '-- until the units are counted'
SELECT count_stock(1, 93), count_stock(5, 96), count_stock(2, 98);
SELECT found();
\echo '-- a ledger that was restored does not show its transactions'
CREATE TABLE copy AS SELECT * FROM movements;
TRUNCATE movements;
INSERT INTO movements OVERRIDING SYSTEM VALUE SELECT * FROM copy ORDER BY movement_id;
SELECT found();
\echo '-- TRUNCATE writes into the movements of the lines, and books what was left of the items'
INSERT INTO items VALUES (14, 4);
SELECT buy_item('u', 14, 2) > 0;
TRUNCATE items, orders;
SELECT found();
DROP SCHEMA direct_after_sale, direct_after_sale_stock CASCADE;
