-- Tests of a store after attach: it is detached and attached again, renamed, dropped, and
-- given to another owner.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA rest;
SET search_path = rest;
CREATE TABLE items (id integer PRIMARY KEY, stock integer);
CREATE TABLE orders (id serial PRIMARY KEY, item_id integer NOT NULL, quantity integer, user_id text);
INSERT INTO items VALUES (1, 10), (2, 10), (3, 10), (4, NULL);

-- detach keeps the tables and drops everything else; attach continues with the ledger and
-- books what was changed in between
SELECT inventory.attach('items', 'orders');
SELECT buy_item('ann', 1, 2, 'key');
SELECT inventory.detach('items');
SELECT c.relname FROM pg_class c WHERE relnamespace = 'items_stock'::regnamespace AND relkind IN ('r', 'v', 'c') ORDER BY 1;
SELECT count(*) FROM pg_proc WHERE pronamespace IN ('rest'::regnamespace, 'items_stock'::regnamespace);
SELECT count(*) FROM pg_trigger WHERE tgrelid IN ('items'::regclass, 'orders'::regclass);
UPDATE items SET stock = 100 WHERE id = 1;
UPDATE items SET stock = 0 WHERE id = 4;
DELETE FROM items WHERE id = 2;
INSERT INTO items VALUES (5, 7);
SELECT inventory.attach('items', 'orders');
SELECT item_id, delta, kind, reason FROM items_stock.movements ORDER BY item_id, movement_id;
SELECT * FROM inventory.verify('items');
SELECT buy_item('ann', 1, 2, 'key') AS replayed;

-- after renames sales continue; refresh generates the functions and their search_path again
CREATE ROLE regress_rest_buyer;
CREATE ROLE regress_rest_operator;
SELECT inventory.grant_api('items', 'regress_rest_buyer', 'buyer');
SELECT inventory.grant_api('items', 'regress_rest_operator', 'operator');
GRANT SELECT ON items_stock.levels TO regress_rest_operator WITH GRANT OPTION;
ALTER TABLE items RENAME stock TO units;
ALTER TABLE items RENAME id TO key;
ALTER TABLE items RENAME TO things;
ALTER TABLE orders RENAME item_id TO what;
ALTER TABLE orders RENAME TO sales;
ALTER SCHEMA rest RENAME TO rest_moved;
SET search_path = rest_moved;
ALTER TABLE things ADD stock integer DEFAULT 1000;	-- must not be mistaken for the bound column
SET ROLE regress_rest_buyer;
SELECT buy_item('bob', 1);
RESET ROLE;
ALTER SCHEMA items_stock RENAME TO rest_books;
SELECT inventory.refresh('things');
SELECT DISTINCT proconfig FROM pg_proc WHERE prosrc LIKE 'buy_% rest.items';
SET ROLE regress_rest_buyer;
SELECT status, item_id, quantity, order_id, available FROM buy_cart('bob', '[{"item_id": 1}]');
SELECT rest_books.restock_item(1, 1); \echo :LAST_ERROR_SQLSTATE
SET ROLE regress_rest_operator;
SELECT rest_books.restock_item(1, 1);
SELECT * FROM rest_books.levels ORDER BY item_id;
RESET ROLE;
SELECT has_table_privilege('regress_rest_operator', 'rest_books.levels', 'SELECT WITH GRANT OPTION') AS kept;
SELECT key, units, stock FROM things ORDER BY key;
SELECT * FROM sales ORDER BY id;
SELECT * FROM inventory.verify('things');

-- a bound column cannot be dropped or retyped under the store
\set VERBOSITY terse
ALTER TABLE things DROP COLUMN units; \echo :LAST_ERROR_SQLSTATE
ALTER TABLE sales DROP COLUMN quantity; \echo :LAST_ERROR_SQLSTATE
ALTER TABLE things ALTER units TYPE bigint; \echo :LAST_ERROR_SQLSTATE
DROP TABLE things; \echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default

-- after a change of the owner nothing can be sold until refresh
ALTER TABLE things OWNER TO regress_rest_operator;
SELECT buy_item('bob', 1); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.refresh('things'); \echo :LAST_ERROR_SQLSTATE
ALTER TABLE sales OWNER TO regress_rest_operator;
SELECT buy_item('bob', 1); \echo :LAST_ERROR_SQLSTATE
UPDATE things SET units = 0; \echo :LAST_ERROR_SQLSTATE
SELECT inventory.refresh('things'); \echo :LAST_ERROR_SQLSTATE
GRANT USAGE ON SCHEMA rest_moved TO regress_rest_operator;
SELECT inventory.refresh('things'); \echo :LAST_ERROR_SQLSTATE
GRANT CREATE ON SCHEMA rest_moved TO regress_rest_operator;
SELECT inventory.refresh('things');
SET ROLE regress_rest_buyer;
SELECT buy_item('bob', 1);
SET ROLE regress_rest_operator;
SELECT count(*) AS not_mine FROM pg_class WHERE relnamespace = 'rest_books'::regnamespace AND relowner <> 'regress_rest_operator'::regrole;
SELECT * FROM inventory.verify('things');
RESET ROLE;

-- dropping a table drops its store, and what is left does not prevent another attach
DROP TABLE sales;
SELECT count(*) AS stores FROM inventory.store WHERE store_name = 'rest.items';
UPDATE things SET units = units - 1 WHERE key = 1;	-- the guard does nothing without a store
CREATE TABLE sales (id bigserial PRIMARY KEY, item_id integer NOT NULL);
ALTER TABLE sales OWNER TO regress_rest_operator;
SELECT buy_item('bob', 1); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('things', 'sales', stock => 'units', store_name => 'rest.items', ledger_schema => 'rest_books'); \echo :LAST_ERROR_SQLSTATE
ALTER TABLE sales ALTER id TYPE integer;
SELECT inventory.attach('things', 'sales', stock => 'units', store_name => 'rest.items', ledger_schema => 'rest_books');
SELECT buy_item('bob', 1);
SELECT * FROM inventory.verify('things');
DROP TABLE things CASCADE;
SELECT count(*) AS stores FROM inventory.store WHERE store_name = 'rest.items';
SELECT buy_item('bob', 1); \echo :LAST_ERROR_SQLSTATE
DROP OWNED BY regress_rest_operator, regress_rest_buyer CASCADE;
DROP ROLE regress_rest_operator, regress_rest_buyer;
