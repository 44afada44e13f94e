-- Tests of the rights that attach and the other functions of administration need: tables,
-- schemas and ledgers of other owners, and names that are taken, are refused.
\set SHOW_CONTEXT never
CREATE ROLE regress_refusals_ada;
CREATE ROLE regress_refusals_bob;
CREATE SCHEMA refusals_rights AUTHORIZATION regress_refusals_ada;
CREATE SCHEMA refusals_bob AUTHORIZATION regress_refusals_bob;
CREATE SCHEMA refusals_books AUTHORIZATION regress_refusals_ada;
SET search_path = refusals_rights;
SET ROLE regress_refusals_ada;
CREATE TABLE items (id integer PRIMARY KEY, stock integer NOT NULL);
CREATE TABLE orders (id serial PRIMARY KEY, item_id integer NOT NULL, quantity integer);
INSERT INTO items VALUES (1, 5);
GRANT USAGE ON SCHEMA refusals_rights TO regress_refusals_bob;

-- not the owner, no right to create a schema (the hint names the database)
SET ROLE regress_refusals_bob;
SELECT inventory.attach('items'); \echo :LAST_ERROR_SQLSTATE
SET ROLE regress_refusals_ada;
DO $$
DECLARE
	call text;
	hint text;
BEGIN
	FOREACH call IN ARRAY ARRAY['attach(''items'')', 'create_store(''refusals_new'')'] LOOP
		BEGIN
			EXECUTE 'SELECT inventory.' || call;
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
			RAISE INFO '% %', SQLSTATE, SQLERRM
				USING HINT = replace(hint, quote_ident(current_database()), '(this one)');
		END;
	END LOOP;
END
$$;
SELECT inventory.create_store('refusals_bob'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('items', ledger_schema => 'refusals_bob'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('items', ledger_schema => 'refusals_books', api_schema => 'refusals_bob'); \echo :LAST_ERROR_SQLSTATE
RESET ROLE;
ALTER TABLE orders OWNER TO regress_refusals_bob;
SELECT inventory.attach('items', 'orders', ledger_schema => 'refusals_books'); \echo :LAST_ERROR_SQLSTATE
ALTER TABLE orders OWNER TO regress_refusals_ada;
REVOKE USAGE ON SCHEMA refusals_rights FROM regress_refusals_ada;
SELECT inventory.attach('items', 'orders', ledger_schema => 'refusals_books'); \echo :LAST_ERROR_SQLSTATE
GRANT USAGE ON SCHEMA refusals_rights TO regress_refusals_ada;

-- functions, tables and types that have the names which attach needs
SET ROLE regress_refusals_ada;
CREATE FUNCTION buy_item(user_id uuid, item_id integer) RETURNS uuid LANGUAGE sql AS 'SELECT user_id';
CREATE PROCEDURE buy_cart() LANGUAGE sql AS '';
CREATE FUNCTION refusals_books.restock_item(integer) RETURNS void LANGUAGE sql AS '';
SELECT inventory.attach('items', ledger_schema => 'refusals_books'); \echo :LAST_ERROR_SQLSTATE
DROP FUNCTION buy_item;
DROP PROCEDURE buy_cart;
DROP FUNCTION refusals_books.restock_item;
CREATE TABLE refusals_books.levels (height numeric);
SELECT inventory.attach('items', ledger_schema => 'refusals_books'); \echo :LAST_ERROR_SQLSTATE
DROP TABLE refusals_books.levels;
CREATE TABLE refusals_books.requests (page text);
SELECT inventory.attach('items', ledger_schema => 'refusals_books'); \echo :LAST_ERROR_SQLSTATE
ALTER TABLE refusals_books.requests RENAME TO movements;
SELECT inventory.attach('items', ledger_schema => 'refusals_books'); \echo :LAST_ERROR_SQLSTATE
DROP TABLE refusals_books.movements;

-- nothing is left
SELECT count(*) AS stores FROM inventory.store WHERE store_name LIKE 'refusals%';
SELECT relname FROM pg_class WHERE relnamespace = 'refusals_books'::regnamespace;
SELECT proname FROM pg_proc WHERE pronamespace::regnamespace::text LIKE 'refusals%';
SELECT tgname FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid WHERE relnamespace = 'refusals_rights'::regnamespace;
-- items is not a store yet
SELECT inventory.detach('items'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.refresh('items'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.grant_api('items', 'regress_refusals_bob', 'buyer'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.verify('items'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.detach(NULL); \echo :LAST_ERROR_SQLSTATE

-- with a store: names that it has taken, and functions that other roles may not call
SET client_min_messages = warning;
SELECT inventory.attach('items', 'orders', ledger_schema => 'refusals_books');
CREATE TABLE others (id integer PRIMARY KEY, stock integer NOT NULL);
RESET ROLE;
CREATE SCHEMA refusals_api AUTHORIZATION regress_refusals_ada;
SET ROLE regress_refusals_ada;
SELECT inventory.attach('items'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('others', store_name => 'refusals_rights.items'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('others', api_schema => 'refusals_api', ledger_schema => 'refusals_books'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('others', ledger_schema => 'refusals_api'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.grant_api('items', 'regress_refusals_bob', 'admin'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.grant_api('items', NULL, 'buyer'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.grant_api('items', 'regress_refusals_nobody', 'buyer'); \echo :LAST_ERROR_SQLSTATE
SET ROLE regress_refusals_bob;
SELECT inventory.detach('items'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.refresh('items'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.grant_api('items', 'regress_refusals_bob', 'operator'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.verify('items'); \echo :LAST_ERROR_SQLSTATE
SELECT buy_item('bob', 1); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.buy_item('refusals_rights.items', 'bob'::text, 1, 1, NULL, NULL, NULL::integer); \echo :LAST_ERROR_SQLSTATE
-- a function that only looks like one of the store is not replaced or dropped
CREATE FUNCTION refusals_bob.buy_item() RETURNS void LANGUAGE plpgsql AS
	$$ BEGIN PERFORM inventory.buy_item('refusals_rights.items', 1); END $$;
SET ROLE regress_refusals_ada;
SELECT inventory.refresh('items');
SELECT inventory.detach('items');

-- when the items are attached again, the ledger must still fit
ALTER TABLE orders ALTER id TYPE bigint;
SELECT inventory.attach('items', 'orders', ledger_schema => 'refusals_books'); \echo :LAST_ERROR_SQLSTATE
ALTER TABLE orders ALTER id TYPE integer;
SELECT inventory.attach('items', 'orders', ledger_schema => 'refusals_books', user_id_type => 'uuid'); \echo :LAST_ERROR_SQLSTATE
RESET ROLE;
ALTER TABLE refusals_books.movements OWNER TO regress_refusals_bob;
SELECT inventory.attach('items', 'orders', ledger_schema => 'refusals_books'); \echo :LAST_ERROR_SQLSTATE

DROP OWNED BY regress_refusals_ada, regress_refusals_bob CASCADE;
DROP ROLE regress_refusals_ada, regress_refusals_bob;
SELECT count(*) AS stores FROM inventory.store WHERE store_name LIKE 'refusals%';
