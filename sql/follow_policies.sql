-- Tests of attach with row level security that is forced on the owner: it books the order lines
-- that the policies hide, where the stock begins to follow them and where it no longer does.
\set SHOW_CONTEXT never
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
SET client_min_messages = error;
CREATE ROLE regress_policies_owner;
CREATE SCHEMA follow_policies AUTHORIZATION regress_policies_owner;
CREATE SCHEMA follow_policies_stock AUTHORIZATION regress_policies_owner;
SET SESSION AUTHORIZATION regress_policies_owner;
SET search_path = follow_policies;
CREATE TABLE items (id integer PRIMARY KEY, stock integer NOT NULL);
CREATE TABLE orders (id integer PRIMARY KEY, user_id integer, status text NOT NULL DEFAULT 'paid');
CREATE TABLE lines (id integer PRIMARY KEY, order_id integer REFERENCES orders, item_id integer NOT NULL REFERENCES items, quantity integer NOT NULL);
CREATE INDEX ON lines (order_id);
INSERT INTO items VALUES (1, 10), (2, 10);
INSERT INTO orders VALUES (1, 7, 'paid'), (2, 7, 'cart');
INSERT INTO lines VALUES (1, 1, 1, 5), (2, 2, 2, 5);
ALTER TABLE items ENABLE ROW LEVEL SECURITY;
ALTER TABLE items FORCE ROW LEVEL SECURITY;
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE orders FORCE ROW LEVEL SECURITY;
ALTER TABLE lines ENABLE ROW LEVEL SECURITY;
ALTER TABLE lines FORCE ROW LEVEL SECURITY;
SELECT count(*) FROM lines;
SELECT inventory.execute_latest('SELECT FROM lines');

\echo '-- lines that are older than the store'
SELECT inventory.attach('items', 'lines', order_header => 'orders', header_columns => '{id}', order_columns => '{id,order_id}', ledger_schema => 'follow_policies_stock',
	order_writes => 'follow', order_units => $$CASE WHEN header.status <> 'cart' THEN line.quantity END$$, order_final => 'false');
SELECT item_id, delta, kind, order_id FROM follow_policies_stock.movements WHERE kind <> 'opening' OR order_id IS NOT NULL ORDER BY movement_id;
SELECT buy_item(7, 2, 4, order_data => '{"id": 3, "order_id": 1}');
\echo '-- no longer followed: what is sold stays as it is'
SELECT inventory.attach('items', 'lines', order_header => 'orders', header_columns => '{id}', order_columns => '{id,order_id}', ledger_schema => 'follow_policies_stock', order_writes => 'record', reset => true);
SELECT order_id, operation, item_before, item_after, quantity_before, quantity_after FROM follow_policies_stock.order_changes ORDER BY order_id;
SELECT follow_policies_stock.refund_order(3);
SELECT follow_policies_stock.refund_order(1);
SELECT follow_policies_stock.refund_order(2);
SELECT * FROM inventory.verify('items');
RESET SESSION AUTHORIZATION;
SELECT * FROM items ORDER BY id;
DROP SCHEMA follow_policies, follow_policies_stock CASCADE;
DROP ROLE regress_policies_owner;
