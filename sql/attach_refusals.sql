-- Tests of tables and columns that attach refuses: each with its own message, hint and
-- SQLSTATE, and nothing is left behind.
\set SHOW_CONTEXT never
CREATE SCHEMA refusals;
SET search_path = refusals;
CREATE TABLE items (id integer PRIMARY KEY, stock integer NOT NULL);
CREATE TABLE orders (id serial PRIMARY KEY, item_id integer NOT NULL, quantity integer);

-- relations that are not ordinary, permanent tables
CREATE TABLE parted (LIKE items INCLUDING ALL) PARTITION BY HASH (id);
SELECT inventory.attach('parted'); \echo :LAST_ERROR_SQLSTATE
CREATE TABLE a_partition PARTITION OF parted FOR VALUES WITH (MODULUS 1, REMAINDER 0);
SELECT inventory.attach('a_partition'); \echo :LAST_ERROR_SQLSTATE
CREATE TABLE child () INHERITS (items);
SELECT inventory.attach('items'); \echo :LAST_ERROR_SQLSTATE
DROP TABLE child;
CREATE TEMPORARY TABLE passing (LIKE items INCLUDING ALL);
SELECT inventory.attach('passing'); \echo :LAST_ERROR_SQLSTATE
CREATE UNLOGGED TABLE forgetful (LIKE items INCLUDING ALL);
SELECT inventory.attach('forgetful'); \echo :LAST_ERROR_SQLSTATE
CREATE VIEW a_view AS SELECT * FROM items;
SELECT inventory.attach('a_view'); \echo :LAST_ERROR_SQLSTATE
CREATE MATERIALIZED VIEW a_matview AS SELECT * FROM items;
SELECT inventory.attach('a_matview'); \echo :LAST_ERROR_SQLSTATE
CREATE FOREIGN DATA WRAPPER refusals_wrapper;	-- without a handler its tables can be declared but not read
CREATE SERVER refusals_server FOREIGN DATA WRAPPER refusals_wrapper;
CREATE FOREIGN TABLE far_away (id integer NOT NULL, stock integer) SERVER refusals_server;
SELECT inventory.attach('far_away'); \echo :LAST_ERROR_SQLSTATE
DROP FOREIGN TABLE far_away;
DROP SERVER refusals_server;
DROP FOREIGN DATA WRAPPER refusals_wrapper;
SELECT inventory.attach('orders_id_seq'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('pg_class'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('inventory.store'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('items', 'a_view'); \echo :LAST_ERROR_SQLSTATE
CREATE RULE swallow AS ON INSERT TO orders WHERE NEW.id < 0 DO INSTEAD NOTHING;
SELECT inventory.attach('items', 'orders'); \echo :LAST_ERROR_SQLSTATE
DROP RULE swallow ON orders;
SELECT inventory.attach('items', 'items'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach(NULL); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach(1::oid::regclass); \echo :LAST_ERROR_SQLSTATE

-- the key of items
CREATE TABLE keys (
	stock integer, a integer NOT NULL, b integer NOT NULL, nullable integer UNIQUE,
	late integer NOT NULL UNIQUE DEFERRABLE, partial_ integer NOT NULL,
	amount numeric NOT NULL UNIQUE, raw bytea NOT NULL UNIQUE, code char(8) NOT NULL UNIQUE);
CREATE UNIQUE INDEX ON keys (partial_) WHERE partial_ > 0;
SELECT inventory.attach('keys'); \echo :LAST_ERROR_SQLSTATE
ALTER TABLE keys ADD PRIMARY KEY (a, b);
SELECT inventory.attach('keys'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('keys', item_id => 'a'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('keys', item_id => 'nullable'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('keys', item_id => 'late'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('keys', item_id => 'partial_'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('keys', item_id => 'amount'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('keys', item_id => 'raw'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('keys', item_id => 'code'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('keys', item_id => 'missing'); \echo :LAST_ERROR_SQLSTATE

-- the columns stock, version, stock_floor, purchase_limit, and the condition sellable
CREATE TABLE odd (id integer PRIMARY KEY, amount numeric(10, 2), label text,
				  twice integer GENERATED ALWAYS AS (id * 2) STORED);
SELECT inventory.attach('odd'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('odd', stock => 'missing'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('odd', stock => 'amount'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('odd', stock => 'twice'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('odd', stock => 'id'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('items', version => 'missing'); \echo :LAST_ERROR_SQLSTATE
ALTER TABLE odd ADD stock integer;
SELECT inventory.attach('odd', version => 'twice'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('odd', version => 'label'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('odd', stock_floor => 'amount'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('odd', purchase_limit => 'label'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('odd', sellable => 'stock >'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('odd', sellable => 'stock'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('odd', sellable => 'price > 0'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('odd', sellable => 'true) UNION SELECT 1 WHERE (true'); \echo :LAST_ERROR_SQLSTATE

-- nothing is left
SELECT count(*) AS stores FROM inventory.store WHERE store_name LIKE 'refusals.%';
SELECT nspname FROM pg_namespace WHERE nspname ~ '^(parted|items|keys|odd|refusals_.*)_stock$';
SELECT proname FROM pg_proc WHERE pronamespace = 'refusals'::regnamespace;
SELECT tgname FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid
 WHERE relnamespace = 'refusals'::regnamespace AND NOT tgisinternal;
