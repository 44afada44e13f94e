-- Tests of refund_order: units of an order are refunded, with or without a restock, never
-- more than were bought, and the order row is not changed.
\pset format unaligned
\pset tuples_only on
\set schema refund_order
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
INSERT INTO items VALUES (1, 100), (2, NULL), (3, 10), (4, 2147483640);
-- orders from before the attach
INSERT INTO orders VALUES (901, 'old', 1, 3), (902, 'old', 99, 2), (903, 'old', 2, 2), (904, 'old', NULL, 1), (905, 'old', 1, NULL), (906, 'old', 1, 0);
SELECT inventory.attach('items', 'orders', ledger_schema => 'refund_order_stock', sellable => 'live', order_columns => '{id}');
-- the movements of an order
CREATE FUNCTION booked(o bigint) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT concat_ws(' ', m.item_id, m.delta, m.kind, m.user_id, m.reason) FROM movements AS m WHERE m.order_id = o ORDER BY m.movement_id
$$;

\echo '-- a whole order'
SELECT buy_item('ada', 1, 5, NULL, '{"id": 1}');
SELECT refund_order(1);
SELECT available_stock(1);
SELECT booked(1);
SELECT refund_order(1);
\echo :SQLSTATE
SELECT id, user_id, item_id, quantity FROM orders WHERE id = 1;
\echo '-- in parts'
SELECT buy_item('ada', 1, 5, NULL, '{"id": 2}');
SELECT refund_order(2, 2), refund_order(2, 2, reason => 'scratched');
SELECT available_stock(1);
SELECT refund_order(2, 2);
SELECT refund_order(2, 1);
SELECT available_stock(1);
SELECT refund_order(2, 1);
SELECT booked(2);
\echo '-- without a restock: the stock does not change'
SELECT buy_item('ada', 1, 5, NULL, '{"id": 3}');
SELECT refund_order(3, 2, false, 'broken'), refund_order(3, restock => false);
SELECT available_stock(1);
SELECT booked(3);
SELECT refund_order(3, 1, false);
\echo '-- more than was bought, unknown orders, nulls'
SELECT buy_item('ada', 1, 5, NULL, '{"id": 4}');
SELECT refund_order(4, 6);
SELECT refund_order(4, 9223372036854775807);
SELECT refund_order(99);
\echo :SQLSTATE
SELECT refund_order(NULL);
SELECT refund_order(4, 0);
SELECT refund_order(4, -1);
SELECT refund_order(4, 1, NULL);
SELECT booked(4);

\echo '-- orders from before the attach are refunded by their rows'
SELECT refund_order(901, 1), refund_order(901);
SELECT available_stock(1);
SELECT refund_order(901);
SELECT booked(901);
\echo '-- items that are deleted or not tracked; orders without an item or a quantity'
SELECT refund_order(902);
SELECT booked(902);
SELECT refund_order(903);
SELECT booked(903);
SELECT refund_order(904);
SELECT refund_order(905);
SELECT refund_order(906);
SELECT refund_order(908);
\echo '-- an item that was not tracked when it was sold, or when it is refunded'
SELECT buy_item('ada', 2, 3, NULL, '{"id": 5}');
UPDATE items SET stock = 10 WHERE id = 2;
SELECT refund_order(5, 1);
SELECT available_stock(2);
UPDATE items SET stock = NULL WHERE id = 2;
SELECT refund_order(5, 1), refund_order(5, 1, false);
SELECT available_stock(2);
SELECT booked(5);
\echo '-- an item that is no longer for sale, and then deleted'
SELECT buy_item('ada', 3, 3, NULL, '{"id": 6}');
UPDATE items SET live = false WHERE id = 3;
SELECT refund_order(6, 1);
SELECT stock FROM items WHERE id = 3;
DELETE FROM items WHERE id = 3;
SELECT refund_order(6);
SELECT booked(6);
\echo '-- more than the stock column can hold'
SELECT buy_item('ada', 4, 5, NULL, '{"id": 7}');
SELECT restock_item(4, 12);
SELECT refund_order(7);
\echo :SQLSTATE
SELECT refund_order(7, restock => false);

\echo '-- a repeated key gets the first answer'
SELECT buy_item('ada', 1, 5, NULL, '{"id": 8}');
SELECT refund_order(8, 2, idempotency_key => 'k'), refund_order(8, 2, idempotency_key => 'k');
SELECT refund_order(8, 3, idempotency_key => 'k');
SELECT refund_order(8, 2, false, idempotency_key => 'k');
SELECT refund_order(4, 2, idempotency_key => 'k');
\echo :SQLSTATE
SELECT refund_order(8, idempotency_key => 'k2'), refund_order(8, idempotency_key => 'k2');
SELECT refund_order(8, idempotency_key => 'k3');
SELECT booked(8);
\echo '-- an order from a confirmed reservation'
SELECT reserve_stock('ada', 1, 4) AS r \gset
SELECT order_id AS o FROM confirm_reservation(:'r', order_data => '{"id": 9}') \gset
SELECT refund_order(:o, 3);
SELECT available_stock(1);
SELECT status, quantity, order_id FROM get_reservation(:'r');
SELECT * FROM inventory.verify('items');

\echo '-- without an orders table the movements say what was bought'
CREATE SCHEMA refund_parts;
CREATE TABLE refund_parts.parts (id bigint PRIMARY KEY, stock smallint);
INSERT INTO refund_parts.parts VALUES (1, 50), (2, 50);
SELECT inventory.attach('refund_parts.parts', ledger_schema => 'refund_parts');
SET search_path = refund_parts;
SELECT buy_item('ada', 1, 4, NULL, '{"order_id": "A-1"}');
SELECT refund_order('A-1', 1), refund_order('A-1');
SELECT available_stock(1);
SELECT refund_order('A-1');
SELECT refund_order('A-2');
SELECT buy_item('ada', 1, 2);
\echo '-- several items under one reference, and one item twice'
SELECT count(*) FROM buy_cart('bob', '[{"item_id": 1, "quantity": 2}, {"item_id": 2, "quantity": 3}, {"item_id": 1}]', NULL, '{"order_id": "B"}');
SELECT refund_order('B', 1);
\echo :SQLSTATE
SELECT refund_order('B');
SELECT available_stock(1), available_stock(2);
SELECT refund_order('B');
SELECT buy_item('bob', 2, 1, NULL, '{"order_id": "C"}'), buy_item('bob', 2, 2, NULL, '{"order_id": "C"}');
SELECT refund_order('C', 2, false), refund_order('C');
SELECT item_id, delta, kind, user_id, order_id FROM movements WHERE kind IN ('refund', 'write_off') ORDER BY movement_id;
SELECT * FROM inventory.verify('parts');

\echo '-- an order row whose item or user is edited between refunds is still one line'
SET search_path = refund_order, refund_order_stock;
INSERT INTO items VALUES (5, 10), (6, 10);
SELECT buy_item('ada', 5, 2, NULL, '{"id": 50}');
UPDATE orders SET item_id = 6 WHERE id = 50;
SELECT refund_order(50, 1);
UPDATE orders SET item_id = 5, user_id = 'bob' WHERE id = 50;
SELECT refund_order(50, 2);
SELECT refund_order(50);
SELECT refund_order(50);
SELECT booked(50);
\echo '-- a trigger of the shop that refunds the same order during its refund'
CREATE FUNCTION refund_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF pg_trigger_depth() = 1 THEN PERFORM refund_order_stock.refund_order(51); END IF;
	RETURN NULL;
END $$;
SELECT buy_item('ada', 5, 2, NULL, '{"id": 51}');
CREATE TRIGGER again AFTER UPDATE ON items FOR EACH ROW EXECUTE FUNCTION refund_again();
SELECT refund_order(51);
DROP TRIGGER again ON items;
SELECT booked(51);
SELECT refund_order(51);
\echo '-- an order with two rows'
ALTER TABLE orders DROP CONSTRAINT orders_pkey;
INSERT INTO orders VALUES (51, 'eve', 5, 1);
SELECT refund_order(51, 1);
\echo :SQLSTATE
SELECT * FROM inventory.verify('items');

\echo '-- without orders: two users of one order_id each get back what they bought of their limit'
CREATE SCHEMA refund_limit;
SET search_path = refund_limit, refund_limit_stock;
CREATE TABLE tickets (id int PRIMARY KEY, stock int, per_user int);
INSERT INTO tickets VALUES (1, 10, 2);
SELECT inventory.attach('tickets', purchase_limit => 'per_user', ledger_schema => 'refund_limit_stock');
SELECT buy_item('ada', 1, 2, NULL, '{"order_id": "T"}'), buy_item('bob', 1, 2, NULL, '{"order_id": "T"}');
SELECT refund_order('T', 1);
SELECT refund_order('T');
SELECT user_id, delta, kind FROM movements WHERE kind = 'refund' ORDER BY movement_id;
SELECT buy_item('ada', 1, 3);
SELECT buy_item('ada', 1, 2), buy_item('bob', 1, 2);
SELECT * FROM inventory.verify('tickets');

\echo '-- fractions: the whole units of a line are refunded, and never more than the line'
CREATE SCHEMA refund_weight;
SET search_path = refund_weight;
CREATE TABLE cheeses (id int PRIMARY KEY, stock int);
CREATE DOMAIN weight AS numeric(12,3);
CREATE TABLE sales (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, item_id int, quantity weight);
INSERT INTO cheeses VALUES (1, 50);
INSERT INTO sales VALUES (901, 1, 2.5), (902, 1, 2.5), (903, 1, 0.5), (904, 1, 2.999), (905, 1, -2.5), (906, 1, 'NaN'), (907, 1, 3), (908, 1, NULL);
SELECT inventory.attach('cheeses', 'sales', ledger_schema => 'refund_weight', order_columns => '{id}');
SELECT refund_order(901);
SELECT refund_order(901);
SELECT refund_order(901, 1);
SELECT refund_order(902, 3);
SELECT refund_order(902, 2), refund_order(904, restock => false), refund_order(907);
SELECT refund_order(902, 1);
SELECT refund_order(903);
SELECT refund_order(903, 1);
SELECT refund_order(905);
SELECT refund_order(906);
SELECT refund_order(908);
SELECT buy_item('ada', 1, 3, NULL, '{"id": 1}');
SELECT refund_order(1), available_stock(1);
SELECT order_id, item_id, delta, kind FROM movements WHERE order_id IS NOT NULL ORDER BY movement_id;
SELECT * FROM inventory.verify('cheeses');
\pset tuples_only off
DROP SCHEMA refund_order, refund_order_stock, refund_parts, refund_limit, refund_limit_stock, refund_weight CASCADE;
