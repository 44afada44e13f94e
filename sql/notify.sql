-- Tests of inventory.notify: a transaction that sells out an item, or makes it available
-- again, notifies channel inventory at its commit, and no other transaction does.
-- sed removes the PID from what psql prints of a notification.
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
\set schema notify
\set item_type text
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
INSERT INTO items VALUES ('mug', 3, 0), ('pen', 2, 0), ('safe', 5, 4), ('debt', 1, -1), ('pdf', NULL, 0), ('"quoted" \ ä', 1, 0);
SELECT inventory.attach('items', 'orders', ledger_schema => 'notify_stock', store_name => 'the "shop"');
\set include :abs_srcdir '/sql/include/no_worker.sql'
\i :include
LISTEN inventory;
\o | sed -e 's/Asynchronous notification/notified/' -e 's/ received from server process.*//'
\qecho '-- off by default'
SHOW inventory.notify;
SELECT buy_item('u', 'mug', 3);
SELECT refund_order(1);
\qecho '-- only the sale of the last unit notifies, and the return of the first'
SET inventory.notify = on;
SELECT buy_item('u', 'mug', 2) > 0;
SELECT buy_item('u', 'mug') > 0;
SELECT restock_item('mug', 2);
SELECT restock_item('mug', 2);
\qecho '-- at the commit, and not if the transaction is rolled back'
BEGIN;
SELECT buy_item('u', 'mug', 4) > 0;
ROLLBACK;
BEGIN;
SELECT buy_item('u', 'mug', 4) > 0;
SELECT 'still in the transaction';
COMMIT;
BEGIN;
SAVEPOINT s;
SELECT restock_item('mug', 1);
ROLLBACK TO s;
SELECT restock_item('mug', 5);
COMMIT;
\qecho '-- a cart notifies for each item that sold out; keys that need quotes'
SELECT status FROM buy_cart('u', '[{"item_id": "mug", "quantity": 5}, {"item_id": "pen"}, {"item_id": "\"quoted\" \\ ä"}, {"item_id": "pdf", "quantity": 9}]');
SELECT status FROM try_buy_cart('u', '[{"item_id": "pen"}, {"item_id": "mug"}]');
\qecho '-- holds that are made, released, changed, expired; a confirmation notifies nothing'
SELECT reserve_stock('u', 'pen') AS r \gset
SELECT release_reservation(:'r');
SELECT reserve_stock('u', 'pen') AS r \gset
SELECT status FROM confirm_reservation(:'r');
SELECT restock_item('pen', 2);
SELECT reserve_cart('u', '[{"item_id": "pen"}]') AS r \gset
SELECT change_reservation(:'r', 'pen', 2) IS NOT NULL;
SELECT change_reservation(:'r', 'pen', 1) IS NOT NULL;
UPDATE reservations SET expires_at = created_at WHERE reservation_id = :'r';
SELECT buy_item('u', 'pen') > 0;
SELECT expire_reservations();
\qecho '-- a buyer that expires a hold and takes its unit: nothing has changed'
SELECT reserve_stock('u', 'pen', 1, '1 microsecond') IS NOT NULL;
SELECT buy_item('u', 'pen') > 0;
\qecho '-- refund, adjustment, stock-take'
SELECT refund_order(1, 1);
SELECT refund_order(2, 1);
SELECT refund_order(2, 1, false);
SELECT adjust_stock('pen', -1, 'lost');
SELECT count_stock('pen', 7);
SELECT adjust_stock('pen', -7, 'lost');
\qecho '-- floors: sold out at the safety stock; with backorders at the negative floor'
SELECT buy_item('u', 'safe') > 0;
SELECT restock_item('safe', 1);
SELECT buy_item('u', 'debt') > 0;
SELECT buy_item('u', 'debt') > 0;
SELECT restock_item('debt', 1);
\qecho '-- direct writes; nothing for items that are inserted, deleted, or not tracked before or after'
UPDATE items SET stock = 2 WHERE id = 'pen';
UPDATE items SET stock = stock + 1;
UPDATE items SET stock = 0 WHERE id = 'pen';
UPDATE items SET stock = NULL WHERE id = 'pen';
UPDATE items SET stock = 3 WHERE id IN ('pen', 'pdf');
INSERT INTO items VALUES ('new', 3, 0);
DELETE FROM items WHERE id = 'new';
\qecho '-- each strategy'
SET inventory.strategy = pessimistic;
SELECT buy_item('u', 'pen', 3) > 0;
SELECT restock_item('pen', 3);
SET inventory.strategy = optimistic;
SELECT buy_item('u', 'pen', 3) > 0;
RESET inventory.strategy;
\qecho '-- several changes in a transaction: the last one counts'
BEGIN;
SELECT restock_item('pen', 1);
SELECT buy_item('u', 'pen') > 0;
SAVEPOINT s;
SELECT restock_item('pen', 1), restock_item('safe', 1);
RELEASE s;
SAVEPOINT s;
SELECT buy_item('u', 'pen') > 0;
ROLLBACK TO s;
COMMIT;
BEGIN;
SELECT buy_item('u', 'pen') > 0;
SELECT restock_item('pen', 1);
COMMIT;
\o
-- the queue of notifications is not filling up
SELECT pg_notification_queue_usage() < 0.5;
UNLISTEN inventory;
RESET inventory.notify;
SELECT * FROM inventory.verify('items');
\pset tuples_only off
DROP SCHEMA notify, notify_stock CASCADE;
