-- Tests of inventory.prepared_timeout: a call does not wait indefinitely for what a prepared transaction has locked.
\set VERBOSITY default
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA prepared_wait;
SET search_path = prepared_wait, prepared_wait_stock;
CREATE TABLE items (id bigint PRIMARY KEY, stock int NOT NULL, purchase_limit int);
CREATE TABLE orders (id bigint PRIMARY KEY, user_id text, item_id bigint, quantity int NOT NULL);
CREATE SEQUENCE ids;
ALTER TABLE orders ALTER id SET DEFAULT nextval('ids');
INSERT INTO items VALUES (1, 100, NULL), (2, 100, NULL), (3, 100, 5);
SELECT inventory.attach('items', 'orders', ledger_schema => 'prepared_wait_stock', order_columns => '{id}');
SELECT '00000000-0000-4000-8000-0000000000a1' AS a, '00000000-0000-4000-8000-0000000000a2' AS b \gset

\echo '-- the error names the transaction'
SET inventory.prepared_timeout = '100ms';
BEGIN;
SELECT buy_item('ann', 1, 1, 'key');
PREPARE TRANSACTION 'prepared_wait_1';
SELECT buy_item('bob', 1);
\echo :SQLSTATE
SELECT buy_item('ann', 1, 1, 'key');
SET inventory.error_format = json;
SET inventory.http_errors = on;
SELECT buy_item('bob', 1);
\echo :SQLSTATE
RESET inventory.error_format;
RESET inventory.http_errors;
CREATE ROLE prepared_wait_buyer;
GRANT USAGE ON SCHEMA prepared_wait TO prepared_wait_buyer;
SELECT inventory.grant_api('items', 'prepared_wait_buyer', 'buyer');
SET ROLE prepared_wait_buyer;
SELECT buy_item('bob', 1);
RESET ROLE;
BEGIN;
REVOKE SELECT ON pg_catalog.pg_prepared_xacts FROM PUBLIC;
SET LOCAL ROLE prepared_wait_buyer;
SELECT buy_item('bob', 1);
ROLLBACK;
\set VERBOSITY terse
COMMIT PREPARED 'prepared_wait_1';
SELECT buy_item('ann', 1, 1, 'key');
SELECT buy_item('bob', 1);

\echo '-- each call that waits, for a row, a name or an entry of an index, with statements and without'
SELECT reserve_stock('ann', 2, 1, '1 day') AS held, buy_item('ann', 2, 2) AS sold \gset
CREATE FUNCTION outcome(call text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE 'SELECT ' || call;
	RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
CREATE TABLE calls (n int, call text);
INSERT INTO calls VALUES (1, $$buy_item('bob', 2)$$), (2, $$buy_cart('bob', '[{"item_id": 1}, {"item_id": 2}]')$$),
	(3, $$try_buy_item('bob', 2)$$), (4, $$reserve_stock('bob', 2)$$), (5, $$try_reserve_cart('bob', '[{"item_id": 2}]')$$),
	(6, format($$reserve_stock('ann', 1, 1, reservation_id => %L)$$, :'a')), (7, format('release_reservation(%L)', :'a')),
	(8, format('confirm_reservation(%L)', :'held')), (9, format('release_reservation(%L)', :'held')), (10, format('extend_reservation(%L)', :'held')),
	(11, format('change_reservation(%L, 1, 1)', :'held')), (12, format('decide_reservation(%L)', :'held')),
	(13, $$buy_item('ann', 3)$$), (14, $$buy_item('bob', 1, 1, NULL, '{"id": 77}')$$), (15, $$buy_item('cleo', 1, 1, 'key')$$),
	(16, format('refund_order(%s)', :'sold')), (17, 'restock_item(2, 1)');
BEGIN;
SELECT buy_item('ann', 2);
SELECT buy_item('ann', 3, 2);
SELECT reserve_stock('ann', 3, 1, reservation_id => :'a');
SELECT decide_reservation(:'held');
SELECT refund_order(:'sold', 1);
INSERT INTO orders VALUES (77, 'shop', 1, 1);
SELECT buy_item('cleo', 3, 1, 'key');
PREPARE TRANSACTION 'prepared_wait_2';
SELECT n, call, outcome(call) FROM (SELECT * FROM calls ORDER BY n OFFSET 0) AS c WHERE call !~ '[0-9a-f]{8}-';
SELECT n, outcome(call) FROM (SELECT * FROM calls ORDER BY n OFFSET 0) AS c WHERE call ~ '[0-9a-f]{8}-';
SET inventory.direct_access = off;
SELECT n, outcome(call) FROM (SELECT * FROM calls ORDER BY n OFFSET 0) AS c;
SET inventory.strategy = pessimistic;
SELECT outcome('buy_item(''bob'', 2)');
SET inventory.strategy = optimistic;
SELECT outcome('buy_item(''bob'', 2)');
RESET inventory.strategy;
RESET inventory.direct_access;

\echo '-- what is not locked is sold, and the timer of a call is over with it'
BEGIN;
SELECT buy_item('dan', 1), buy_item('dan', 1, 1, 'other key');
SAVEPOINT s;
SELECT buy_item('dan', 2);
ROLLBACK TO s;
SELECT buy_item('dan', 1);
SET LOCAL lock_timeout = '500ms';
UPDATE items SET stock = stock WHERE id = 2;
ROLLBACK;
SET lock_timeout = '20ms';
SELECT buy_item('dan', 2);
\echo :SQLSTATE
RESET lock_timeout;
SET inventory.prepared_timeout = 0;
SET statement_timeout = '500ms';
SELECT buy_item('dan', 2);
\echo :SQLSTATE
SET inventory.prepared_timeout = '1h';
SELECT buy_item('dan', 2);
\echo :SQLSTATE
RESET statement_timeout;
SET inventory.prepared_timeout = '100ms';

\echo '-- when it is rolled back, everything goes on'
ROLLBACK PREPARED 'prepared_wait_2';
SELECT n, outcome(call) FROM (SELECT * FROM calls ORDER BY n OFFSET 0) AS c;

\echo '-- a savepoint of the prepared transaction has the lock'
BEGIN;
SAVEPOINT s;
SELECT buy_item('ann', 2);
RELEASE s;
PREPARE TRANSACTION 'prepared_wait_3';
SELECT buy_item('bob', 2);
\echo :SQLSTATE
COMMIT PREPARED 'prepared_wait_3';
SELECT buy_item('bob', 2) IS NOT NULL AS bought;

\echo '-- a trigger of the shop that waits in a call, and one that catches the error'
CREATE TABLE log (id int PRIMARY KEY, n int);
INSERT INTO log VALUES (1, 0);
CREATE FUNCTION count_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE log SET n = n + 1;
	RETURN NULL;
EXCEPTION WHEN OTHERS THEN
	IF NEW.user_id = 'patient' THEN RETURN NULL; END IF;
	RAISE;
END
$$;
CREATE TRIGGER count_order AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION count_order();
BEGIN;
UPDATE log SET n = n + 1;
PREPARE TRANSACTION 'prepared_wait_4';
SELECT outcome('buy_item(''bob'', 1)');
SELECT outcome('buy_item(''patient'', 1)');
BEGIN;
SELECT buy_item('patient', 1) IS NOT NULL AS bought;
SELECT buy_item('patient', 1) IS NOT NULL AS bought;
COMMIT;
ROLLBACK PREPARED 'prepared_wait_4';

\echo '-- overdue holds of an item whose row is locked are not taken for units that the row refuses'
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/no_worker.sql'
\i :include
SELECT reserve_stock('ann', 1, 1, '1 microsecond') IS NOT NULL AS held;
BEGIN;
UPDATE items SET stock = stock WHERE id = 1;
PREPARE TRANSACTION 'prepared_wait_5';
SELECT expire_reservations();
\echo :SQLSTATE
SELECT outcome('expire_reservations()');
ROLLBACK PREPARED 'prepared_wait_5';
SELECT expire_reservations();
SELECT * FROM inventory.verify('items');
DROP SCHEMA prepared_wait, prepared_wait_stock CASCADE;
DROP ROLE prepared_wait_buyer;
