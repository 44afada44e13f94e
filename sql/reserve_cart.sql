-- Tests of reserve_cart and try_reserve_cart: all lines are held under one reservation, or
-- none is.
\pset format unaligned
\set schema reserve_cart
\set stock_type smallint
\set user_type bigint
\set limits on
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
INSERT INTO items (id, stock, purchase_limit, live) VALUES (1, 10, NULL, true), (2, 5, NULL, true), (3, 0, NULL, true), (4, 9, 2, true),
	(5, NULL, NULL, true), (6, 7, NULL, false);
SELECT inventory.attach('items', 'orders', ledger_schema => 'reserve_cart_stock', sellable => 'live', order_columns => '{price}');

-- lines of the same item become one; an item that is not tracked is held too
SELECT reserve_cart(7, '[{"item_id": 2, "quantity": 2}, {"item_id": "1"}, {"item_id": 2}, {"item_id": 5, "quantity": 40}]') AS r \gset
SELECT looks(:'r');
SELECT * FROM levels ORDER BY item_id;
SELECT item_id, delta, kind, user_id, reason, reservation_id = :'r' AS its FROM movements WHERE kind <> 'opening' ORDER BY movement_id;
SELECT status, item_id, quantity, order_id FROM get_reservation(:'r');
SELECT looks(reserve_cart(7, '[{"item_id": 1}]', '20 minutes'));

-- all or nothing; the error names every line that has the first kind of fault
SELECT reserve_cart(8, '[{"item_id": 1}, {"item_id": 2, "quantity": 2}, {"item_id": 3}, {"item_id": 2}]');
SELECT reserve_cart(7, '[{"item_id": 1}, {"item_id": 4, "quantity": 3}, {"item_id": 3}]');
SELECT reserve_cart(7, '[{"item_id": 99}, {"item_id": 4, "quantity": 3}, {"item_id": 6}, {"item_id": 3}]');
\echo :SQLSTATE
SELECT reserve_cart(NULL, '[{"item_id": 1}, {"item_id": 4}]');
\echo :SQLSTATE
SELECT * FROM levels ORDER BY item_id;

-- try_reserve_cart: a refusal is a status
SELECT status, reservation_id AS t, expires_at > clock_timestamp() AS open
	FROM try_reserve_cart(7, '[{"item_id": 1}, {"item_id": 4, "quantity": 2}]') \gset
\echo :status :open
SELECT looks(:'t');
SELECT * FROM try_reserve_cart(7, '[{"item_id": 1}, {"item_id": 2, "quantity": 2}, {"item_id": 3}, {"item_id": 2}]');
SELECT * FROM try_reserve_cart(7, '[{"item_id": 99}, {"item_id": 4}, {"item_id": 6}, {"item_id": 3}, {"item_id": 1}]');
SELECT * FROM try_reserve_cart(7, '[{"item_id": 4}, {"item_id": 3}]');
-- a cart of one line; the transaction can continue
BEGIN;
SELECT * FROM try_reserve_cart(7, '[{"item_id": 3}]');
SELECT (try_reserve_cart(7, '[{"item_id": 2}]')).status;
COMMIT;
-- bad arguments are errors in both forms
SELECT * FROM try_reserve_cart(7, '[]');
SELECT * FROM try_reserve_cart(7, '[{"item_id": 1, "price": 2}]');
SELECT * FROM try_reserve_cart(7, '[{"item_id": 1}]', '26 hours');

-- a repeated key gets the first answer, even a refusal, and in any DateStyle
SELECT reserve_cart(7, '[{"item_id": 1}]', NULL, 'k') AS first \gset
SELECT reserve_cart(7, '[{"item_id": 1}]', NULL, 'k') = :'first' AS again;
SELECT reserve_cart(7, '[{"item_id": 1, "quantity": 2}]', NULL, 'k');
\echo :SQLSTATE
SELECT reservation_id AS first, expires_at AS ends FROM try_reserve_cart(7, '[{"item_id": 1}]', NULL, 'k') \gset
SELECT :'first' = reservation_id AS again, expires_at = :'ends' AS same, status, short_lines FROM try_reserve_cart(7, '[{"item_id": 1}]', NULL, 'k');
SET DateStyle = 'SQL, DMY';
SELECT reservation_id AS first, extract(epoch FROM expires_at) AS ends FROM try_reserve_cart(7, '[{"item_id": 1}]', NULL, 'dates') \gset
SET DateStyle = 'SQL, MDY';
SET TimeZone = 'Asia/Tokyo';
SELECT reservation_id = :'first' AS again, extract(epoch FROM expires_at) = :ends AS same FROM try_reserve_cart(7, '[{"item_id": 1}]', NULL, 'dates');
RESET TimeZone;
RESET DateStyle;
SELECT * FROM try_reserve_cart(7, '[{"item_id": 3, "quantity": 2}]', NULL, 'short');
SELECT restock_item(3, 50);
SELECT * FROM try_reserve_cart(7, '[{"item_id": 3, "quantity": 2}]', NULL, 'short');
SELECT * FROM try_reserve_cart(7, '[{"item_id": 3, "quantity": 1}]', NULL, 'short');
SELECT status FROM try_reserve_cart(8, '[{"item_id": 3, "quantity": 2}]', NULL, 'short');

-- a thousand lines, in any order
SELECT reserve_cart(9, (SELECT jsonb_agg(jsonb_build_object('item_id', 3 + 2 * (n % 2))) FROM generate_series(1, 80) AS n)) AS r \gset
SELECT looks(:'r');
INSERT INTO items (id, stock) SELECT n, 3 FROM generate_series(1001, 2000) AS n;
SELECT reserve_cart(9, (SELECT jsonb_agg(jsonb_build_object('item_id', 1001 + 7 * n % 1000)) FROM generate_series(1, 1000) AS n)) AS r \gset
SELECT count(*), sum(stock) FROM items WHERE id > 1000;
SELECT count(*), min(item_id), max(item_id) FROM get_reservation(:'r');
SELECT release_reservation(:'r');
SELECT count(*), sum(stock) FROM items WHERE id > 1000;
SELECT * FROM inventory.verify('items');

-- an orders table without a quantity: a reservation can hold one unit of an item
CREATE SCHEMA reserve_tickets;
CREATE TABLE reserve_tickets.seats (id bigint PRIMARY KEY, stock integer);
CREATE TABLE reserve_tickets.tickets (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, item_id bigint REFERENCES reserve_tickets.seats);
INSERT INTO reserve_tickets.seats VALUES (1, 3), (2, 3);
SELECT inventory.attach('reserve_tickets.seats', 'reserve_tickets.tickets', ledger_schema => 'reserve_tickets');
SELECT reserve_tickets.reserve_cart('u', '[{"item_id": 1}, {"item_id": 2}, {"item_id": 1}]');
SELECT reserve_tickets.reserve_stock('u', 1, 2);
SELECT reserve_tickets.reserve_cart('u', '[{"item_id": 1}, {"item_id": 2}]') AS r \gset
SELECT reserve_tickets.change_reservation(:'r', 1, 2);
SELECT * FROM reserve_tickets.confirm_reservation(:'r');
DROP SCHEMA reserve_cart, reserve_cart_stock, reserve_tickets CASCADE;
