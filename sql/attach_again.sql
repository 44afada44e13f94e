-- Tests of attach on an attached store: the arguments that are given are what holds afterwards; the
-- ledger, its keys and holds, and all grants stay.
\set SHOW_CONTEXT never
\pset format unaligned
\pset tuples_only on
CREATE ROLE regress_again_buyer;
CREATE SCHEMA again;
CREATE SCHEMA again_api;
SET search_path = again;
CREATE TABLE items (id bigint PRIMARY KEY, stock integer, stock_floor integer, purchase_limit integer, price numeric NOT NULL DEFAULT 5, status text NOT NULL DEFAULT 'live');
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id text, item_id bigint REFERENCES items, quantity integer, price numeric, note text);
INSERT INTO items VALUES (1, 10, 0, NULL), (2, 10, 0, NULL);
CREATE TABLE seen (made jsonb);
SELECT inventory.attach('items', 'orders');
SELECT inventory.grant_api('items', 'regress_again_buyer', 'buyer');
GRANT SELECT ON items_stock.levels TO regress_again_buyer;
GRANT USAGE ON SCHEMA again TO regress_again_buyer;
CREATE VIEW report AS SELECT item_id, available FROM items_stock.levels;
SELECT buy_item('ann', 1, 2, 'k1');
SELECT reserve_stock('bob', 1, 3) AS hold \gset
SELECT available_stock(1);
-- Functions and views with their grants, without what is said to change.
CREATE FUNCTION made() RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_object_agg(kind || ' ' || name, granted) FROM (
		SELECT 'function' AS kind, p.oid::regproc::text AS name, p.oid || ' ' || p.proacl::text AS granted FROM pg_proc AS p
		WHERE p.prosrc LIKE '% again.items'
		UNION ALL
		SELECT 'relation', c.oid::regclass::text, c.oid || ' ' || coalesce(c.relacl::text, '') FROM pg_class AS c
		WHERE c.relnamespace = 'items_stock'::regnamespace AND c.relkind IN ('r', 'v', 'c')) AS o
$$;
CREATE FUNCTION other() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT key FROM (SELECT (jsonb_each_text(made())).*) AS m FULL JOIN (SELECT (jsonb_each_text(made)).* FROM seen) AS s USING (key, value)
	WHERE m IS NULL OR s IS NULL GROUP BY key ORDER BY key
$$;
INSERT INTO seen SELECT made();

\echo '-- the same arguments, and the statement of describe: nothing changed, and no lock on the tables'
BEGIN;
SELECT inventory.attach('items', 'orders');
SELECT inventory.describe('items') AS statement \gset
:statement
SELECT l.relation::regclass, l.mode FROM pg_locks AS l WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation'
	AND l.relation IN (SELECT oid FROM pg_class WHERE relnamespace IN ('again'::regnamespace, 'items_stock'::regnamespace)) ORDER BY 1;
COMMIT;
SELECT other();

\echo '-- each option: what changed is said, and objects, ledger, holds and grants stay'
SELECT inventory.attach('items', 'orders', max_ttl => '2 days', user_claim => 'sub');
SELECT other();
SELECT inventory.attach('items', 'orders', max_ttl => '2 days', user_claim => 'sub', order_columns => '{note}', order_writes => 'refuse', direct_writes => 'refuse', sellable => $$ status = 'live' $$);
INSERT INTO seen SELECT made();
DELETE FROM seen WHERE ctid = (SELECT min(ctid) FROM seen);
UPDATE items SET stock = 5;
UPDATE items SET status = 'draft' WHERE id = 2;
SELECT buy_item('sub', 2);
SELECT available_stock(1), status, quantity FROM get_reservation(:'hold');

\echo '-- what is written in another way is the same, also after a rename'
BEGIN;
SELECT inventory.attach('items', 'orders', max_ttl => '2 days', user_claim => 'sub', order_columns => '{note}', order_writes => 'refuse', direct_writes => 'refuse', sellable => $$status::text = ('live')$$);
ALTER TABLE items RENAME status TO state;
SELECT inventory.attach('items', 'orders', max_ttl => '2 days', user_claim => 'sub', order_columns => '{note}', order_writes => 'refuse', direct_writes => 'refuse', sellable => $$state = 'live'$$);
SAVEPOINT s;
SELECT inventory.attach('items', 'orders', max_ttl => '2 days', user_claim => 'sub', order_columns => '{note}', order_writes => 'refuse', direct_writes => 'refuse', sellable => $$status = 'live'$$);
ROLLBACK TO s;
SELECT inventory.describe('items') AS statement \gset
:statement
SELECT l.relation::regclass, l.mode FROM pg_locks AS l WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.mode <> 'AccessShareLock'
	AND l.relation IN (SELECT oid FROM pg_class WHERE relnamespace IN ('items_stock'::regnamespace)) ORDER BY 1;
ROLLBACK;

\echo '-- what would loosen it has to be named, or reset'
-- later versions of the server leave out the alias in the condition
\set VERBOSITY terse
SELECT inventory.attach('items');
\echo :SQLSTATE
SELECT inventory.attach('items', 'orders', max_ttl => '2 days', order_columns => '{note}', order_writes => 'refuse', direct_writes => 'refuse');
SELECT inventory.attach('items', 'orders', sellable => 'true', user_claim => 'sub');
SELECT other();
SELECT inventory.attach('items', 'orders', reset => true);
\set VERBOSITY default
SELECT inventory.attach('items', 'orders', stock_floor => '', purchase_limit => '');
SELECT inventory.attach('items', 'orders', stock_floor => 'purchase_limit', purchase_limit => '');
\set VERBOSITY terse
SELECT inventory.attach('items', 'orders');
\set VERBOSITY default
SELECT inventory.attach('items', 'orders', reset => true);
SELECT other();
SELECT buy_item('ann', 1, 2, 'k1'), available_stock(1);

\echo '-- what the shop computes'
SELECT inventory.attach('items', 'orders', order_values => '{"price": "price * quantity"}');
SELECT buy_item('ann', 2, 2);
SELECT price FROM orders ORDER BY id DESC LIMIT 1;
SELECT inventory.attach('items', 'orders', order_values => '{"price": "quantity * price"}');
SELECT inventory.attach('items', 'orders', order_values => '{"price": "item.price*quantity"}');
SELECT inventory.attach('items', 'orders', order_values => '{"price": "(price * quantity::numeric)"}');
SELECT inventory.attach('items', 'orders', order_values => '{"price": "prices * quantity"}');
SELECT inventory.attach('items', 'orders', order_values => $${"price": "price * quantity", "note": "', ''item_1.price) item( AS x' || upper(order_data->>'note') || (SELECT E'\\\\' || max(i.id) FROM again.items AS i WHERE i.price = item.price)"}$$);
SELECT order_values->'note' FROM inventory.bindings WHERE items = 'items'::regclass;
SELECT inventory.describe('items') AS statement \gset
:statement
ALTER TABLE items RENAME price TO quantity;
SELECT order_values FROM inventory.bindings WHERE items = 'items'::regclass;
SELECT inventory.describe('items') AS statement \gset
:statement
ALTER TABLE items RENAME quantity TO price;
SELECT inventory.attach('items', 'orders', order_values => '{"price": "price * quantity"}');
ALTER TABLE orders RENAME price TO total;
ALTER TABLE items RENAME price TO cost;
SELECT order_values FROM inventory.bindings WHERE items = 'items'::regclass;
SELECT inventory.attach('items', 'orders', order_values => '{"total": "cost * quantity"}');
SELECT inventory.attach('items', 'orders', order_values => '{"total": "cost * quantity"}', max_ttl => '3 days');
SELECT buy_item('ann', 2, 2);
SELECT total FROM orders ORDER BY id DESC LIMIT 1;
\set VERBOSITY terse
SELECT inventory.attach('items', 'orders');
\set VERBOSITY default
CREATE FUNCTION make_order(user_id text, lines jsonb, order_data jsonb) RETURNS jsonb LANGUAGE sql STABLE
	RETURN jsonb_build_object('lines', (SELECT jsonb_agg('{"total": 1}'::jsonb) FROM jsonb_array_elements(lines)));
SELECT inventory.attach('items', 'orders', order_prepare => 'make_order(text, jsonb, jsonb)');
SELECT buy_item('ann', 2, 1);
SELECT total FROM orders ORDER BY id DESC LIMIT 1;
\set VERBOSITY terse
SELECT inventory.attach('items', 'orders');
\set VERBOSITY default
SELECT inventory.attach('items', 'orders', reset => true);

\echo '-- what lines are worth'
SELECT inventory.attach('items', 'orders', order_final => 'line.note = ''sent''');
SELECT inventory.attach('items', 'orders', order_final => 'line.note = ''sent''');
SELECT inventory.attach('items', 'orders', order_units => 'line.quantity + 0', order_final => 'line.note = ''sent''', order_writes => 'refuse');
SELECT order_units, order_final, order_writes FROM inventory.bindings WHERE items = 'items'::regclass;
SELECT * FROM inventory.verify('items');
SELECT inventory.attach('items', 'orders', reset => true);
SELECT order_units, order_final, order_writes FROM inventory.bindings WHERE items = 'items'::regclass;

\echo '-- headers'
CREATE TABLE heads (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id text, note text, total numeric);
ALTER TABLE orders ADD head_id bigint REFERENCES heads;
SELECT inventory.attach('items', 'orders', order_header => 'heads', header_columns => '{note}', order_columns => '{note,head_id}', header_values => '{"total": "sum(quantity)"}');
SELECT inventory.attach('items', 'orders', order_header => 'heads', header_columns => '{note}', order_columns => '{head_id,note}', header_values => '{"total": "sum(quantity)"}');
SELECT status, header_id FROM buy_cart('ann', '[{"item_id": 1, "quantity": 2}]', order_data => '{"header": {"note": "x"}}');
TABLE heads;
\set VERBOSITY terse
SELECT inventory.attach('items', 'orders', order_header => 'heads');
\set VERBOSITY default
SELECT inventory.attach('items', 'orders', reset => true);
SELECT buy_item('ann', 1, 2, 'k1');

\echo '-- names of arguments, of the store, and schemas'
INSERT INTO seen SELECT made();
DELETE FROM seen WHERE ctid = (SELECT min(ctid) FROM seen);
SELECT inventory.attach('items', 'orders', argument_prefix => 'p_');
SELECT buy_item(p_user_id => 'ann', p_item_id => 1, p_quantity => 2, p_idempotency_key => 'k1');
SELECT inventory.attach('items', 'orders', api_schema => 'again_api', ledger_schema => 'again_books', store_name => 'shop');
SELECT has_function_privilege('regress_again_buyer', 'again_api.buy_item(text, bigint, bigint, text, jsonb)', 'EXECUTE'),
	   has_schema_privilege('regress_again_buyer', 'again_api', 'USAGE'), has_table_privilege('regress_again_buyer', 'again_books.levels', 'SELECT');
TABLE report;
SELECT again_api.buy_item('ann', 1, 2, 'k1');
SELECT store_name, api_schema, ledger_schema FROM inventory.bindings WHERE items = 'items'::regclass;
SELECT inventory.attach('items', 'orders', api_schema => 'again_api');
SELECT inventory.attach('items', 'orders', store_name => 'again.items', ledger_schema => 'items_stock');
SELECT other();
SELECT * FROM inventory.verify('items');

\echo '-- another stock column: what it has more or less is booked'
ALTER TABLE items ADD pieces bigint;
UPDATE items SET pieces = stock + id;
SELECT inventory.attach('items', 'orders', stock => 'pieces');
SELECT pg_typeof(available_stock(1)), available_stock(1);
SELECT item_id, delta, kind FROM items_stock.movements WHERE kind = 'direct';
SELECT * FROM inventory.verify('items');
SELECT has_function_privilege('regress_again_buyer', 'buy_item(text, bigint, bigint, text, jsonb)', 'EXECUTE');

\echo '-- what cannot be'
CREATE TABLE others (id uuid PRIMARY KEY, item_id bigint, quantity integer, user_id uuid);
SELECT inventory.attach('items', 'orders', stock => 'pieces', order_user_id => '', user_id_type => 'uuid');
\echo :SQLSTATE
SELECT inventory.attach('items', 'others', order_user_id => '', order_columns => '{id}', stock => 'pieces');
SELECT inventory.attach('items', 'orders', stock => 'nothing');
ALTER TABLE items ADD sku bigint NOT NULL UNIQUE GENERATED ALWAYS AS IDENTITY;
SELECT inventory.attach('items', 'orders', stock => 'pieces', item_id => 'sku');
ALTER TABLE orders ADD number bigint NOT NULL UNIQUE GENERATED ALWAYS AS IDENTITY;
SELECT inventory.attach('items', 'orders', stock => 'pieces', order_id => 'number');
SELECT inventory.attach('items', 'orders', stock => 'pieces', store_name => '');

\echo '-- while an item is hot'
SELECT inventory.heat('items', 1::bigint);
SELECT inventory.attach('items', 'orders', stock => 'pieces', stock_floor => '', reset => true);
\echo :SQLSTATE
SELECT inventory.attach('items', 'orders', stock => 'pieces', max_ttl => '5 days');
SELECT buy_item('ann', 1, 1);
SELECT available_stock(1), (SELECT count(*) FROM inventory.hot_entries());
SELECT inventory.cool('items');
SELECT inventory.attach('items', 'orders', stock => 'pieces', stock_floor => '');
SELECT * FROM inventory.verify('items');

\echo '-- by a superuser, and by other roles'
CREATE ROLE regress_again_owner;
ALTER SCHEMA again OWNER TO regress_again_owner;
ALTER TABLE items OWNER TO regress_again_owner;
ALTER TABLE orders OWNER TO regress_again_owner;
SELECT inventory.refresh('items');
SELECT inventory.attach('items', 'orders', stock => 'pieces', stock_floor => '', sellable => $$status <> 'old'$$);
SELECT inventory.attach('items', 'orders', stock => 'pieces', stock_floor => '', sellable => $$(status) <> 'old'$$);
SELECT count(*) AS not_the_owners FROM pg_class WHERE relnamespace = 'items_stock'::regnamespace AND relowner <> 'regress_again_owner'::regrole;
SET ROLE regress_again_buyer;
SELECT inventory.attach('again.items', 'again.orders');
\echo :SQLSTATE
RESET ROLE;
SELECT buy_item('ann', 1, 1);
\set VERBOSITY terse
SELECT inventory.attach('items', 'orders', stock => 'pieces', reset => true);
\set VERBOSITY default

\echo '-- after detach the ledger is found, without a word about its indexes'
SELECT inventory.detach('items');
DROP VIEW report;
SELECT inventory.detach('items');
SELECT inventory.attach('items', 'orders', stock => 'pieces');
SELECT buy_item('ann', 1, 2, 'k1');
SELECT * FROM inventory.verify('items');
SET client_min_messages = warning;
DROP SCHEMA again, again_api, again_books, items_stock CASCADE;
DROP ROLE regress_again_buyer, regress_again_owner;
