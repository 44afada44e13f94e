-- Tests of change_order: a line gets more or fewer units, its row and the ledger say the same, and
-- what is refunded already stays refunded.
\pset format unaligned
\pset tuples_only on
\set schema change_order
\set limits on
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
CREATE ROLE regress_change_buyer; CREATE ROLE regress_change_operator;
INSERT INTO items (id, stock, stock_floor, purchase_limit) VALUES (1, 100, NULL, NULL), (2, 100, NULL, NULL), (3, 10, 4, NULL),
	(4, 10, NULL, 5), (5, NULL, NULL, NULL), (6, 10, -3, NULL), (7, 10, NULL, NULL), (8, 100, NULL, NULL);
INSERT INTO orders VALUES (901, 'old', 1, 3), (902, 'old', 99, 2), (903, 'old', 1, NULL), (904, 'old', NULL, 1), (905, 'old', 4, 3);
SELECT inventory.attach('items', 'orders', ledger_schema => 'change_order_stock', sellable => 'live', order_columns => '{id}');
SELECT inventory.heat('items', 2);
CREATE FUNCTION booked(o bigint) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT concat_ws(' ', m.item_id, m.delta, m.kind, m.user_id, m.reason) FROM movements AS m WHERE m.order_id = o ORDER BY m.movement_id
$$;
-- What the row and the ledger say was sold on a line: all lines for which they differ.
CREATE VIEW differing AS
	SELECT o.id, o.quantity, l.sold FROM orders AS o
	JOIN (SELECT order_id, -sum(delta) AS sold FROM movements WHERE kind IN ('sale', 'cancellation') GROUP BY order_id) AS l ON l.order_id = o.id
	WHERE o.quantity <> l.sold AND o.id < 900;

\echo '-- more and fewer, cold and hot'
SELECT buy_item('ada', 1, 5, NULL, '{"id": 1}'), buy_item('ada', 2, 5, NULL, '{"id": 2}');
SELECT change_order(1, 8), change_order(2, 8), available_stock(1), available_stock(2);
SELECT change_order(1, 2, 'rang up'), change_order(2, 2, 'rang up'), available_stock(1), available_stock(2);
SELECT change_order(1, 2), change_order(2, 2);
SELECT id, user_id, item_id, quantity, price, note FROM orders WHERE id IN (1, 2) ORDER BY id;
SELECT booked(1);
SELECT booked(2);
SELECT refund_order(1, 3);
SELECT refund_order(1, 1), refund_order(2, 1), refund_order(1), refund_order(2);
SELECT available_stock(1), available_stock(2);

\echo '-- refunded units stay in the quantity'
SELECT buy_item('ada', 1, 5, NULL, '{"id": 3}');
SELECT refund_order(3, 3), change_order(3, 4), available_stock(1);
SELECT change_order(3, 3), available_stock(1);
SELECT change_order(3, 2);
\echo :SQLSTATE
SELECT change_order(3, 6), available_stock(1), refund_order(3), available_stock(1);
SELECT booked(3);
SELECT refund_order(3);

\echo '-- 0 refunds all that is left, once, and leaves the row'
SELECT buy_item('ada', 1, 5, NULL, '{"id": 4}'), buy_item('ada', 2, 5, NULL, '{"id": 5}');
SELECT refund_order(4, 2), change_order(4, 0), change_order(4, 0), change_order(5, 0, 'gone'), available_stock(1), available_stock(2);
SELECT booked(4);
SELECT booked(5);
SELECT id, quantity FROM orders WHERE id IN (4, 5);
SELECT change_order(4, 4);
SELECT change_order(4, 6), refund_order(4), available_stock(1);

\echo '-- floors, limits, what is not for sale, and what is not there'
SELECT buy_item('ada', 3, 5, NULL, '{"id": 6}'), buy_item('ada', 4, 3, NULL, '{"id": 7}'), buy_item('ada', 6, 10, NULL, '{"id": 8}'),
	buy_item('ada', 7, 3, NULL, '{"id": 9}'), buy_item('ada', 8, 3, NULL, '{"id": 10}');
SELECT change_order(6, 7);
\echo :SQLSTATE
SELECT change_order(6, 6), available_stock(3);
SELECT change_order(7, 6);
\echo :SQLSTATE
SELECT change_order(7, 5), change_order(7, 1), change_order(7, 4), buy_item('ada', 4, 1, NULL, '{"id": 20}');
SELECT buy_item('ada', 4, 1, NULL, '{"id": 21}');
SELECT change_order(8, 14);
SELECT change_order(8, 13), available_stock(6);
UPDATE items SET live = false WHERE id = 7;
SELECT change_order(9, 4);
\echo :SQLSTATE
SELECT change_order(9, 1);
SELECT stock FROM items WHERE id = 7;
DELETE FROM items WHERE id = 8;
SELECT change_order(10, 4);
SELECT change_order(10, 1), refund_order(10);
SELECT booked(10);
SELECT booked(7);

\echo '-- an item that is not tracked, also when that changes'
SELECT buy_item('ada', 5, 2, NULL, '{"id": 11}');
SELECT change_order(11, 5), change_order(11, 3);
UPDATE items SET stock = 10 WHERE id = 5;
SELECT change_order(11, 4), change_order(11, 2), available_stock(5);
SELECT booked(11);

\echo '-- orders from before the attach'
SELECT change_order(901, 5), available_stock(1), change_order(901, 1), available_stock(1), refund_order(901), available_stock(1);
SELECT booked(901);
SELECT change_order(902, 3);
SELECT change_order(902, 1);
SELECT change_order(903, 1);
SELECT change_order(904, 2);
-- only the units that were sold since count against the limit of 5
SELECT change_order(905, 5), buy_item('old', 4, 3, NULL, '{"id": 12}'), refund_order(905, 3);
SELECT buy_item('old', 4, 3, NULL, '{"id": 14}');
SELECT buy_item('old', 4, 2, NULL, '{"id": 14}'), refund_order(905);
SELECT buy_item('old', 4, 1, NULL, '{"id": 15}');
SELECT booked(905);

\echo '-- nulls and values out of range'
SELECT change_order(NULL, 1);
SELECT change_order(1, NULL);
\echo :SQLSTATE
SELECT change_order(1, -1);
\echo :SQLSTATE
SELECT change_order(1, 2147483648);
\echo :SQLSTATE
SELECT change_order(1, 9223372036854775807);
SELECT change_order(99, 1);
\echo :SQLSTATE
SELECT change_order(1, 100000);
\echo :SQLSTATE

\echo '-- a repeated key gets the first answer'
SELECT buy_item('ada', 1, 5, NULL, '{"id": 13}');
SELECT change_order(13, 7, NULL, 'k'), change_order(13, 3), change_order(13, 7, idempotency_key => 'k'), available_stock(1);
SELECT change_order(13, 8, idempotency_key => 'k');
\echo :SQLSTATE
SELECT quantity FROM orders WHERE id = 13;

\echo '-- a refusal leaves nothing, nor does a rollback'
BEGIN;
SAVEPOINT s;
SELECT change_order(13, 9), change_order(2, 3);
ROLLBACK TO s;
SELECT quantity, available_stock(1), available_stock(2) FROM orders WHERE id = 13;
COMMIT;

\echo '-- triggers of the shop on orders'
CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.note = 'kept' THEN RETURN NULL;
	ELSIF NEW.note = 'more' THEN NEW.quantity := NEW.quantity + 1;
	ELSIF NEW.note = 'refunded' THEN PERFORM change_order_stock.refund_order(NEW.id);
	ELSIF NEW.note = 'changed' THEN NEW.note := 'path ' || current_setting('search_path');
	END IF;
	RETURN NEW;
END
$$;
CREATE TRIGGER meddle BEFORE UPDATE OF quantity ON orders FOR EACH ROW EXECUTE FUNCTION meddle();
UPDATE orders SET note = 'kept' WHERE id = 13;
SELECT change_order(13, 4);
\echo :SQLSTATE
UPDATE orders SET note = 'more' WHERE id = 13;
SELECT change_order(13, 4);
UPDATE orders SET note = 'refunded' WHERE id = 13;
SELECT change_order(13, 2);
SELECT quantity, note FROM orders WHERE id = 13;
\echo :SQLSTATE
UPDATE orders SET note = 'changed' WHERE id = 13;
SET search_path = change_order_stock;
SELECT change_order(13, 4);
SET search_path = change_order, change_order_stock;
SELECT quantity, note FROM orders WHERE id = 13;
DROP TRIGGER meddle ON orders;

\echo '-- rights'
SELECT inventory.grant_api('items', 'regress_change_buyer', 'buyer'), inventory.grant_api('items', 'regress_change_operator', 'operator');
GRANT USAGE ON SCHEMA change_order_stock TO regress_change_buyer;
SET ROLE regress_change_buyer;
SELECT change_order_stock.change_order(13, 5);
\echo :SQLSTATE
SET ROLE regress_change_operator;
SELECT change_order_stock.change_order(13, 5);
RESET ROLE;
SELECT actor = 'regress_change_operator', delta FROM movements WHERE order_id = 13 ORDER BY movement_id DESC LIMIT 1;

\echo '-- the row and the ledger say the same, and close_ledger changes nothing of it'
TABLE differing;
SELECT * FROM inventory.verify('items');
SELECT inventory.settle('items') IN (0, 1), close_ledger(now()) > 0; -- a worker may have settled it
SELECT change_order(13, 2), refund_order(13), change_order(6, 1), refund_order(6);
SELECT * FROM inventory.verify('items');
SELECT inventory.cool('items', 2);

\echo '-- without a quantity column a row stands for one unit'
CREATE SCHEMA change_units;
CREATE TABLE change_units.items (id bigint PRIMARY KEY, stock integer);
CREATE TABLE change_units.orders (id bigint PRIMARY KEY, item_id bigint);
INSERT INTO change_units.items VALUES (1, 5);
SELECT inventory.attach('change_units.items', 'change_units.orders', ledger_schema => 'change_units', order_columns => '{id}');
SET search_path = change_units;
SELECT buy_item(NULL, 1, 1, NULL, '{"id": 1}'), change_order(1, 1);
SELECT change_order(1, 2);
\echo :SQLSTATE
SELECT change_order(1, 0), available_stock(1), change_order(1, 0), available_stock(1);
DROP SCHEMA change_units CASCADE;

\echo '-- without orders the movements say what was sold'
CREATE SCHEMA change_parts;
CREATE TABLE change_parts.parts (id bigint PRIMARY KEY, stock smallint);
INSERT INTO change_parts.parts VALUES (1, 50), (2, 50);
SELECT inventory.attach('change_parts.parts', ledger_schema => 'change_parts');
SET search_path = change_parts;
SELECT buy_item('ada', 1, 4, NULL, '{"order_id": "A-1"}');
SELECT change_order('A-1', 6), change_order('A-1', 3), available_stock(1), refund_order('A-1', 1), available_stock(1);
SELECT change_order('A-1', 2), change_order('A-1', 40000) IS NULL;
SELECT change_order('A-1', 2), refund_order('A-1'), available_stock(1);
SELECT refund_order('A-1');
SELECT delta, kind, user_id FROM movements WHERE order_id = 'A-1' ORDER BY movement_id;
SELECT close_ledger(now()) > 0, change_order('A-1', 5), refund_order('A-1'), available_stock(1);
SELECT buy_item('ada', 1, 4, NULL, '{"order_id": "A-2"}'), buy_item('ben', 1, 4, NULL, '{"order_id": "A-2"}');
SELECT change_order('A-2', 3);
\echo :SQLSTATE
SELECT change_order('A-3', 3);
SELECT * FROM inventory.verify('parts');

\echo '-- numbers that order_values computes from the quantity change with it'
CREATE SCHEMA change_values;
CREATE TABLE change_values.things (id integer PRIMARY KEY, stock integer, price numeric, quantity_of_box integer);
CREATE TABLE change_values.lines (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, thing_id integer NOT NULL REFERENCES change_values.things, quantity integer NOT NULL,
	price numeric, total numeric(12, 2), points integer, label text, boxed integer);
INSERT INTO change_values.things VALUES (1, 100, 9.99, 6);
SET client_min_messages = warning;
SELECT inventory.attach('change_values.things', 'change_values.lines', order_values =>
	'{"price": "price", "total": "price * quantity", "points": "10 * quantity", "label": "quantity || '' pieces''", "boxed": "item.quantity_of_box"}');
SELECT change_values.buy_item('u', 1, 3);
SELECT quantity, price, total, points, label, boxed FROM change_values.lines;
SELECT things_stock.change_order(1, 5);
SELECT quantity, price, total, points, label, boxed FROM change_values.lines;
SELECT inventory.refresh('change_values.things');
ALTER TABLE change_values.lines RENAME total TO sum;
SELECT things_stock.change_order(1, 1);
SELECT quantity, price, sum, points, label, boxed FROM change_values.lines;
DROP SCHEMA change_values, things_stock CASCADE;
DROP SCHEMA change_parts, change_order, change_order_stock CASCADE;
DROP ROLE regress_change_buyer, regress_change_operator;
