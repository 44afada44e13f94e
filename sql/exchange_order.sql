-- Tests of exchange_order: a line is given back and others are sold in its place, to the same user,
-- or nothing happens; the last unit can go from one line to the next.
\pset format unaligned
\pset tuples_only on
\set schema exchange_order
\set limits on
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
CREATE ROLE regress_exchange_operator;
INSERT INTO items (id, stock, stock_floor, purchase_limit) VALUES (1, 100, NULL, NULL), (2, 100, NULL, NULL), (3, 1, NULL, NULL), (4, 1, NULL, NULL),
	(5, NULL, NULL, NULL), (6, 10, 4, NULL), (7, 10, NULL, 3), (8, 10, NULL, NULL), (9, 10, NULL, NULL);
INSERT INTO orders VALUES (901, 'old', 7, 2);
SELECT inventory.attach('items', 'orders', ledger_schema => 'exchange_order_stock', sellable => 'live', order_columns => '{id,note}');
SELECT count(inventory.heat('items', id)) FROM unnest('{2,4}'::integer[]) AS id;
CREATE FUNCTION booked(o bigint) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT concat_ws(' ', m.item_id, m.delta, m.kind, m.user_id, m.reason) FROM movements AS m WHERE m.order_id = o ORDER BY m.movement_id
$$;
ALTER SEQUENCE orders_id_seq RESTART 100;

\echo '-- cold for cold, cold for hot, hot for cold, for several'
SELECT buy_item('ada', 1, 5, NULL, '{"id": 1}'), buy_item('ada', 1, 5, NULL, '{"id": 2}'), buy_item('ada', 2, 5, NULL, '{"id": 3}'), buy_item('ada', 8, 5, NULL, '{"id": 4}');
SELECT * FROM exchange_order(1, '[{"item_id": 9, "quantity": 2}]');
SELECT * FROM exchange_order(2, '[{"item_id": 2, "quantity": 2}]', 'too small');
SELECT * FROM exchange_order(3, '[{"item_id": 1, "quantity": 2}]');
SELECT * FROM exchange_order(4, '[{"item_id": 9}, {"item_id": 1, "quantity": 3, "note": "gift"}, {"item_id": 2}, {"item_id": 9, "quantity": 2}]', 'other colours');
SELECT id, user_id, item_id, quantity, note FROM orders ORDER BY id;
SELECT i.id, CASE WHEN i.id <> 2 THEN i.stock END AS stock, available_stock(i.id) FROM items AS i WHERE i.id IN (1, 2, 8, 9) ORDER BY i.id; -- a worker may settle 2
SELECT booked(2);
SELECT booked(101);
SELECT booked(4);

\echo '-- the same item: only the difference moves'
SELECT buy_item('ada', 3, 1, NULL, '{"id": 11}'), buy_item('ada', 4, 1, NULL, '{"id": 12}');
SELECT * FROM exchange_order(11, '[{"item_id": 3}]');
SELECT * FROM exchange_order(12, '[{"item_id": 4}, {"item_id": 1}]');
SELECT exchange_order(107, '[{"item_id": 3, "quantity": 2}]');
SELECT booked(11);
SELECT booked(107);
SELECT booked(108);
SELECT id, item_id, quantity FROM orders WHERE item_id IN (3, 4) ORDER BY id;
SELECT buy_item('ada', 8, 5, NULL, '{"id": 13}'), buy_item('ada', 2, 5, NULL, '{"id": 14}');
SELECT item_id, quantity, available FROM exchange_order(13, '[{"item_id": 8, "quantity": 2}]');
SELECT item_id, quantity, available FROM exchange_order(14, '[{"item_id": 2, "quantity": 2}]');
SELECT item_id, quantity, available FROM exchange_order((SELECT max(id) FROM orders WHERE item_id = 8), '[{"item_id": 8, "quantity": 3}, {"item_id": 8, "quantity": 3}]');
SELECT item_id, quantity, available FROM exchange_order((SELECT max(id) FROM orders WHERE item_id = 2), '[{"item_id": 2, "quantity": 6}]');
SELECT available_stock(8), available_stock(2), available_stock(3), available_stock(4);
SELECT * FROM inventory.verify('items');

\echo '-- what is left after a refund; a line of which nothing is left'
SELECT buy_item('ada', 1, 5, NULL, '{"id": 21}');
SELECT refund_order(21, 2), (SELECT quantity FROM exchange_order(21, '[{"item_id": 2}]'));
SELECT booked(21);
SELECT exchange_order(21, '[{"item_id": 2}]');
\echo :SQLSTATE
SELECT refund_order(21);

\echo '-- refusals leave everything as it is'
SELECT buy_item('ada', 1, 5, NULL, '{"id": 31}');
SELECT sum(stock) AS stock, (SELECT count(*) FROM movements) AS movements, (SELECT count(*) FROM orders) AS orders FROM items \gset
SELECT exchange_order(31, '[{"item_id": 9}, {"item_id": 6, "quantity": 7}]');
\echo :SQLSTATE
SELECT exchange_order(31, '[{"item_id": 4}, {"item_id": 99}, {"item_id": 9}]');
\echo :SQLSTATE
SELECT exchange_order(31, '[{"item_id": 7, "quantity": 4}]');
\echo :SQLSTATE
SELECT exchange_order(31, '[{"item_id": 4}]');
SELECT exchange_order(99, '[{"item_id": 9}]');
\echo :SQLSTATE
SELECT exchange_order(NULL, '[{"item_id": 9}]');
SELECT exchange_order(31, NULL);
SELECT exchange_order(31, '[]');
SELECT exchange_order(31, '[{"item_id": 9, "quantity": 0}]');
SELECT exchange_order(31, '[{"item_id": 9, "price": 0}]');
\echo :SQLSTATE
SELECT exchange_order(31, '[{"item_id": 9, "note": "x", "id": 31}]');
\echo :SQLSTATE
SELECT sum(stock) = :stock, (SELECT count(*) FROM movements) = :movements, (SELECT count(*) FROM orders) = :orders FROM items;
UPDATE items SET live = false WHERE id IN (1, 9);
SELECT exchange_order(31, '[{"item_id": 9}]');
-- a line of what is no longer for sale can be given back, and fewer units of it kept
SELECT item_id, quantity, available FROM exchange_order(31, '[{"item_id": 1, "quantity": 2}, {"item_id": 8}]');
SELECT stock FROM items WHERE id = 1;
UPDATE items SET live = true;

\echo '-- the limit: units of the old line do not count, except those from before the attach, which never did'
SELECT buy_item('ada', 7, 3, NULL, '{"id": 41}');
SELECT quantity FROM exchange_order(41, '[{"item_id": 7, "quantity": 3}]');
SELECT exchange_order((SELECT max(id) FROM orders WHERE item_id = 7 AND id < 900), '[{"item_id": 7, "quantity": 4}]');
SELECT quantity FROM exchange_order((SELECT max(id) FROM orders WHERE item_id = 7 AND id < 900), '[{"item_id": 7, "quantity": 1}, {"item_id": 8}]');
SELECT buy_item('ada', 7, 3);
SELECT buy_item('ada', 7, 2) IS NOT NULL;
SELECT quantity FROM exchange_order(901, '[{"item_id": 7, "quantity": 3}]');
SELECT buy_item('old', 7);

\echo '-- not tracked, before or after'
SELECT restock_item(8, 20);
SELECT buy_item('ada', 5, 2, NULL, '{"id": 51}'), buy_item('ada', 8, 2, NULL, '{"id": 52}');
SELECT item_id, quantity, available FROM exchange_order(51, '[{"item_id": 5}, {"item_id": 8}]');
SELECT item_id, quantity, available FROM exchange_order(52, '[{"item_id": 5, "quantity": 7}]');
SELECT booked(51);
SELECT booked((SELECT max(id) FROM orders WHERE item_id = 5));
SELECT buy_item('ada', 9, 2, NULL, '{"id": 53}');
DELETE FROM items WHERE id = 9;
SELECT item_id, quantity, available FROM exchange_order(53, '[{"item_id": 8}]');
SELECT booked(53);

\echo '-- a repeated key gets the first answer'
SELECT buy_item('ada', 1, 5, NULL, '{"id": 61}');
SELECT status, item_id, quantity, replayed FROM exchange_order(61, '[{"item_id": 2}]', NULL, 'k');
SELECT status, item_id, quantity, replayed FROM exchange_order(61, '[{"item_id": 2}]', NULL, 'k');
SELECT exchange_order(61, '[{"item_id": 1}]', NULL, 'k');
\echo :SQLSTATE

\echo '-- rights'
SELECT inventory.grant_api('items', 'regress_exchange_operator', 'operator');
SELECT buy_item('ada', 1, 5, NULL, '{"id": 71}');
SET ROLE regress_exchange_operator;
SELECT status FROM exchange_order_stock.exchange_order(71, '[{"item_id": 2}]');
RESET ROLE;
SELECT * FROM inventory.verify('items');
SELECT count(inventory.cool('items', id)) FROM unnest('{2,4}'::integer[]) AS id;

\echo '-- without orders, new lines are of the same order unless they say otherwise'
CREATE SCHEMA exchange_parts;
CREATE TABLE exchange_parts.parts (id bigint PRIMARY KEY, stock bigint);
INSERT INTO exchange_parts.parts VALUES (1, 50), (2, 50), (3, 50);
SELECT inventory.attach('exchange_parts.parts', ledger_schema => 'exchange_parts');
SET search_path = exchange_parts;
SELECT buy_item('ada', 1, 4, NULL, '{"order_id": "A-1"}');
SELECT * FROM exchange_order('A-1', '[{"item_id": 2}, {"item_id": 3, "order_id": "A-2"}]');
SELECT item_id, delta, kind, user_id, order_id FROM movements WHERE order_id IS NOT NULL ORDER BY movement_id;
SELECT buy_item('ada', 1, 1, NULL, '{"order_id": "A-1"}');
SELECT exchange_order('A-1', '[{"item_id": 3}]');
\echo :SQLSTATE
SELECT * FROM refund_orders('{A-1,A-2}');
SELECT buy_item('ada', 1, 1, NULL, '{"order_id": "A-2"}');
SELECT * FROM exchange_order('A-2', '[{"item_id": 3, "quantity": 2}]');
SELECT * FROM inventory.verify('parts');
SET client_min_messages = warning;
DROP SCHEMA exchange_parts, exchange_order, exchange_order_stock CASCADE;
DROP ROLE regress_exchange_operator;
