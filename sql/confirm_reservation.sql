-- Tests of confirm_reservation: the held units become orders, no more are taken, and a
-- second confirmation gets the same answer.
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
\set schema confirm_reservation
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
ALTER TABLE orders ALTER price DROP DEFAULT, ADD CHECK (price >= 0), ADD paid boolean;
INSERT INTO items (id, stock) VALUES (1, 10), (2, 10), (3, NULL);
SELECT inventory.attach('items', 'orders', ledger_schema => 'confirm_reservation_stock', sellable => 'live', order_columns => '{price,note}');

\echo '-- each line becomes an order, and no more is taken'
SELECT reserve_cart('ada', '[{"item_id": 2, "quantity": 3}, {"item_id": 1, "quantity": 2}, {"item_id": 3, "quantity": 7}]') AS r \gset
SELECT levels();
SELECT version FROM items WHERE id = 1;
SELECT * FROM confirm_reservation(:'r');
SELECT levels();
SELECT version FROM items WHERE id = 1;
SELECT * FROM orders ORDER BY id;
SELECT item_id, quantity, user_id, status, order_id FROM reservations ORDER BY item_id;
SELECT item_id, delta, kind, user_id, order_id, reservation_id = :'r', reason FROM movements WHERE kind <> 'opening' ORDER BY movement_id;
SELECT status, item_id, quantity, order_id FROM get_reservation(:'r');
\echo '-- a second confirmation gets the same answer, whatever its other arguments'
SELECT * FROM confirm_reservation(:'r');
SELECT * FROM confirm_reservation(:'r', 'ada', '{"price": -1}');
SELECT count(*) FROM orders;
SELECT count(*) FROM movements WHERE kind = 'sale';

\echo '-- user_id, if given, must be the user of the reservation'
SELECT reserve_stock('ada', 1) AS r \gset
SELECT * FROM confirm_reservation(:'r', 'bob');
\echo :SQLSTATE
SELECT status, order_id FROM confirm_reservation(:'r', 'ada');
SELECT reserve_stock(NULL, 1) AS r \gset
SELECT * FROM confirm_reservation(:'r', 'bob');
\echo :SQLSTATE
SELECT status, order_id FROM confirm_reservation(:'r');
SELECT user_id IS NULL FROM orders ORDER BY id DESC LIMIT 1;

\echo '-- order_data for all lines, or by item'
SELECT reserve_cart('ada', '[{"item_id": 1}, {"item_id": 2}]') AS r \gset
SELECT order_id FROM confirm_reservation(:'r', NULL, '{"price": 9.90, "note": "gift"}');
SELECT reserve_cart('ada', '[{"item_id": 1}, {"item_id": 2}, {"item_id": 3}]') AS r \gset
SELECT order_id FROM confirm_reservation(:'r', order_data => '[{"item_id": 2, "price": 2.5, "note": null}, {"item_id": "1", "price": 1}]');
SELECT reserve_cart('ada', '[{"item_id": 1}, {"item_id": 2}]') AS r \gset
SELECT order_id FROM confirm_reservation(:'r', order_data => '[]');
SELECT item_id, price, note FROM orders WHERE id > 5 ORDER BY id;
SELECT reserve_cart('ada', '[{"item_id": 1}, {"item_id": 2}]') AS r \gset
SELECT confirm_reservation(:'r', order_data => '5');
SELECT confirm_reservation(:'r', order_data => '"x"');
SELECT confirm_reservation(:'r', order_data => '[5]');
SELECT confirm_reservation(:'r', order_data => '[{"price": 1}]');
SELECT confirm_reservation(:'r', order_data => '[{"item_id": null}]');
SELECT confirm_reservation(:'r', order_data => '[{"item_id": 3, "price": 1}]');
SELECT confirm_reservation(:'r', order_data => '[{"item_id": 1}, {"item_id": 1}]');
SELECT confirm_reservation(:'r', order_data => '[{"item_id": 1, "quantity": 1}]');
SELECT confirm_reservation(:'r', order_data => '{"quantity": 1}');
SELECT confirm_reservation(:'r', order_data => '{"item_id": 1}');
SELECT confirm_reservation(:'r', order_data => '{"paid": true}');
SELECT confirm_reservation(:'r', order_data => '{"colour": "red"}');
SELECT confirm_reservation(:'r', order_data => '{"price": "x"}');
\echo '-- if an order is refused by its table, everything stays held'
SELECT confirm_reservation(:'r', order_data => '[{"item_id": 2, "price": -1}]');
SELECT status, item_id FROM get_reservation(:'r');
SELECT confirm_reservation(:'r', order_data => 'null');

\echo '-- items that are no longer for sale, that sold out since, and that were deleted afterwards'
SELECT reserve_cart('ada', '[{"item_id": 1}, {"item_id": 2}]') AS r \gset
UPDATE items SET live = false WHERE id = 1;
SELECT buy_item('bob', 2, available_stock(2)) > 0;
SELECT status, item_id, quantity, available, replayed FROM confirm_reservation(:'r');
SELECT status, item_id, quantity, available, replayed FROM confirm_reservation(:'r');
UPDATE items SET live = true;
INSERT INTO items VALUES (4, 1);
SELECT reserve_stock('ada', 4) AS r \gset
SELECT status, available, replayed FROM confirm_reservation(:'r');
DELETE FROM items WHERE id = 4;
SELECT status, available, replayed FROM confirm_reservation(:'r');

\echo '-- reservations that are released, expired, unknown or null'
SELECT reserve_stock('ada', 1) AS r \gset
SELECT release_reservation(:'r');
SELECT confirm_reservation(:'r');
\echo :SQLSTATE
SELECT reserve_stock('ada', 1) AS r \gset
UPDATE reservations SET expires_at = clock_timestamp() WHERE reservation_id = :'r';
SELECT confirm_reservation(:'r');
\echo :SQLSTATE
SELECT confirm_reservation('00000000-0000-0000-0000-000000000000');
SELECT confirm_reservation(NULL);
\echo '-- a cart of which one line has expired cannot be confirmed'
SELECT reserve_cart('ada', '[{"item_id": 1}, {"item_id": 3}]') AS r \gset
UPDATE reservations SET expires_at = clock_timestamp() WHERE reservation_id = :'r' AND item_id = 1;
SELECT expire_reservations() > 0;
SELECT status, item_id FROM get_reservation(:'r');
SELECT confirm_reservation(:'r');

\echo '-- a long array is refused before it is read, and one of 1000 lines is read once'
INSERT INTO items (id, stock) SELECT n, 1 FROM generate_series(2001, 3000) AS n;
SELECT reserve_cart('u', jsonb_agg(jsonb_build_object('item_id', n))) AS r FROM generate_series(2001, 3000) AS n \gset
SELECT confirm_reservation(:'r', NULL, jsonb_agg(jsonb_build_object('item_id', n))) FROM generate_series(2001, 3001) AS n;
\echo :SQLSTATE
SELECT count(*), min(status) AS status FROM confirm_reservation(:'r', NULL,
	(SELECT jsonb_agg(jsonb_build_object('item_id', n) ORDER BY n DESC) FROM generate_series(2001, 3000) AS n));

\echo '-- without an orders table the caller gives the reference'
CREATE SCHEMA parts_stock;
CREATE TABLE parts (id bigint PRIMARY KEY, stock integer);
INSERT INTO parts VALUES (1, 5), (2, 5);
SELECT inventory.attach('parts', api_schema => 'parts_stock', ledger_schema => 'parts_stock');
SELECT parts_stock.reserve_cart('u', '[{"item_id": 1}, {"item_id": 2, "quantity": 2}]') AS r \gset
SELECT * FROM parts_stock.confirm_reservation(:'r', NULL, '{"order_id": "A-1"}');
SELECT * FROM parts_stock.confirm_reservation(:'r');
SELECT parts_stock.reserve_stock('u', 1) AS r \gset
SELECT parts_stock.confirm_reservation(:'r', NULL, '{"colour": "A-1"}');
SELECT * FROM parts_stock.confirm_reservation(:'r');
SELECT item_id, delta, kind, order_id FROM parts_stock.movements WHERE kind = 'sale' ORDER BY 1, 4;
SELECT * FROM inventory.verify('items');
SELECT * FROM inventory.verify('parts');
\pset tuples_only off
DROP SCHEMA confirm_reservation, confirm_reservation_stock, parts_stock CASCADE;
