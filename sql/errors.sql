-- Tests of the errors of purchases and stock changes: each once, with its SQLSTATE, name,
-- detail and hint.
\pset format unaligned
\pset tuples_only on
\set schema errors
\set item_type text
\set limits on
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
ALTER TABLE orders ALTER id DROP IDENTITY, ADD paid boolean;
ALTER TABLE orders ALTER id TYPE text;
INSERT INTO items (id, stock, stock_floor, purchase_limit) VALUES ('mug', 5, 0, NULL), ('pen', 1, 0, NULL), ('vip', 9, 0, 2), ('pdf', NULL, 0, NULL),
	('safe', 9, 8, NULL);
SELECT inventory.attach('items', 'orders', ledger_schema => 'errors_stock', order_columns => '{id}',
						user_claim => 'sub');

-- business refusals
SELECT error($$SELECT buy_item('ada', 'pen', 2, NULL, '{"id": "o"}')$$);
SELECT error($$SELECT buy_cart('ada', '[{"item_id": "pen", "id": 1, "quantity": 3}, {"item_id": "mug", "id": 2},
	{"item_id": "safe", "id": 3, "quantity": 2}]')$$);
SELECT error($$SELECT adjust_stock('safe', -2, 'broken')$$);
SELECT error($$SELECT count_stock('mug', 1, 2)$$);
SELECT error($$UPDATE items SET stock = -1 WHERE id = 'mug'$$);
SELECT error($$SELECT buy_item('ada', 'cup', 1, NULL, '{"id": "o"}')$$);
SELECT error($$SELECT buy_cart('ada', '[{"item_id": "jug", "id": 1}, {"item_id": "cup", "id": 2}]')$$);
SELECT error($$SELECT restock_item('cup', 1)$$);
-- after one mug and one vip were bought
SELECT buy_item('ada', 'mug', 1, 'k', '{"id": "o1"}'), buy_item('ada', 'vip', 1, NULL, '{"id": "o2"}');
SELECT error($$SELECT buy_item('ada', 'mug', 2, 'k')$$);
SELECT error($$SELECT buy_item('ada', 'vip', 2, NULL, '{"id": "o"}')$$);
SELECT error($$SELECT adjust_stock('mug', 1, 'found', 5)$$);
SELECT error($$SELECT inventory.verify('orders')$$);
SELECT error($$SELECT inventory.available_stock('gone', 'mug', NULL::integer)$$);
SELECT error($$UPDATE items SET id = 'cup' WHERE id = 'mug'$$);

-- arguments
SELECT error($$SELECT buy_item('ada', NULL)$$);
SELECT error($$SELECT buy_item('ada', 'mug')$$);
SELECT error($$SELECT buy_item(NULL, 'vip', 1, NULL, '{"id": "o"}')$$);
SELECT error($$SELECT buy_item('ada', 'mug', 0)$$);
SELECT error($$SELECT buy_item('ada', 'mug', 1, '')$$);
SELECT error($$SELECT buy_item('ada', 'mug', 1, repeat('k', 256))$$);
SELECT error($$SELECT buy_cart('ada', '[]')$$);
SELECT error($$SELECT buy_cart('ada', '[{"item_id": "mug", "quantity": 1.5}]')$$);
SELECT error($$SELECT buy_cart('ada', '[{"item_id": "mug", "quantity": 1e30}]')$$);
SELECT error($$SELECT buy_cart('ada', '[{"item_id": "mug", "id": 1, "quantity": 9e18},
	{"item_id": "mug", "id": 2, "quantity": 9e18}]')$$);
SELECT error($$SELECT buy_cart('ada', (SELECT jsonb_agg('{"item_id": "mug", "id": "o"}'::jsonb) FROM generate_series(0, 1000)))$$);
SELECT error($$SELECT buy_item('ada', 'mug', 1, NULL, '{"colour": "red"}')$$);
SELECT error($$SELECT buy_item('ada', 'mug', 1, NULL, '{"paid": true}')$$);
SELECT error($$SELECT restock_item('pdf', 1)$$);
SELECT error($$SELECT restock_item('mug', 3000000000)$$);
SELECT error($$SELECT restock_item('mug', 9223372036854775807)$$);

-- rights of the caller
CREATE ROLE regress_errors_buyer;
CREATE ROLE regress_errors_owner;
SELECT inventory.grant_api('items', 'regress_errors_buyer', 'buyer');
GRANT USAGE ON SCHEMA errors_stock TO regress_errors_buyer;
SET ROLE regress_errors_buyer;
SELECT error($$SELECT buy_item('ada', 'mug')$$);
SET request.jwt.claims = '{"sub": "bob"}';
SELECT error($$SELECT buy_item('ada', 'mug')$$);
SELECT error($$SELECT restock_item('mug', 1)$$);
SELECT error($$SELECT inventory.verify('items')$$);
RESET ROLE;
SET default_transaction_read_only = on;
SELECT error($$SELECT buy_item('ada', 'mug')$$);
SET default_transaction_read_only = off;

-- triggers and owners of the tables
CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER swallow BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION swallow();
SELECT error($$SELECT buy_item('ada', 'mug', 1, NULL, '{"id": "o"}')$$);
SELECT error($$SELECT buy_cart('ada', '[{"item_id": "mug", "id": 1}, {"item_id": "pen", "id": 2}]')$$);
CREATE TRIGGER swallow BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION swallow();
SELECT error($$SELECT buy_item('ada', 'mug', 1, NULL, '{"id": "o"}')$$);
SELECT error($$SELECT restock_item('mug', 1)$$);
DROP TRIGGER swallow ON items;
ALTER TABLE items DISABLE TRIGGER inventory_guard;
SELECT error($$SELECT buy_item('ada', 'mug', 1, NULL, '{"id": "o"}')$$);
ALTER TABLE items ENABLE ALWAYS TRIGGER inventory_guard;
BEGIN;
ALTER TABLE orders OWNER TO regress_errors_owner;
SELECT error($$SELECT buy_item('ada', 'mug')$$);
ROLLBACK;
BEGIN;
ALTER TABLE items OWNER TO regress_errors_owner;
SELECT error($$SELECT buy_item('ada', 'mug')$$);
ROLLBACK;

-- the other strategies refuse in the same words
SET inventory.strategy = pessimistic;
SELECT error($$SELECT buy_item('ada', 'pen', 2, NULL, '{"id": "o"}')$$);
SET inventory.strategy = optimistic;
SELECT error($$SELECT buy_item('ada', 'pen', 2, NULL, '{"id": "o"}')$$);

\pset tuples_only off
DROP SCHEMA errors, errors_stock CASCADE;
DROP ROLE regress_errors_buyer, regress_errors_owner;
