-- Tests of direct writes that leave less than nothing: without a floor column the floor binds
-- the engine's takes alone, and the shop's own constraints what others write; cold and hot alike.
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
\set schema direct_record
\set plain on
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
INSERT INTO items VALUES (1, 5), (2, 5), (3, -10), (4, -10);
SELECT inventory.attach('items', 'orders', ledger_schema => 'direct_record_stock');
\set include :abs_srcdir '/sql/include/no_worker.sql'
\i :include
INSERT INTO seen SELECT max(movement_id), true FROM movements;
SELECT inventory.heat('items', 2), inventory.heat('items', 4);

\echo '-- a row that stood below 0 before attach sells nothing, until there is enough'
SELECT buy_item('u', 3);
SELECT buy_item('u', 4);
SELECT status, available FROM try_buy_cart('u', '[{"item_id": 3}, {"item_id": 4}]');
SELECT available_stock(3), available_stock(4), restock_item(3, 4), restock_item(4, 4);
SELECT available_stock(3), available_stock(4), restock_item(3, 8), restock_item(4, 8);
SELECT buy_item('u', 3, 2) > 0, buy_item('u', 4, 2) > 0;
DO $$ BEGIN PERFORM inventory.settle('items'); END $$;
SELECT look();

\echo '-- an import, or the shop''s own backorders'
UPDATE items SET stock = -10 WHERE id = 1;
UPDATE items SET stock = -10 WHERE id = 2;
SELECT buy_item('u', 1);
SELECT buy_item('u', 2);
SELECT reserve_stock('u', 2);
INSERT INTO items VALUES (5, -5);
SELECT look(), available_stock(2);
SELECT adjust_stock(1, -1, 'lost');
SELECT adjust_stock(2, -1, 'lost');
SELECT refund_order(o.id) FROM orders AS o ORDER BY o.id;
DO $$ BEGIN PERFORM inventory.settle('items'); END $$;
SELECT look();
SELECT id, stock FROM items ORDER BY id;

\echo '-- with sales that the row does not have yet'
UPDATE items SET stock = 20 WHERE id = 2;
SELECT buy_item('u', 2, 15) > 0;
BEGIN;
UPDATE items SET stock = stock - 20 WHERE id = 2;
SAVEPOINT s;
SELECT buy_item('u', 2);
ROLLBACK TO s;
UPDATE items SET stock = stock - 100 WHERE id = 2;
ROLLBACK TO s;
SELECT available FROM inventory.hot_entries() AS e JOIN hot AS h USING (number) WHERE h.item_id = 2 AND e.items = 'items'::regclass;
COMMIT;
SELECT look(), inventory.settle('items'), stock FROM items WHERE id = 2;
SELECT stock, inventory.cool('items', 2) FROM items WHERE id = 2;
SELECT buy_item('u', 2);
SELECT inventory.heat('items', 2);
SELECT buy_item('u', 2);
SELECT restock_item(2, 16), buy_item('u', 2) > 0;
SELECT look();

\echo '-- the smallest'
SELECT inventory.settle('items') > 0;
UPDATE items SET stock = -2147483648 WHERE id IN (1, 2);
SELECT restock_item(1, 2147483647), restock_item(2, 2147483647);
SELECT restock_item(1, 2), restock_item(2, 2), buy_item('u', 1) > 0, buy_item('u', 2) > 0;
SELECT inventory.settle('items') > 0, look() !~ 'WRONG';
\echo '-- a counter cannot fall below what its row can have'
UPDATE items SET stock = 2 WHERE id = 2;
SELECT buy_item('u', 2, 2) > 0;
UPDATE items SET stock = -2147483647 WHERE id = 2;
\echo :SQLSTATE
UPDATE items SET stock = -2147483646 WHERE id = 2;
SELECT inventory.settle('items') > 0, stock FROM items WHERE id = 2;
SELECT look() !~ 'WRONG';
UPDATE items SET stock = 5 WHERE id IN (1, 2);

\echo '-- the shop''s own constraints bind them: of a hot item, what is left when it is settled'
UPDATE items SET stock = 0 WHERE stock < 0;
ALTER TABLE items ADD CONSTRAINT enough CHECK (stock >= -3);
SELECT buy_item('u', 2, 4) > 0;
UPDATE items SET stock = -4 WHERE id = 1;
\echo :SQLSTATE
UPDATE items SET stock = 0 WHERE id = 2;
\echo :SQLSTATE
UPDATE items SET stock = 1 WHERE id = 2;
UPDATE items SET stock = stock - 1 WHERE id = 2;
\echo :SQLSTATE
SELECT inventory.settle('items') > 0, stock FROM items WHERE id = 2;
SELECT look() !~ 'WRONG', inventory.cool('items'), stock FROM items WHERE id = 2;
DROP SCHEMA direct_record, direct_record_stock CASCADE;
