-- Tests of orders, options and names that attach refuses: each with its own message, hint
-- and SQLSTATE, and nothing is left behind.
\set SHOW_CONTEXT never
CREATE SCHEMA refusals_orders;
SET search_path = refusals_orders;
CREATE TABLE items (id integer PRIMARY KEY, stock integer NOT NULL);
CREATE TABLE orders (id serial PRIMARY KEY, item_id integer NOT NULL, quantity integer, user_id integer);

-- the key of orders, and the column of the item
CREATE TABLE keyless (id integer NOT NULL, item_id integer, code numeric UNIQUE NOT NULL);
SELECT inventory.attach('items', 'keyless'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('items', 'keyless', order_id => 'id'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('items', 'keyless', order_id => 'code'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('items', 'orders', order_item_id => 'missing'); \echo :LAST_ERROR_SQLSTATE
CREATE TABLE other (id integer PRIMARY KEY);
CREATE TABLE lines (id serial PRIMARY KEY, item_id integer REFERENCES other, name text, price real);
SELECT inventory.attach('items', 'lines'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('items', 'lines', order_item_id => 'name'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('items', 'lines', order_item_id => 'price'); \echo :LAST_ERROR_SQLSTATE
ALTER TABLE lines DROP COLUMN item_id;
SELECT inventory.attach('items', 'lines'); \echo :LAST_ERROR_SQLSTATE
ALTER TABLE lines ADD a integer REFERENCES items, ADD b integer REFERENCES items;
SELECT inventory.attach('items', 'lines'); \echo :LAST_ERROR_SQLSTATE

-- quantity and user: a column that is named must fit; one that is only found by its name is
-- left out if it does not
SELECT inventory.attach('items', 'lines', order_item_id => 'a', order_quantity => 'name'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('items', 'lines', order_item_id => 'a', order_user_id => 'price'); \echo :LAST_ERROR_SQLSTATE
ALTER TABLE lines ADD user_id real, ADD quantity text;
SELECT inventory.attach('items', 'lines', order_item_id => 'a'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('items', 'orders', order_quantity => 'missing'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('items', order_columns => '{note}'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('items', user_id_type => 'numeric'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('items', 'orders', user_id_type => 'uuid'); \echo :LAST_ERROR_SQLSTATE

-- NOT NULL columns that nothing fills; the hint has the ALTER commands
CREATE TABLE bare (id integer PRIMARY KEY, item_id integer NOT NULL, token uuid NOT NULL, "At" timestamp NOT NULL,
				   price numeric NOT NULL, note text, twice numeric GENERATED ALWAYS AS (price * 2) STORED,
				   serial integer GENERATED ALWAYS AS IDENTITY);
SELECT inventory.attach('items', 'bare'); \echo :LAST_ERROR_SQLSTATE
-- a key of another table is not given a random default
CREATE TABLE headers (id uuid PRIMARY KEY);
ALTER TABLE bare ADD header_id uuid NOT NULL REFERENCES headers;
SELECT inventory.attach('items', 'bare'); \echo :LAST_ERROR_SQLSTATE
ALTER TABLE bare DROP header_id;
SELECT inventory.attach('items', 'bare', order_columns => '{id,price,token}'); \echo :LAST_ERROR_SQLSTATE

-- a whole number among them can be the quantity, which is named and not left to callers
ALTER TABLE bare ADD amount integer NOT NULL;
SELECT inventory.attach('items', 'bare', order_columns => '{id,price,token,At}'); \echo :LAST_ERROR_SQLSTATE
ALTER TABLE bare DROP amount;

-- columns that callers cannot set
SELECT inventory.attach('items', 'bare', order_columns => '{missing}'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('items', 'bare', order_columns => '{note,price,note}'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('items', 'bare', order_columns => '{twice}'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('items', 'bare', order_columns => '{serial}'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('items', 'bare', order_columns => '{item_id}'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('items', 'orders', order_quantity => 'user_id', order_columns => '{quantity}'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('items', 'bare', order_columns => array_fill('note'::name, '{64}')); \echo :LAST_ERROR_SQLSTATE

-- a column that rounds whole units
CREATE DOMAIN hundreds AS numeric(5, -2);
CREATE TABLE rounding (id serial PRIMARY KEY, item_id int, quantity numeric(5, -2), total hundreds);
SELECT inventory.attach('items', 'rounding'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('items', 'rounding', order_quantity => 'total'); \echo :LAST_ERROR_SQLSTATE

-- options
SELECT inventory.attach('items', direct_writes => 'ignore'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('items', max_ttl => '0'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('items', max_ttl => '300000 years'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('items', argument_prefix => repeat('p', 41)); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('items', store_name => ''); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('items', user_claim => ''); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('items', store_name => repeat('n', 256)); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('items', user_claim => repeat('c', 256)); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('items', sellable => repeat('x', 10001)); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('items', sellable => ''); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('items', api_schema => 'nowhere'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('items', ledger_schema => 'pg_ledger'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.create_store(NULL); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.create_store('refusals_new', 'numeric'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.create_store('refusals_new', user_id_type => 'jsonb'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.create_store('pg_store'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.create_store('refusals_orders'); \echo :LAST_ERROR_SQLSTATE

-- nothing is left
SELECT count(*) AS stores FROM inventory.store WHERE store_name LIKE 'refusals_orders.%';
SELECT nspname FROM pg_namespace WHERE nspname IN ('items_stock', 'refusals_orders_items_stock', 'refusals_new');
SELECT proname FROM pg_proc WHERE pronamespace = 'refusals_orders'::regnamespace;
SELECT tgname FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid
 WHERE relnamespace = 'refusals_orders'::regnamespace AND NOT tgisinternal;
