-- Tests of heat, cool and settle, and of what protects hot items from detach and DROP.
\pset format unaligned
\pset tuples_only on
\set schema hot_items
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
ALTER TABLE items ALTER stock_floor SET DEFAULT 0, ALTER stock_floor SET NOT NULL;
INSERT INTO items VALUES (1, 100), (2, 100), (3, NULL), (4, 10);
UPDATE items SET stock_floor = 5 WHERE id = 4;
SELECT inventory.attach('items', 'orders', ledger_schema => 'hot_items_stock');
-- The row in `hot` and the counter of every item that is or was hot.
CREATE VIEW hot_state AS
	SELECT h.item_id, h.hot, h.incarnation, e.state, e.available, e.held,
		   e.available = i.stock - i.stock_floor + (SELECT coalesce(sum(m.delta), 0) FROM movements AS m
			   WHERE m.item_id = h.item_id AND m.epoch > h.settled_epoch) AS exact,
		   i.stock = (SELECT sum(m.delta) FROM movements AS m WHERE m.item_id = h.item_id
					  AND (m.epoch IS NULL OR m.epoch <= h.settled_epoch)) AS settled_exact
	FROM hot AS h JOIN items AS i ON i.id = h.item_id
	LEFT JOIN inventory.hot_entries() AS e ON e.items = 'items'::regclass AND e.number = h.number ORDER BY h.item_id;

\echo '-- heat marks the item; it is hot after the commit, and the first call that needs it publishes its counter'
SELECT inventory.heat('items', 1);
SELECT hot, incarnation FROM hot;
SELECT inventory.heat('items', 1);
SELECT buy_item('u', 1);
SELECT * FROM hot_state;
BEGIN;
SELECT inventory.heat('items', 2);
ROLLBACK;
SELECT buy_item('u', 2);
SELECT * FROM hot_state;
BEGIN;
SAVEPOINT s;
SELECT inventory.heat('items', 2);
ROLLBACK TO s;
COMMIT;
SELECT buy_item('u', 2);
SELECT * FROM hot_state;
SELECT available, hot FROM levels WHERE item_id IN (1, 2) ORDER BY item_id;

\echo '-- refused: items that are unknown or not tracked, read-only transactions, other roles'
SELECT inventory.heat('items', 99);
\echo :SQLSTATE
SELECT inventory.heat('items', 3);
\echo :SQLSTATE
SELECT inventory.heat('items', NULL);
\echo :SQLSTATE
SELECT inventory.heat(NULL, 1);
\echo :SQLSTATE
SELECT inventory.heat('orders', 1);
\echo :SQLSTATE
SELECT inventory.heat('items', 'one'::text);
\echo :SQLSTATE
BEGIN READ ONLY;
SELECT inventory.heat('items', 2);
\echo :SQLSTATE
ROLLBACK;
BEGIN READ ONLY;
SELECT inventory.cool('items', 1);
\echo :SQLSTATE
ROLLBACK;
BEGIN READ ONLY;
SELECT inventory.settle('items');
\echo :SQLSTATE
ROLLBACK;
CREATE ROLE hot_items_stranger;
GRANT USAGE ON SCHEMA hot_items TO hot_items_stranger;
SET ROLE hot_items_stranger;
SELECT inventory.heat('items', 2);
\echo :SQLSTATE
SELECT inventory.cool('items');
\echo :SQLSTATE
SELECT inventory.settle('items');
\echo :SQLSTATE
SELECT * FROM inventory.hot_entries();
\echo :SQLSTATE
SELECT inventory.refuse_hot();
\echo :SQLSTATE
RESET ROLE;
SET ROLE pg_monitor;
SELECT count(*) >= 1 FROM inventory.hot_entries();
SELECT hot_items, hot_held, hot_holders FROM inventory.stats WHERE store_name = 'hot_items.items' AND operation = 'buy_item';
RESET ROLE;
DROP OWNED BY hot_items_stranger;
DROP ROLE hot_items_stranger;

\echo '-- settle brings the stock column up to date and does not change the counter'
SELECT count(buy_item('u', 1)) FROM generate_series(1, 9);
SELECT restock_item(1, 20), adjust_stock(1, -5, 'x');
SELECT inventory.settle('items') >= 0;
SELECT stock FROM items WHERE id = 1;
SELECT * FROM hot_state;
SELECT inventory.settle('items');
SELECT buy_item('u', 1) > 0;
SELECT available_stock(1);
BEGIN;
SELECT inventory.settle('items') >= 0;
ROLLBACK;
SELECT available_stock(1);
SELECT * FROM hot_state;
BEGIN;
SELECT inventory.settle('items') >= 0;
SELECT buy_item('u', 1) > 0;
COMMIT;
SELECT inventory.settle('items') >= 0;
SELECT stock FROM items WHERE id = 1;
SELECT inventory.settle(NULL);
\echo :SQLSTATE
SELECT inventory.settle('orders');
\echo :SQLSTATE
-- refused while this transaction itself has movements in flight
BEGIN;
SELECT buy_item('u', 1) > 0;
SELECT inventory.settle('items');
\echo :SQLSTATE
ROLLBACK;
BEGIN;
SELECT buy_item('u', 1) > 0;
SELECT inventory.cool('items', 1);
\echo :SQLSTATE
ROLLBACK;
BEGIN;
SELECT restock_item(1, 1) > 0;
SELECT inventory.cool('items');
\echo :SQLSTATE
ROLLBACK;
-- what was rolled back is no longer in flight
BEGIN;
SAVEPOINT s;
SELECT buy_item('u', 1) > 0;
ROLLBACK TO s;
SELECT inventory.settle('items') >= 0, inventory.cool('items', 1);
ROLLBACK;
SELECT * FROM hot_state;

\echo '-- settle works below the floor too, after a stock-take or a new floor'
SELECT inventory.heat('items', 4);
SELECT buy_item('u', 4, 2) > 0, count_stock(4, 3);
SELECT inventory.settle('items') >= 0;
SELECT stock FROM items WHERE id = 4;
SELECT restock_item(4, 10);
SELECT buy_item('u', 4, 2) > 0;
UPDATE items SET stock_floor = 12 WHERE id = 4;
SELECT buy_item('u', 4);
SELECT inventory.settle('items') >= 0;
SELECT stock FROM items WHERE id = 4;
SELECT available_stock(4);
SELECT * FROM inventory.verify('items');

\echo '-- cool, sell, heat, sell: the epochs continue, and nothing counts twice'
SELECT inventory.cool('items', 99);
\echo :SQLSTATE
SELECT inventory.cool('items', 2);
SELECT inventory.cool('items', 1);
SELECT * FROM hot_state;
SELECT stock FROM items WHERE id = 1;
SELECT buy_item('u', 1, 10) > 0;
SELECT stock FROM items WHERE id = 1;
CREATE TABLE was AS SELECT settled_epoch FROM hot WHERE item_id = 1;
SELECT inventory.heat('items', 1);
SELECT settled_epoch = (SELECT settled_epoch FROM was), incarnation FROM hot WHERE item_id = 1;
SELECT available_stock(1);
SELECT buy_item('u', 1, 10) > 0;
SELECT available_stock(1);
SELECT min(epoch) > (SELECT settled_epoch FROM was) FROM movements
	WHERE movement_id = (SELECT max(movement_id) FROM movements WHERE item_id = 1);
SELECT inventory.settle('items') >= 0;
SELECT * FROM hot_state;
-- twenty times
DO $$
BEGIN
	FOR n IN 1 .. 20 LOOP
		PERFORM inventory.cool('items', 1);
		COMMIT;
		PERFORM buy_item('u', 1);
		COMMIT;
		PERFORM inventory.heat('items', 1);
		COMMIT;
		PERFORM buy_item('u', 1);
		COMMIT;
	END LOOP;
END
$$;
SELECT available_stock(1);
SELECT * FROM hot_state WHERE item_id = 1;
SELECT * FROM inventory.verify('items');

\echo '-- heated, cooled and sold in one transaction'
BEGIN;
SELECT inventory.heat('items', 2), buy_item('u', 2) > 0;
COMMIT;
SELECT hot, incarnation FROM hot_state WHERE item_id = 2;
BEGIN;
SELECT inventory.cool('items', 2), buy_item('u', 2) > 0, inventory.heat('items', 2);
ROLLBACK;
SELECT available_stock(2);
SELECT hot, incarnation FROM hot_state WHERE item_id = 2;
BEGIN;
SELECT inventory.cool('items', 2), buy_item('u', 2) > 0;
ROLLBACK;
SELECT available_stock(2);
BEGIN;
SELECT inventory.cool('items', 2), buy_item('u', 2) > 0;
COMMIT;
SELECT available_stock(2);
SELECT hot, incarnation FROM hot_state WHERE item_id = 2;
BEGIN;
SELECT inventory.heat('items', 2), inventory.cool('items', 2), inventory.heat('items', 2);
COMMIT;
SELECT buy_item('u', 2) > 0;
SELECT hot, incarnation, state, exact FROM hot_state WHERE item_id = 2;

\echo '-- close_ledger keeps or removes the movements of a reservation together, though only some of them have an epoch'
BEGIN; -- so that nothing of it is settled
SELECT reserve_stock('u', 2, 3) AS confirmed, reserve_stock('u', 2, 4) AS released \gset
SELECT status FROM confirm_reservation(:'confirmed');
SELECT release_reservation(:'released');
SELECT close_ledger(clock_timestamp()) > 0;
SELECT * FROM inventory.verify('items');
COMMIT;
SELECT inventory.settle('items') >= 0;
SELECT close_ledger(clock_timestamp()) > 0;
SELECT count(*) FROM movements WHERE reservation_id IS NOT NULL;
SELECT * FROM inventory.verify('items');

\echo '-- a store cannot be detached, nor the extension dropped, while an item is hot'
SELECT inventory.detach('items');
\echo :SQLSTATE
DROP EXTENSION inventory CASCADE;
\echo :SQLSTATE
DROP SCHEMA inventory CASCADE;
\echo :SQLSTATE
SELECT inventory.refuse_hot();
\echo :SQLSTATE
SELECT inventory.cool('items');
SELECT inventory.refuse_hot();
BEGIN;
SELECT inventory.detach('items');
ROLLBACK;
BEGIN;
DROP EXTENSION inventory CASCADE;
ROLLBACK;
SELECT * FROM inventory.verify('items');

\echo '-- the tables can be dropped while items are hot, and the store is gone'
SELECT inventory.heat('items', 1), inventory.heat('items', 2);
SELECT buy_item('u', 1) > 0, buy_item('u', 2) > 0;
DROP SCHEMA hot_items, hot_items_stock CASCADE;
SELECT count(*) FROM inventory.store WHERE store_name = 'hot_items.items';
