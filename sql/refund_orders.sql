-- Tests of refund_orders: what is left of several orders is refunded in one call, each once, and an
-- order that cannot be refunded does not keep the others from it.
\pset format unaligned
\pset tuples_only on
\set schema refund_orders
\set item_type smallint
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
CREATE ROLE regress_refunds_operator;
INSERT INTO items VALUES (1, 100), (2, 100), (3, NULL), (4, 2147483640), (5, 20), (6, 20);
INSERT INTO orders VALUES (901, 'old', 1, 3), (902, 'old', 99, 2), (903, 'old', 1, NULL), (904, 'old', NULL, 1), (905, 'old', 1, 0);
SELECT inventory.attach('items', 'orders', ledger_schema => 'refund_orders_stock', order_columns => '{id}');
SELECT inventory.heat('items', 2);
CREATE FUNCTION booked(o bigint) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT concat_ws(' ', m.item_id, m.delta, m.kind, m.user_id, m.reason) FROM movements AS m WHERE m.order_id = o ORDER BY m.movement_id
$$;
CREATE FUNCTION sell(VARIADIC ids bigint[]) RETURNS SETOF bigint LANGUAGE sql AS $$
	SELECT buy_item('ada', (id % 10)::integer, 5, NULL, jsonb_build_object('id', id)) FROM unnest(ids) AS id
$$;

\echo '-- several orders of cold and hot items: a row for each, in the order of their keys'
SELECT sell(11, 12, 13, 21, 22);
SELECT refund_order(11, 2), refund_order(12), available_stock(1), available_stock(2);
SELECT *, pg_typeof(order_id), pg_typeof(quantity) FROM refund_orders(ARRAY[22, 12, 99, 11, 21, 13, 11]);
SELECT available_stock(1), available_stock(2);
SELECT booked(11);
SELECT booked(13);
SELECT booked(22);
SELECT * FROM refund_orders(ARRAY[22, 11]);
SELECT refund_order(22);

\echo '-- without a restock'
SELECT sell(31, 32, 33);
SELECT * FROM refund_orders('{31,32,33}', false, 'burnt'), available_stock(1) AS cold, available_stock(2) AS hot;
SELECT available_stock(1), available_stock(2);
SELECT booked(31);
SELECT booked(32);
SELECT booked(33);

\echo '-- orders from before the attach, without an item, a quantity'
SELECT * FROM refund_orders('{901,902,905}');
SELECT booked(901);
SELECT booked(902);
SELECT * FROM refund_orders('{901,903}');
\echo :SQLSTATE
SELECT * FROM refund_orders('{901,904}');

\echo '-- nothing, nulls, too many'
SELECT * FROM refund_orders('{}');
SELECT refund_orders(NULL);
\echo :SQLSTATE
SELECT refund_orders('{31,NULL}');
\echo :SQLSTATE
SELECT refund_orders('{31}', NULL);
\echo :SQLSTATE
SELECT refund_orders(ARRAY(SELECT generate_series(1, 1001)));
\echo :SQLSTATE
SELECT count(*), min(status), max(status) FROM refund_orders(ARRAY(SELECT generate_series(1000, 1999)));

\echo '-- an error of one is an error of all: more than the stock column can hold'
SELECT sell(14, 15);
UPDATE items SET stock = 2147483645 WHERE id = 4;
SELECT refund_orders('{14,15}');
\echo :SQLSTATE
SELECT available_stock(5);
UPDATE items SET stock = 100 WHERE id = 4;

\echo '-- a repeated key gets the first answer; the order of the array is part of the arguments'
SELECT * FROM refund_orders('{15,14}', true, 'recall', 'k');
SELECT sell(24);
SELECT * FROM refund_orders(ARRAY[15, 14]::bigint[], true, 'recall', 'k');
SELECT refund_orders('{14,15}', true, 'recall', 'k');
\echo :SQLSTATE
SELECT * FROM refund_orders('{24,99}', idempotency_key => 'k2');
SELECT * FROM refund_orders('{24,99}', idempotency_key => 'k2');
SELECT available_stock(4), available_stock(5);

\echo '-- a trigger of the shop refunds one of the orders itself'
CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM refund_orders_stock.refund_order(26); RETURN NULL; END $$;
CREATE TRIGGER meddle AFTER UPDATE ON items FOR EACH ROW WHEN (NEW.id = 5 AND NEW.stock > OLD.stock) EXECUTE FUNCTION meddle();
SELECT sell(25, 26);
SELECT refund_orders('{25,26}');
\echo :SQLSTATE
DROP TRIGGER meddle ON items;
SELECT * FROM refund_orders('{25,26}');

\echo '-- rights'
SELECT inventory.grant_api('items', 'regress_refunds_operator', 'operator');
SELECT sell(16);
SET ROLE regress_refunds_operator;
SELECT * FROM refund_orders_stock.refund_orders('{16}');
RESET ROLE;
BEGIN READ ONLY;
SELECT refund_orders('{16}');
\echo :SQLSTATE
ROLLBACK;
SELECT * FROM inventory.verify('items');
SELECT inventory.cool('items', 2);

\echo '-- without orders: references, which can stand for several items and users'
CREATE SCHEMA refund_parts;
CREATE TABLE refund_parts.parts (id bigint PRIMARY KEY, stock bigint);
INSERT INTO refund_parts.parts VALUES (1, 50), (2, 50);
SELECT inventory.attach('refund_parts.parts', ledger_schema => 'refund_parts');
SET search_path = refund_parts;
SELECT buy_item('ada', 1, 4, NULL, '{"order_id": "b"}'), buy_item('ada', 2, 4, NULL, '{"order_id": "b"}'), buy_item('ben', 1, 3, NULL, '{"order_id": "B"}'),
	buy_item('ben', 1, 2, NULL, '{"order_id": "b"}');
SELECT refund_order('B', 1);
SELECT * FROM refund_orders('{b,a,B,b}');
SELECT * FROM refund_orders('{b}');
SELECT * FROM levels ORDER BY item_id;
SELECT order_id, item_id, delta, kind, user_id FROM movements WHERE kind = 'refund' ORDER BY movement_id;
SELECT * FROM inventory.verify('parts');
SET client_min_messages = warning;
DROP SCHEMA refund_parts, refund_orders, refund_orders_stock CASCADE;
DROP ROLE regress_refunds_operator;
