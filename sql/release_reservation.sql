-- Tests of release_reservation, extend_reservation and get_reservation.
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
\set schema release_reservation
\set item_type 'text COLLATE "C"'
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
INSERT INTO items VALUES ('mug', 10, 0), ('Mug', 10, 0), ('Zoo', 10, 0), ('älg', 10, 12), ('pdf', NULL, 0);
SELECT inventory.attach('items', 'orders', ledger_schema => 'release_reservation_stock', max_ttl => '1 hour');
CREATE VIEW stock AS SELECT string_agg(concat_ws(' ', item_id, available, reserved, on_hand), ', ' ORDER BY item_id) FROM levels;
CREATE FUNCTION until(r uuid) RETURNS interval LANGUAGE sql AS $$
	SELECT DISTINCT expires_at - created_at FROM reservations WHERE reservation_id = r
$$;

\echo '-- a release gives the units back once'
UPDATE items SET stock_floor = 0;
SELECT reserve_cart('ada', '[{"item_id": "mug", "quantity": 2}, {"item_id": "Zoo", "quantity": 3}, {"item_id": "älg", "quantity": 4}, {"item_id": "pdf", "quantity": 5},
	{"item_id": "Mug"}]') AS r \gset
TABLE stock;
SELECT release_reservation(:'r');
TABLE stock;
SELECT release_reservation(:'r'), release_reservation(:'r', 'ada');
SELECT status, item_id, quantity, order_id FROM get_reservation(:'r');
SELECT item_id, delta, kind, user_id, reason FROM movements WHERE kind <> 'opening' ORDER BY movement_id;
SELECT confirm_reservation(:'r');
SELECT extend_reservation(:'r');
\echo :SQLSTATE

\echo '-- user_id, if given, must be the user of the reservation'
SELECT reserve_stock('ada', 'mug') AS r \gset
SELECT release_reservation(:'r', 'bob');
SELECT extend_reservation(:'r', NULL, 'bob');
\echo :SQLSTATE
SELECT release_reservation(:'r', 'ada');
SELECT reserve_stock(NULL, 'mug') AS r \gset
SELECT release_reservation(:'r', 'bob');
SELECT release_reservation(:'r');
\echo '-- a confirmed reservation cannot be released or extended'
SELECT reserve_stock('ada', 'mug') AS r \gset
SELECT status FROM confirm_reservation(:'r');
SELECT release_reservation(:'r');
SELECT extend_reservation(:'r');
\echo :SQLSTATE
\echo '-- an overdue hold is given back by its expiry, not by a release'
SELECT reserve_stock('ada', 'mug', 1, '1 microsecond') AS r \gset
SELECT release_reservation(:'r');
SELECT extend_reservation(:'r', '1 minute');
\echo :SQLSTATE
SELECT status, item_id, quantity FROM get_reservation(:'r');
SELECT expire_reservations();
SELECT release_reservation(:'r');
TABLE stock;
\echo '-- reservations that are unknown or null'
SELECT release_reservation('00000000-0000-0000-0000-000000000000');
SELECT release_reservation(NULL);
SELECT extend_reservation('00000000-0000-0000-0000-000000000000');
SELECT extend_reservation('00000000-0000-0000-0000-000000000001');
SELECT extend_reservation(NULL);
SELECT * FROM get_reservation('00000000-0000-0000-0000-000000000000');
SELECT * FROM get_reservation(NULL);

\echo '-- an extension counts from now, never shortens the hold, and is limited to max_ttl after the creation'
SELECT reserve_cart('ada', '[{"item_id": "mug"}, {"item_id": "Zoo"}]', '30 minutes') AS r \gset
SELECT until(:'r');
SELECT extend_reservation(:'r', '5 minutes') = expires_at FROM get_reservation(:'r') LIMIT 1;
SELECT extend_reservation(:'r') = expires_at FROM get_reservation(:'r') LIMIT 1;
SELECT until(:'r');
SELECT extend_reservation(:'r', '40 minutes') - clock_timestamp() BETWEEN '39 minutes' AND '40 minutes';
SELECT until(:'r') BETWEEN '40 minutes' AND '41 minutes';
SELECT extend_reservation(:'r', '60 minutes');
SELECT extend_reservation(:'r', '0');
SELECT extend_reservation(:'r', '-1 hour');
\echo :SQLSTATE
SELECT until(:'r') BETWEEN '40 minutes' AND '41 minutes';
\echo '-- a hold that is fifty minutes old can be extended by ten, whatever the default is'
UPDATE reservations SET created_at = created_at - interval '50 minutes', expires_at = created_at + interval '5 minutes' WHERE reservation_id = :'r';
SELECT until(:'r');
SELECT extend_reservation(:'r', '11 minutes');
SELECT extend_reservation(:'r', '9 minutes') IS NOT NULL, until(:'r') BETWEEN '59 minutes' AND '1 hour';
SELECT extend_reservation(:'r') IS NOT NULL, until(:'r');
SELECT extend_reservation(:'r') IS NOT NULL, until(:'r');
SELECT status FROM confirm_reservation(:'r');

\echo '-- get_reservation changes nothing, and sees what its query sees'
SELECT provolatile FROM pg_proc WHERE oid = 'get_reservation(uuid)'::regprocedure;
SELECT reserve_stock('ada', 'Zoo') AS r \gset
BEGIN READ ONLY;
SELECT status, item_id, quantity FROM get_reservation(:'r');
SELECT release_reservation(:'r');
ROLLBACK;
SELECT extend_reservation(:'r', '30 minutes') > expires_at FROM get_reservation(:'r');

\echo '-- units can be released although the stock is now below the floor'
UPDATE items SET stock_floor = 20 WHERE id = 'Zoo';
SELECT release_reservation(:'r');
TABLE stock;
SELECT * FROM inventory.verify('items');
\pset tuples_only off
DROP SCHEMA release_reservation, release_reservation_stock CASCADE;
