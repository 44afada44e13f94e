-- Tests of retype: a column of a store gets another type, with the ledger and the functions, and grants stay.
\set SHOW_CONTEXT never
\pset format unaligned
\pset tuples_only on
CREATE ROLE regress_retype_buyer;
CREATE SCHEMA retype;
SET search_path = retype, items_stock;
CREATE TABLE items (id integer PRIMARY KEY, stock smallint, version integer, live boolean NOT NULL DEFAULT true);
CREATE TABLE heads (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id text);
CREATE TABLE orders (id serial PRIMARY KEY, head_id integer REFERENCES heads, user_id text, item_id integer NOT NULL REFERENCES items, quantity integer);
CREATE TABLE parcels (order_id integer REFERENCES orders);
INSERT INTO items VALUES (1, 10), (2, 10);
SET client_min_messages = warning;
SELECT inventory.attach('items', 'orders', sellable => 'live AND stock > -1', order_header => 'heads', order_columns => '{head_id}');
SELECT inventory.grant_api('items', 'regress_retype_buyer', 'buyer');
GRANT SELECT ON items_stock.levels TO regress_retype_buyer;
RESET client_min_messages;
SELECT buy_item('7', 1, 2, 'k');
SELECT reserve_stock('7', 2, 3) AS hold \gset
SELECT refund_order(1, 1);
UPDATE orders SET quantity = 4 WHERE id = 1;
INSERT INTO parcels VALUES (1);
CREATE FUNCTION types() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT format('%s.%s %s', a.attrelid::regclass, a.attname, a.atttypid::regtype) FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
	WHERE c.relkind = 'r' AND c.relnamespace IN ('retype'::regnamespace, 'items_stock'::regnamespace) AND a.attnum > 0 AND NOT a.attisdropped
	AND (a.attname IN ('item_id', 'order_id', 'user_id', 'item_before', 'user_before', 'id') OR a.attname IN ('head_id', 'stock', 'quantity') AND c.relname IN ('items', 'orders'))
	ORDER BY 1
$$;
CREATE FUNCTION kept() RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', (SELECT count(*) FROM pg_proc AS p CROSS JOIN LATERAL aclexplode(p.proacl) AS a WHERE a.grantee = 'regress_retype_buyer'::regrole),
		has_table_privilege('regress_retype_buyer', 'items_stock.levels', 'SELECT'), (SELECT count(*) FROM inventory.verify('items')))
$$;
SELECT kept();

\echo '-- ALTER TABLE names it'
ALTER TABLE items ALTER stock TYPE bigint;
ALTER TABLE orders ALTER id TYPE bigint, ALTER quantity TYPE numeric(10,0);
ALTER TABLE heads ALTER user_id TYPE uuid;
\echo :SQLSTATE
-- of what only sellable reads, too
ALTER TABLE items ALTER live TYPE text;
ALTER TABLE parcels ALTER order_id TYPE bigint;
ALTER TABLE items ALTER nothing TYPE bigint;
CREATE DOMAIN "odd type" AS bigint;
ALTER TABLE items ALTER stock TYPE "odd type";
DROP DOMAIN "odd type";

\echo '-- each column'
SELECT inventory.retype('items', 'stock', 'bigint');
SELECT pg_typeof(available_stock(1)), available_stock(1), kept();
SELECT inventory.retype('items', 'quantity', 'numeric');
SELECT inventory.retype('items', 'items.id', 'bigint');
SELECT inventory.retype('items', 'item_id', 'bigint');
SELECT inventory.retype('items', 'orders.id', 'bigint');
SELECT inventory.retype('items', 'head_id', 'bigint');
SELECT inventory.retype('items', 'user_id', 'bigint');
SELECT inventory.retype('items', 'orders.user_id', 'bigint');
SELECT types();
\echo '-- the type that it has already: nothing is made again'
CREATE VIEW made AS SELECT max(t.oid::bigint) FROM pg_trigger AS t WHERE t.tgrelid = 'items'::regclass;
SELECT max AS made FROM made \gset
SELECT inventory.retype('items', 'items.id', 'bigint');
SELECT inventory.retype('items', 'orders.user_id', 'bigint');
SELECT max = :made AS kept FROM made;
SELECT kept();
SELECT buy_item(7, 1, 2, 'k');
SELECT buy_item(7::bigint, 1::bigint, 1);
SELECT status, quantity FROM get_reservation(:'hold');
SELECT refund_order(1, 1);
SELECT refund_order(1, 1);
SELECT seqtypid::regtype FROM pg_sequence WHERE seqrelid = 'orders_id_seq'::regclass;
SELECT conname FROM pg_constraint WHERE contype = 'f' AND connamespace = 'retype'::regnamespace ORDER BY 1;

\echo '-- a key that its foreign keys cannot keep, and one that they can'
-- the server words the rest of it differently from version to version
\set VERBOSITY terse
SELECT inventory.retype('items', 'orders.id', 'text');
\set VERBOSITY default
\echo :SQLSTATE
SELECT inventory.retype('items', 'items.id', 'text');
SELECT types();
SELECT buy_item(7, '1', 1);
SELECT kept();
SELECT inventory.retype('items', 'item_id', 'bigint');
SELECT kept();

\echo '-- what is refused'
SELECT inventory.retype('items', 'id', 'bigint');
\echo :SQLSTATE
SELECT inventory.retype('items', 'nothing', 'bigint');
\echo :SQLSTATE
SELECT inventory.retype('items', NULL, 'bigint');
SELECT inventory.retype('parcels', 'order_id', 'bigint');
\set VERBOSITY terse
SELECT inventory.retype('items', 'stock', 'numeric');
SELECT inventory.retype('items', 'stock', 'anyelement');
SELECT inventory.retype('items', 'items.id', 'uuid');
\set VERBOSITY default
UPDATE orders SET quantity = 1.5 WHERE id = 2;
SELECT inventory.retype('items', 'quantity', 'integer');
CREATE VIEW report AS SELECT * FROM items_stock.levels;
CREATE VIEW reports AS SELECT * FROM report;
SELECT inventory.retype('items', 'stock', 'integer');
DROP VIEW report CASCADE;
SET ROLE regress_retype_buyer;
SELECT inventory.retype('retype.items', 'stock', 'integer');
RESET ROLE;

\echo '-- users that no column has, and a column that is not bound'
SET client_min_messages = warning;
CREATE TABLE alone (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), stock integer DEFAULT 0);
INSERT INTO alone VALUES ('00000000-0000-0000-0000-000000000001', 5);
CREATE SCHEMA alone_api;
SELECT inventory.attach('alone', api_schema => 'alone_api');
SELECT alone_api.buy_item('7', '00000000-0000-0000-0000-000000000001', 1, order_data => '{"order_id": "A"}');
RESET client_min_messages;
SELECT inventory.retype('alone', 'user_id', 'integer');
SELECT alone_api.buy_item(7, '00000000-0000-0000-0000-000000000001', 1, order_data => '{"order_id": "B"}');
SELECT inventory.retype('alone', 'id', 'text');
SELECT alone_api.buy_item(7, '00000000-0000-0000-0000-000000000001', 1, order_data => '{"order_id": "C"}');
INSERT INTO alone (stock) VALUES (1);
SELECT inventory.retype('alone', 'stock', 'bigint');
SELECT inventory.retype('alone', 'stock', 'integer');
SELECT pg_get_expr(adbin, adrelid) AS stock FROM pg_attrdef WHERE adrelid = 'alone'::regclass AND adnum = 2;
SELECT inventory.retype('alone', 'id', 'uuid');
SELECT count(*) FROM inventory.verify('alone');
SET client_min_messages = warning;
DROP SCHEMA retype, items_stock, alone_stock, alone_api CASCADE;
DROP ROLE regress_retype_buyer;
