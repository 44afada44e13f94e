-- Tests of orders that are bound after the attach, and no longer: the references and keys that the ledger has
-- stay in columns of their own, and nothing is cast.
\set SHOW_CONTEXT never
\pset format unaligned
\pset tuples_only on
CREATE SCHEMA reference;
SET search_path = reference, items_stock;
CREATE TABLE items (id integer PRIMARY KEY, stock integer, purchase_limit integer);
INSERT INTO items VALUES (1, 20, 10);
SET client_min_messages = warning;
SELECT inventory.attach('items');
SELECT buy_item('ann', 1, 1, 'k1', '{"order_id": "A-17"}');
SELECT buy_item('ann', 1, 1, 'k2', '{"order_id": "1"}');
SELECT buy_item('ann', 1, 1, 'k3');
SELECT order_id FROM buy_cart('ann', '[{"item_id": 1}]', 'k4', '{"order_id": "no key of anything"}');
SELECT reserve_stock('bob', 1, 2) AS hold \gset
SELECT order_id FROM confirm_reservation(:'hold', 'bob', '{"order_id": "B"}');
SELECT refund_order('A-17');
CREATE TABLE orders (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id text, item_id integer, quantity integer);
INSERT INTO orders (user_id, item_id, quantity) VALUES ('old', 1, 2);
CREATE FUNCTION ledger() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT concat_ws(' ', m.j->>'kind', m.j->>'delta', (SELECT string_agg(e.key || '=' || e.value, ' ' ORDER BY e.key) FROM jsonb_each_text(m.j) AS e WHERE e.key LIKE 'order\_%'))
	FROM (SELECT movement_id, to_jsonb(m) AS j FROM items_stock.movements AS m WHERE kind <> 'opening') AS m ORDER BY movement_id
$$;

\echo '-- orders are bound: the old references stay, and none is a key'
RESET client_min_messages;
SELECT inventory.attach('items', 'orders');
SET client_min_messages = warning;
SELECT * FROM ledger();
SELECT attname, atttypid::regtype FROM pg_attribute WHERE attrelid = 'reservations'::regclass AND attname LIKE 'order%' ORDER BY 1;
SELECT order_id, order_reference FROM reservations;
SELECT buy_item('ann', 1, 1, 'k1', '{"order_id": "A-17"}');
SELECT buy_item('ann', 1, 1, 'k3');
SELECT status, order_id, replayed FROM buy_cart('ann', '[{"item_id": 1}]', 'k4', '{"order_id": "no key of anything"}');
SELECT status, order_id FROM get_reservation(:'hold');
SELECT buy_item('ann', 1, 2, 'k5');
SELECT refund_order(1);
SELECT refund_order(2, 1);
SELECT refund_order(3);
\echo :SQLSTATE
-- what was bought before counts for the limit
SELECT buy_item('ann', 1, 5);
\echo :SQLSTATE
SELECT * FROM inventory.verify('items');
SELECT inventory.attach('items', 'orders');

\echo '-- no longer, and again: keys come back, and with them what was refunded'
SELECT inventory.attach('items');
\echo :SQLSTATE
SELECT inventory.attach('items', reset => true);
SELECT * FROM ledger();
SELECT buy_item('ann', 1, 1, 'k1', '{"order_id": "A-17"}');
SELECT buy_item('ann', 1, 2, 'k5');
SELECT refund_order('A-17');
SELECT refund_order('1');
SELECT buy_item('ann', 1, 1, 'k6', '{"order_id": "later"}');
SELECT * FROM inventory.verify('items');
SELECT inventory.attach('items', 'orders');
SELECT * FROM ledger();
SELECT refund_order(2, 2);
\echo :SQLSTATE
SELECT refund_order(2);
SELECT buy_item('ann', 1, 2, 'k5');
SELECT * FROM inventory.verify('items');

\echo '-- orders with keys of another type'
CREATE TABLE others (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), user_id text, item_id integer, quantity integer);
SELECT inventory.attach('items', 'others');
\echo :SQLSTATE
SELECT inventory.attach('items', reset => true);
SELECT inventory.attach('items', 'others');
SELECT buy_item('bob', 1, 1) AS id \gset
SELECT refund_order(:'id');
SELECT attname, atttypid::regtype FROM pg_attribute WHERE attrelid = 'movements'::regclass AND attname LIKE 'order%' ORDER BY 1;
SELECT relname FROM pg_class WHERE relnamespace = 'items_stock'::regnamespace AND relkind = 'r' ORDER BY 1;
SELECT * FROM inventory.verify('items');
SELECT inventory.attach('items', reset => true);
SELECT inventory.attach('items', 'orders');
SELECT attname, atttypid::regtype FROM pg_attribute WHERE attrelid = 'movements'::regclass AND attname LIKE 'order%' ORDER BY 1;
SELECT buy_item('ann', 1, 2, 'k5');
SELECT * FROM inventory.verify('items');

\echo '-- by detach and attach, with keys that are texts'
DROP TABLE others CASCADE;
CREATE SCHEMA notes;
CREATE TABLE notes.items (id integer PRIMARY KEY, stock integer);
CREATE TABLE notes.orders (id text PRIMARY KEY DEFAULT gen_random_uuid(), item_id integer, quantity integer);
INSERT INTO notes.items VALUES (1, 5);
SELECT inventory.attach('notes.items', ledger_schema => 'notes');
SELECT notes.buy_item('ann', 1, order_data => '{"order_id": "x"}');
SELECT inventory.detach('notes.items');
SELECT inventory.attach('notes.items', 'notes.orders', ledger_schema => 'notes', order_columns => '{id}');
SELECT notes.buy_item('ann', 1, order_data => '{"id": "x"}');
SELECT notes.refund_order('x');
SELECT kind, delta, order_id, order_reference FROM notes.movements ORDER BY movement_id;
SELECT * FROM inventory.verify('notes.items');
DROP SCHEMA reference, items_stock, notes CASCADE;
