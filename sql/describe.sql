-- Tests of describe and of the view bindings: the statement that describe returns makes the same store
-- again, whatever the tables and options are called.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
\set SHOW_CONTEXT never
SET TimeZone = 'UTC';
CREATE ROLE regress_describe_owner;
CREATE ROLE regress_describe_other;
CREATE SCHEMA describe;
CREATE SCHEMA "describe'd ""ledger""";
CREATE SCHEMA describe_api;
CREATE SCHEMA describe_stock;
GRANT ALL ON SCHEMA describe, describe_api, describe_stock, "describe'd ""ledger""" TO regress_describe_owner;
SET ROLE regress_describe_owner;
SET search_path = describe;
CREATE TABLE items (id bigint PRIMARY KEY, stock integer, version integer, stock_floor integer, purchase_limit integer);
CREATE TABLE orders (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), user_id text, item_id bigint, quantity integer, note text, price numeric);
CREATE TABLE "it's ""odd""" ("the key" text PRIMARY KEY, "On Hand" smallint, version integer, live boolean, "item_id" text, since timestamptz);
CREATE TABLE "or'ders" ("line id" integer PRIMARY KEY, "item's" text, quantity integer, user_id integer, "a,b" text, "c""d" text);
CREATE TABLE bare (id integer PRIMARY KEY, stock bigint);

-- What is in force, without the store of another name.
CREATE FUNCTION in_force(items regclass) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(E'\n', to_jsonb(b), (SELECT jsonb_agg(to_jsonb(s) - '{movements,order_values,header_values}'::text[] ORDER BY s.store_name) FROM inventory.store AS s WHERE s.items = b.items))
	FROM inventory.bindings AS b WHERE b.items = in_force.items
$$;
-- Detach a store, and make it again with its own description.
CREATE FUNCTION made_again(items regclass) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	statement text := inventory.describe(items);
	before text := in_force(items);
BEGIN
	PERFORM inventory.detach(items);
	EXECUTE statement;
	RETURN CASE WHEN in_force(items) = before AND inventory.describe(items) = statement THEN 'the same' ELSE E'before: ' || before || E'\nafter:  ' || in_force(items) END;
END
$$;

\echo '-- with everything that can be found'
SELECT inventory.attach('items', 'orders', ledger_schema => 'describe_stock');
SELECT inventory.describe('items');
SELECT made_again('items');
SELECT * FROM inventory.bindings WHERE items = 'items'::regclass \gx

\echo '-- a column that came later, or was not wanted, is not bound by the description'
SELECT inventory.detach('items');
SELECT inventory.attach('items', 'orders', ledger_schema => 'describe_stock', version => '', stock_floor => '', purchase_limit => '', order_user_id => '', order_quantity => '');
SELECT version, stock_floor, purchase_limit, order_user_id, order_quantity, user_id_type FROM inventory.bindings WHERE items = 'items'::regclass;
SELECT inventory.describe('items');
SELECT made_again('items');
SELECT inventory.attach('bare', user_id_type => 'uuid', direct_writes => 'refuse', api_schema => 'describe''d "ledger"', ledger_schema => 'describe''d "ledger"', max_ttl => '1 month 2 days 03:00');
ALTER TABLE bare ADD version integer, ADD purchase_limit integer;
SELECT inventory.describe('bare');
SELECT made_again('bare');
SELECT inventory.detach('bare');
SELECT inventory.attach('bare', stock => '');
\echo :SQLSTATE

\echo '-- what order lines are worth, and their headers'
CREATE TABLE "head'er" (id bigint PRIMARY KEY, "the state" text, shipped timestamptz);
ALTER TABLE orders ADD header_id bigint REFERENCES "head'er", ADD other bigint REFERENCES "head'er";
SELECT inventory.detach('items');
SELECT inventory.attach('items', 'orders', ledger_schema => 'describe_stock', order_writes => 'refuse', order_header => '"head''er"', header_columns => '{id}', order_header_id => 'header_id');
SELECT substring(inventory.describe('items') FROM '\torder_writes.*$');
SELECT made_again('items');
SELECT inventory.detach('items');
SELECT inventory.attach('items', 'orders', ledger_schema => 'describe_stock', order_header => '"head''er"', header_columns => '{id}', order_header_id => 'other',
	order_units => $c$CASE WHEN header."the state" <> ALL ('{cart,it''s}') THEN line.quantity END$c$, order_final => $c$header.shipped >= '2026-01-01 00:00+00'$c$);
SELECT made_again('items');
ALTER TABLE "head'er" RENAME "the state" TO state;
SELECT made_again('items');
SELECT order_writes, order_units, order_final, order_header, order_header_id FROM inventory.bindings WHERE items = 'items'::regclass \gx
SELECT inventory.detach('items');
SELECT inventory.attach('items', 'orders', ledger_schema => 'describe_stock', order_final => 'line.note IS NOT NULL');
SELECT made_again('items');
SELECT order_writes, order_units, order_final, order_header, order_header_id FROM inventory.bindings WHERE items = 'items'::regclass \gx
SELECT inventory.detach('items');
SELECT inventory.attach('items', 'orders', ledger_schema => 'describe_stock', order_units => '2');
SELECT made_again('items');
SELECT order_units, order_final FROM inventory.bindings WHERE items = 'items'::regclass;

\echo '-- what a purchase writes into headers, and what the shop computes'
SELECT inventory.detach('items');
ALTER TABLE "head'er" ADD "who else" text, ADD total numeric NOT NULL;
SELECT inventory.attach('items', 'orders', ledger_schema => 'describe_stock', order_columns => '{header_id,note}', order_header => '"head''er"', order_header_id => 'header_id',
	header_user_id => 'who else', header_columns => '{id}', order_values => '{"price": "item.stock + 0.5"}', header_values => '{"total": "sum(price)", "state": "''it''''s new''"}');
SELECT made_again('items');
SELECT substring(inventory.describe('items') FROM '\torder_header.*$');
SELECT order_columns, header_user_id, header_columns, order_values, header_values, order_prepare FROM inventory.bindings WHERE items = 'items'::regclass \gx
SELECT inventory.detach('items');
CREATE FUNCTION "make'it"(text, jsonb, jsonb) RETURNS jsonb LANGUAGE sql STABLE RETURN '{"header": {"id": 1, "total": 0}, "lines": [{}]}'::jsonb;
SELECT inventory.attach('items', 'orders', ledger_schema => 'describe_stock', order_header => '"head''er"', order_header_id => 'header_id',
	header_user_id => '', order_prepare => '"make''it"(text,jsonb,jsonb)', purchase_limit => '', order_limit => 'purchase_limit');
SELECT made_again('items');
SELECT substring(inventory.describe('items') FROM '\torder_header.*$');
SELECT order_columns, header_user_id, header_columns, order_values, header_values, order_prepare, order_limit FROM inventory.bindings WHERE items = 'items'::regclass \gx

\echo '-- names, options and conditions that need quoting, after renames'
RESET ROLE;
CREATE SCHEMA describe_books;
GRANT ALL ON SCHEMA describe_books TO regress_describe_owner;
SET ROLE regress_describe_owner;
SELECT inventory.attach('"it''s ""odd"""', '"or''ders"', stock => 'On Hand', order_item_id => 'item''s', order_columns => '{"a,b","c\"d","line id"}',
	api_schema => 'describe_api', ledger_schema => 'describe_books', argument_prefix => 'p_', user_claim => 'it''s "sub"',
	sellable => $c$live AND ("item_id" IS NULL OR "item_id" ~ E'^a\'"\\d') AND since < '2026-01-01 00:00+00'$c$, direct_writes => 'refuse', store_name => 'it''s \ mine');
-- later versions of the server leave out the alias in the condition
SELECT regexp_replace(inventory.describe('"it''s ""odd"""'), '\mi\.', '', 'g');
SELECT made_again('"it''s ""odd"""');
ALTER TABLE "or'ders" RENAME "a,b" TO "e{f}";
ALTER TABLE "it's ""odd""" RENAME live TO "is live";
ALTER TABLE "it's ""odd""" RENAME TO "thing's";
ALTER FUNCTION describe_api.buy_item SET SCHEMA describe;
SELECT order_columns, regexp_replace(sellable, '\mi\.', '', 'g'), items FROM inventory.bindings WHERE store_name LIKE '%mine';

\echo '-- rights, and what is no store'
SELECT inventory.describe(NULL);
\echo :SQLSTATE
SELECT inventory.describe('bare');
\echo :SQLSTATE
RESET ROLE;
GRANT USAGE ON SCHEMA describe TO regress_describe_other;
SET ROLE regress_describe_other;
SET search_path = public;
SELECT inventory.describe('describe.items');
\echo :SQLSTATE
SELECT store_name, user_claim FROM inventory.bindings WHERE store_name LIKE 'describe%' OR user_claim IS NOT NULL ORDER BY 1;
INSERT INTO inventory.bindings (store_name) VALUES ('x');
\echo :SQLSTATE
RESET ROLE;
-- a damaged store has a row in the view, and no description
DROP TRIGGER inventory_binding ON describe.items;
SELECT item_id, stock, order_id FROM inventory.bindings WHERE store_name = 'describe.items';
SELECT inventory.describe('describe.items');
\echo :SQLSTATE
DROP SCHEMA describe, describe_api, describe_books, "describe'd ""ledger""", describe_stock CASCADE;
DROP ROLE regress_describe_owner, regress_describe_other;
