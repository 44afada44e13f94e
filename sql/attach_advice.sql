-- Tests of what attach finds and says: names in other conventions, what was looked for and not found,
-- and warnings of what would sell too much.
\set SHOW_CONTEXT never
\set VERBOSITY default
\pset format unaligned
\pset tuples_only on
CREATE SCHEMA attach_advice;
CREATE SCHEMA attach_advice_stock;
SET search_path = attach_advice;
SET client_min_messages = error;
-- What attach binds of tables with these columns, or the error with its hint; nothing remains.
CREATE FUNCTION bound(item_columns text, order_columns text DEFAULT NULL, options text DEFAULT '') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	hint text; answer text;
BEGIN
	EXECUTE format('CREATE TABLE items (id bigint PRIMARY KEY, %s)', item_columns);
	IF order_columns IS NOT NULL THEN EXECUTE format('CREATE TABLE orders (id bigserial PRIMARY KEY, %s)', order_columns); END IF;
	EXECUTE format('SELECT inventory.attach(''items'', %s, ledger_schema => ''attach_advice_stock'' %s)', CASE WHEN order_columns IS NULL THEN 'NULL' ELSE '''orders''' END, options);
	SELECT concat_ws(', ', 'stock ' || stock, 'version ' || version, 'floor ' || stock_floor, 'limit ' || purchase_limit, 'user ' || order_user_id,
		'item ' || order_item_id, 'quantity ' || order_quantity) INTO answer FROM inventory.bindings AS b WHERE b.items = 'items'::regclass;
	RAISE SQLSTATE 'ZZZZZ' USING MESSAGE = answer;
EXCEPTION WHEN SQLSTATE 'ZZZZZ' THEN
	RETURN SQLERRM;
WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', SQLSTATE, SQLERRM, hint);
END
$$;

\echo '-- conventions'
SELECT bound('"Stock" integer, "purchaseLimit" integer, "stockFloor" integer, "Version" integer', '"userId" text, "itemId" bigint, "Quantity" integer');
SELECT bound('stock integer, purchaselimit integer, _stock_floor_ integer', 'userid text, "productId" bigint, quantity integer');
SELECT bound('stock integer', 'product_id bigint');
SELECT bound('stock integer', 'product_id bigint, variant bigint REFERENCES items');
SELECT bound('stock integer', '"itemID" bigint, product_id bigint REFERENCES items');
SELECT bound('stock integer', 'sku bigint');
\echo '-- ambiguity'
SELECT bound('stock integer, "Stock" bigint');
SELECT bound('stock integer, "Stock" bigint', options => ', stock => ''Stock''');
SELECT bound('stock integer, "Stock" text');
SELECT bound('stock integer, purchase_limit integer, "purchaseLimit" integer');
SELECT bound('stock integer', 'item_id bigint, "itemId" bigint');
SELECT bound('stock integer', 'item_id bigint, user_id text, "userId" text');
SELECT bound('stock integer', 'item_id bigint, user_id text, "userId" text', ', order_user_id => ''''');
\echo '-- types: hints that are right when they are pasted'
SELECT bound('stock numeric');
SELECT bound('stock numeric(8, 2) DEFAULT 2.5');
CREATE TYPE mood AS ENUM ('low', 'high');
SELECT bound('stock mood');
SELECT bound('base numeric, stock numeric GENERATED ALWAYS AS (base * 2) STORED');
SELECT bound('stock text');
SELECT bound('stock boolean');
CREATE TABLE weighed (id bigint PRIMARY KEY, stock numeric(8, 2));
INSERT INTO weighed VALUES (1, 2.5), (2, 3), (3, -0.5);
SELECT inventory.attach('weighed', ledger_schema => 'attach_advice_stock');
ALTER TABLE attach_advice.weighed ALTER COLUMN stock TYPE bigint USING floor(stock)::bigint;
SELECT * FROM weighed ORDER BY id;

\echo '-- warnings'
SET client_min_messages = warning;
CREATE TABLE records (id bigint PRIMARY KEY, num_in_stock integer, num_allocated integer, "qtyReserved" bigint, sold_out boolean, household integer, committed_by text);
CREATE TABLE titles (id bigint PRIMARY KEY);
CREATE TABLE lines (id bigserial PRIMARY KEY, title_id bigint REFERENCES titles, quantity integer, "userId" bigint);
INSERT INTO records VALUES (1, 10, 3, 0); INSERT INTO titles VALUES (1); INSERT INTO lines (title_id, quantity) VALUES (1, 2);
SELECT inventory.attach('records', 'lines', stock => 'num_in_stock', order_item_id => 'title_id', ledger_schema => 'attach_advice_stock');
SELECT inventory.detach('records');
-- again: the ledger knows its sales
SELECT inventory.attach('records', 'lines', stock => 'num_in_stock', order_item_id => 'title_id', ledger_schema => 'attach_advice_stock', stock_floor => 'num_allocated');
SELECT available_stock(1);
SELECT inventory.detach('records');
-- less than the floor, or than 0
INSERT INTO records VALUES (2, 10, 11), (3, -1, NULL), (4, NULL, 5), (5, 0, 0);
CREATE SCHEMA attach_advice_below;
SELECT inventory.attach('records', stock => 'num_in_stock', ledger_schema => 'attach_advice_below', stock_floor => 'num_allocated');
SELECT count(*) FROM attach_advice.records WHERE num_in_stock < coalesce(num_allocated, 0);
SELECT inventory.detach('records');
ALTER TABLE records DROP num_allocated, DROP "qtyReserved";
SELECT inventory.attach('records', stock => 'num_in_stock', ledger_schema => 'attach_advice_below');
SELECT inventory.detach('records');

\echo '-- what was bound, and what was looked for and not found'
RESET client_min_messages;
CREATE TABLE plain (id bigint PRIMARY KEY, stock integer);
CREATE TABLE plain_orders (id bigserial PRIMARY KEY, item_id bigint);
CREATE SCHEMA attach_advice_plain;
SELECT inventory.attach('plain', 'plain_orders', ledger_schema => 'attach_advice_plain');
SELECT inventory.detach('plain');

\echo '-- which lines are final, where the stock follows them: a column of the lines, or of their header'
SET client_min_messages = warning;
CREATE TABLE plain_headers (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, status text);
ALTER TABLE plain_orders ADD status text, ADD header_id bigint REFERENCES plain_headers;
CREATE INDEX ON plain_orders (header_id);
SELECT inventory.attach('plain', 'plain_orders', order_writes => 'follow', ledger_schema => 'attach_advice_plain');
SELECT inventory.detach('plain');
SELECT inventory.attach('plain', 'plain_orders', order_writes => 'follow', order_header => 'plain_headers',
	ledger_schema => 'attach_advice_plain');
SELECT inventory.detach('plain');
RESET client_min_messages;
CREATE SCHEMA attach_advice_none;
SELECT inventory.attach('plain', ledger_schema => 'attach_advice_none');
SELECT inventory.detach('plain');

\echo '-- objects of the shop that have the name of one of the ledger'
CREATE SCHEMA attach_advice_taken;
CREATE TYPE attach_advice_taken.movements AS ENUM ('waltz');
SELECT inventory.attach('plain', ledger_schema => 'attach_advice_taken');
DROP TYPE attach_advice_taken.movements;
CREATE DOMAIN attach_advice_taken.hot AS boolean;
SELECT inventory.attach('plain', ledger_schema => 'attach_advice_taken');
DROP DOMAIN attach_advice_taken.hot;
CREATE VIEW attach_advice_taken.requests AS SELECT 1 AS id;
SELECT inventory.attach('plain', ledger_schema => 'attach_advice_taken');
DROP VIEW attach_advice_taken.requests;
CREATE SEQUENCE attach_advice_taken.reservations;
SELECT inventory.attach('plain', ledger_schema => 'attach_advice_taken');
DROP SEQUENCE attach_advice_taken.reservations;
CREATE INDEX movements_epochs_idx ON plain (stock);
CREATE TYPE attach_advice_taken.refunded_order AS (x integer);
SELECT inventory.attach('plain', ledger_schema => 'attach_advice_taken');
SET client_min_messages = error;
DROP SCHEMA attach_advice, attach_advice_below, attach_advice_stock, attach_advice_taken, attach_advice_plain, attach_advice_none CASCADE;
