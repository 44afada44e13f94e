-- Tests of reservations whose ids the caller gives, of decide_reservation and of open_reservations.
\set VERBOSITY default
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA given;
SET search_path = given, given_stock;
CREATE TABLE items (id bigint PRIMARY KEY, stock int NOT NULL);
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id text, item_id bigint, quantity int NOT NULL);
INSERT INTO items VALUES (1, 5), (2, 5), (3, 5);
SELECT inventory.attach('items', 'orders', ledger_schema => 'given_stock');
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/no_worker.sql'
\i :include
SELECT '00000000-0000-4000-8000-00000000000a' AS a, '00000000-0000-4000-8000-00000000000b' AS b,
	'00000000-0000-4000-8000-00000000000c' AS c, '00000000-0000-4000-8000-00000000000d' AS d \gset

\echo '-- the same id is the same reservation'
SELECT reserve_stock('ann', 1, 2, reservation_id => :'a');
SELECT reserve_stock('ann', 1, 2, reservation_id => :'a');
SELECT status, reservation_id, expires_at IS NOT NULL FROM try_reserve_cart('ann', '[{"item_id": 1, "quantity": 2}]', reservation_id => :'a');
SELECT * FROM available_stocks('{1,2,3}');
SELECT item_id, quantity, user_id, decided, expires_at > now() AS open FROM open_reservations;

\echo '-- of another user, item or quantity it is another one'
SELECT reserve_stock('bob', 1, 2, reservation_id => :'a');
SELECT reserve_stock('ann', 1, 3, reservation_id => :'a');
SELECT reserve_cart('ann', '[{"item_id": 1, "quantity": 2}, {"item_id": 2}]', reservation_id => :'a');
SELECT reserve_stock(NULL, 1, 2, reservation_id => :'a');

\echo '-- a line that was removed is not part of it'
SELECT reserve_cart('ann', '[{"item_id": 2}, {"item_id": 3}]', reservation_id => :'b');
SELECT change_reservation(:'b', 3, 0) IS NOT NULL AS changed;
SELECT reserve_cart('ann', '[{"item_id": 2}]', reservation_id => :'b');
SELECT reserve_cart('ann', '[{"item_id": 2}, {"item_id": 3}]', reservation_id => :'b');

\set VERBOSITY terse
\echo '-- confirmed, it is still the answer; released, it is over'
SELECT order_id FROM confirm_reservation(:'a');
SELECT reserve_stock('ann', 1, 2, reservation_id => :'a');
SELECT release_reservation(:'b');
SELECT reserve_cart('ann', '[{"item_id": 2}, {"item_id": 3}]', reservation_id => :'b');
SELECT reserve_cart('bob', '[{"item_id": 2}, {"item_id": 3}]', reservation_id => :'b');
SELECT * FROM try_reserve_cart('ann', '[{"item_id": 2}, {"item_id": 3}]', reservation_id => :'b');
SELECT * FROM try_reserve_cart('ann', '[{"item_id": 2}, {"item_id": 3}]', NULL, 'key-1', :'b');
SELECT * FROM try_reserve_cart('ann', '[{"item_id": 2}, {"item_id": 3}]', NULL, 'key-1', :'b');
SELECT reserve_stock('cleo', 3, 1, '1 millisecond', reservation_id => :'c');
SELECT pg_sleep(0.01);
SELECT reserve_stock('cleo', 3, 1, '1 hour', reservation_id => :'c');
SELECT status FROM try_reserve_cart('cleo', '[{"item_id": 3}]', reservation_id => :'c');

\echo '-- with a key, the id is one of the arguments'
SELECT reserve_stock('dan', 3, 1, NULL, 'key-2', :'d');
SELECT reserve_stock('dan', 3, 1, NULL, 'key-2', :'d');
SELECT reserve_stock('dan', 3, 1, NULL, 'key-2', gen_random_uuid());
SELECT reserve_stock('dan', 3, 1, reservation_id => :'d');

\echo '-- a decided reservation does not expire, and neither an extension nor prune changes that'
SELECT reserve_stock('eve', 2, 2, '1 second') AS e \gset
SELECT decide_reservation(:'e'), decide_reservation(:'e', 'eve');
SELECT extend_reservation(:'e', '1 hour'), change_reservation(:'e', 1, 1);
SELECT item_id, quantity, decided, expires_at FROM open_reservations WHERE user_id = 'eve' ORDER BY item_id;
SELECT quantity, expires_at FROM my_reservations('eve');
SELECT pg_sleep(1.1);
SELECT expire_reservations();
SELECT status, item_id FROM get_reservation(:'e');
SELECT decide_reservation(:'e', 'bob');
SELECT decide_reservation(gen_random_uuid());
SELECT decide_reservation(NULL);
SELECT item_id, status FROM confirm_reservation(:'e');
SELECT decide_reservation(:'e');
SELECT prune('0.001 seconds') > 0 AS pruned;
SELECT item_id, replayed FROM confirm_reservation(:'e');
SELECT decide_reservation(:'c');
SELECT reserve_stock('eve', 2, 1) AS f \gset
SELECT decide_reservation(:'f');
SELECT release_reservation(:'f'), release_reservation(:'f');
SELECT decide_reservation(:'f');

-- decided ones that have ended are still known, others are not
SELECT reserve_stock('eve', 2, 1) AS g \gset
SELECT item_id FROM confirm_reservation(:'g');
UPDATE reservations SET created_at = created_at - interval '1 year', expires_at = expires_at - interval '1 year' WHERE reservation_id IN (:'e', :'f', :'g');
SELECT prune('1 day') > 0 AS pruned;
SELECT item_id, replayed FROM confirm_reservation(:'e');
SELECT release_reservation(:'f');
SELECT confirm_reservation(:'f');
SELECT confirm_reservation(:'g');
SELECT count(*) FROM reservations WHERE reservation_id IN (:'e', :'f', :'g');
DELETE FROM reservations WHERE status <> 'held' AND expires_at = 'infinity' AND created_at < now() + interval '1 day';
SELECT confirm_reservation(:'e');

\echo '-- released before it is made, it holds nothing'
SELECT '00000000-0000-4000-8000-0000000000a1' AS t, '00000000-0000-4000-8000-0000000000a2' AS u,
	'00000000-0000-4000-8000-0000000000a3' AS v \gset
SELECT sum(stock) AS units FROM items \gset
SELECT release_reservation(:'t'), release_reservation(:'t'), release_reservation(:'t', 'ann');
SELECT operation, key, user_id, result FROM requests WHERE operation = 'release_reservation';
SELECT reserve_stock('ann', 2, 1, reservation_id => :'t');
SELECT reserve_cart('bob', '[{"item_id": 2}, {"item_id": 3}]', reservation_id => :'t');
SELECT * FROM try_reserve_cart('ann', '[{"item_id": 2}]', reservation_id => :'t');
SELECT status FROM try_reserve_cart(NULL, '[{"item_id": 2}]', NULL, 'key-3', :'t');
SELECT status FROM try_reserve_cart(NULL, '[{"item_id": 2}]', NULL, 'key-3', :'t');
SELECT confirm_reservation(:'t');
SELECT extend_reservation(:'t');
SELECT change_reservation(:'t', 2, 1);
SELECT decide_reservation(:'t', 'ann');
SELECT * FROM get_reservation(:'t');
SELECT count(*) FROM reservations WHERE reservation_id = :'t';
SELECT count(*) FROM open_reservations WHERE reservation_id = :'t';
SELECT release_reservation(:'u', 'ann');
SELECT reserve_stock('ann', 2, 1, reservation_id => :'u');
SELECT release_reservation(NULL);
BEGIN;
SAVEPOINT s;
SELECT release_reservation(:'v');
ROLLBACK TO s;
SELECT reserve_stock('ann', 2, 1, reservation_id => :'v');
SAVEPOINT s;
SELECT release_reservation(:'v');
ROLLBACK TO s;
SELECT status FROM get_reservation(:'v');
ROLLBACK;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT release_reservation(:'v');
SELECT reserve_stock('ann', 2, 1, reservation_id => :'v');
ROLLBACK;
SELECT inventory.heat('items', 2);
SELECT reserve_stock('ann', 2, 1, reservation_id => :'t');
SELECT inventory.cool('items', 2);
SET inventory.http_errors = on;
SELECT reserve_stock('ann', 2, 1, reservation_id => :'t');
\echo :SQLSTATE
RESET inventory.http_errors;
SET inventory.direct_access = off;
SELECT release_reservation(:'v'), release_reservation(:'t');
SELECT reserve_stock('ann', 2, 1, reservation_id => :'v');
RESET inventory.direct_access;
SELECT sum(stock) = :units AS nothing_held FROM items;
-- prune forgets it when it is old
SELECT prune('1 hour');
SELECT reserve_stock('ann', 2, 1, reservation_id => :'t');
SELECT prune('0 seconds') > 0 AS pruned;
SELECT reserve_stock('ann', 2, 1, reservation_id => :'t');
SELECT release_reservation(:'t');

\echo '-- hot'
SELECT inventory.heat('items', 1), inventory.heat('items', 2);
SELECT reserve_cart('fay', '[{"item_id": 2}, {"item_id": 1}]', reservation_id => '00000000-0000-4000-8000-00000000000e');
SELECT reserve_cart('fay', '[{"item_id": 1}, {"item_id": 2}]', reservation_id => '00000000-0000-4000-8000-00000000000e');
SELECT decide_reservation('00000000-0000-4000-8000-00000000000e');
SELECT item_id, decided FROM open_reservations WHERE user_id = 'fay' ORDER BY item_id;
SELECT release_reservation('00000000-0000-4000-8000-00000000000e');
SELECT * FROM inventory.verify('items');

\echo '-- only operators decide, and see what is open'
CREATE ROLE given_buyer;
CREATE ROLE given_operator;
SELECT inventory.grant_api('items', 'given_buyer', 'buyer');
SELECT inventory.grant_api('items', 'given_operator', 'buyer');
SELECT inventory.grant_api('items', 'given_operator', 'operator');
SELECT has_function_privilege('given_buyer', 'given_stock.decide_reservation(uuid, text)', 'EXECUTE') AS decides,
	has_table_privilege('given_buyer', 'given_stock.open_reservations', 'SELECT') AS sees;

\echo '-- a buyer cannot release what is not there, and is told what an operator has released'
GRANT USAGE ON SCHEMA given TO given_buyer, given_operator;
SET ROLE given_buyer;
SELECT release_reservation(:'u'), release_reservation(:'v');
SELECT release_reservation('00000000-0000-4000-8000-0000000000a4');
SET ROLE given_operator;
SELECT release_reservation('00000000-0000-4000-8000-0000000000a4');
SET ROLE given_buyer;
SELECT release_reservation('00000000-0000-4000-8000-0000000000a4');
SELECT reserve_stock('ann', 2, 1, reservation_id => '00000000-0000-4000-8000-0000000000a4');
RESET ROLE;

\echo '-- the view and its grants stay when the store is attached again, moved, and retyped'
GRANT SELECT ON open_reservations TO given_buyer;
CREATE VIEW decided AS SELECT * FROM open_reservations WHERE decided;
SELECT inventory.attach('items', 'orders', ledger_schema => 'given_stock', max_ttl => '2 days');
SELECT inventory.refresh('items');
SELECT inventory.cool('items');
\set VERBOSITY default
SELECT inventory.retype('items', 'items.id', 'int');
DROP VIEW decided;
SELECT inventory.retype('items', 'items.id', 'int');
SELECT has_table_privilege('given_buyer', 'given_stock.open_reservations', 'SELECT') AS sees;
SELECT inventory.detach('items');
SELECT to_regclass('given_stock.open_reservations');
SELECT inventory.attach('items', 'orders', ledger_schema => 'given_stock');
SELECT count(*) FROM open_reservations;
DROP SCHEMA given, given_stock CASCADE;
DROP ROLE given_buyer, given_operator;
