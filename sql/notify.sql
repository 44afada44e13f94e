-- Door: inventory.notify.  Who takes the last unit that may be sold, or brings the
-- first one back, notifies channel inventory when it commits; nobody else does.
-- What psql prints of a notification goes through sed, which takes the PID away.
\set SHOW_CONTEXT never
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA notify;
SET search_path = notify, notify_stock;
CREATE TABLE items (id text PRIMARY KEY, stock integer, stock_floor integer);
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id text, item_id text, quantity integer);
INSERT INTO items VALUES ('mug', 3, 0), ('pen', 2, 0), ('safe', 5, 4), ('debt', 1, -1), ('pdf', NULL, 0), ('"quoted" \ ä', 1, 0);
SELECT inventory.attach('items', 'orders', ledger_schema => 'notify_stock', store_name => 'the "shop"');
LISTEN inventory;
\o | sed -e 's/Asynchronous notification/notified/' -e 's/ received from server process.*//'
\qecho '-- off by default'
SHOW inventory.notify;
SELECT buy_item('u', 'mug', 3);
SELECT refund_order(1);
\qecho '-- the last unit, and only it'
SET inventory.notify = on;
SELECT buy_item('u', 'mug', 2) > 0;
SELECT buy_item('u', 'mug') > 0;
SELECT restock_item('mug', 2);
SELECT restock_item('mug', 2);
\qecho '-- not before the commit, and not without'
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
\qecho '-- a cart: each item that ran out; keys that need quotes'
SELECT status FROM buy_cart('u', '[{"item_id": "mug", "quantity": 5}, {"item_id": "pen"}, {"item_id": "\"quoted\" \\ ä"}, {"item_id": "pdf", "quantity": 9}]');
SELECT status FROM try_buy_cart('u', '[{"item_id": "pen"}, {"item_id": "mug"}]');
\qecho '-- holds: taken, released, changed, expired; confirming moves nothing'
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
\qecho '-- a buyer who expires the hold and takes its unit: it is where it was'
SELECT reserve_stock('u', 'pen', 1, '1 microsecond') IS NOT NULL;
SELECT buy_item('u', 'pen') > 0;
\qecho '-- refund, adjustment, stock-take'
SELECT refund_order(1, 1);
SELECT refund_order(2, 1);
SELECT refund_order(2, 1, false);
SELECT adjust_stock('pen', -1, 'lost');
SELECT count_stock('pen', 7);
SELECT adjust_stock('pen', -7, 'lost');
\qecho '-- floors: what is left is not for sale; owed is as good as gone'
SELECT buy_item('u', 'safe') > 0;
SELECT restock_item('safe', 1);
SELECT buy_item('u', 'debt') > 0;
SELECT buy_item('u', 'debt') > 0;
SELECT restock_item('debt', 1);
\qecho '-- direct writes; nothing for what is new, gone, or without number before or after'
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
\qecho '-- to and fro in a transaction: what counts is where it ends'
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
-- the payload is JSON, and its listeners can do without psql
SELECT pg_notification_queue_usage() < 0.5;
UNLISTEN inventory;
RESET inventory.notify;
SELECT * FROM inventory.verify('items');
\pset tuples_only off
DROP SCHEMA notify, notify_stock CASCADE;
