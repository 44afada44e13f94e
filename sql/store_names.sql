-- Tests of the names of stores: they belong to the owner of the tables, so that no other role can
-- take one first, or keep an owner waiting; and of the rows of inventory.store that a role can insert.
\set SHOW_CONTEXT never
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE ROLE regress_names_shop; CREATE ROLE regress_names_squatter; CREATE ROLE regress_names_both IN ROLE regress_names_shop, regress_names_squatter;
CREATE SCHEMA names_shop AUTHORIZATION regress_names_shop;
CREATE SCHEMA names_books AUTHORIZATION regress_names_shop;
CREATE SCHEMA names_squatter AUTHORIZATION regress_names_squatter;
CREATE SCHEMA names_other AUTHORIZATION regress_names_squatter;
CREATE SCHEMA names_api AUTHORIZATION regress_names_shop;
SELECT current_database() AS db \gset
CREATE FUNCTION attempt(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	EXECUTE call INTO answer;
	RETURN answer;
EXCEPTION WHEN OTHERS THEN
	RETURN concat_ws(' ', SQLSTATE, SQLERRM);
END
$$;

CREATE FUNCTION insert_row(name text, items regclass, orders regclass, movements regclass) RETURNS text LANGUAGE sql AS $$
	SELECT attempt(format('INSERT INTO inventory.store VALUES (%L, %L, %L, %L, NULL, ''record'', false, ''1 day'', ''names_squatter'', '''') RETURNING ''inserted''',
		name, items, orders, movements))
$$;

\echo '-- a row is refused that attach would not make'
SET ROLE regress_names_squatter;
CREATE TABLE names_squatter.nothing ();
CREATE TABLE names_squatter.more ();
CREATE TABLE names_squatter.things (id integer PRIMARY KEY, stock integer);
CREATE VIEW names_squatter.seen AS SELECT * FROM names_squatter.things;
CREATE TABLE names_squatter.movements (item_id integer, delta bigint);
SELECT insert_row('names_shop.products', 'names_squatter.nothing', NULL, 'names_squatter.more');
SELECT insert_row('names_shop.products', 'names_squatter.things', NULL, 'names_squatter.more');
SELECT insert_row('names_shop.products', 'names_squatter.things', NULL, 'names_squatter.movements');
SELECT insert_row('names_shop.products', 'names_squatter.seen', NULL, 'names_squatter.movements');
SELECT insert_row('names_shop.products', 'pg_catalog.pg_class', NULL, 'names_squatter.movements');
SELECT insert_row(NULL, 'names_squatter.nothing', NULL, 'names_squatter.more');
SELECT insert_row('names_shop.products', NULL, NULL, NULL);
SELECT insert_row('names_shop.products', '-', NULL, '-');
SELECT attempt('INSERT INTO inventory.store DEFAULT VALUES');
SELECT inventory.attach('names_squatter.things', store_name => 'squat', ledger_schema => 'names_other');
CREATE TEMP TABLE kept AS SELECT * FROM inventory.store WHERE store_name = 'squat';
SELECT insert_row('names_shop.products', 'names_squatter.more', NULL, 'names_other.movements');
SELECT insert_row('names_shop.products', 'names_squatter.things', 'names_squatter.seen', 'names_other.movements');
\echo '-- rows as a dump of an owner has them: before triggers, constraints and indexes are there'
SELECT inventory.detach('names_squatter.things');
ALTER TABLE names_squatter.things DROP CONSTRAINT things_pkey;
ALTER TABLE names_other.movements DROP CONSTRAINT movements_pkey;
INSERT INTO inventory.store TABLE kept RETURNING store_name;
SELECT attempt($$SELECT inventory.verify('names_squatter.things')$$);
ALTER TABLE names_squatter.things ADD PRIMARY KEY (id);
ALTER TABLE names_other.movements ADD PRIMARY KEY (movement_id);
SELECT inventory.detach('names_squatter.things');
RESET ROLE;

\echo '-- a name that another role has taken'
SET ROLE regress_names_squatter;
SELECT inventory.attach('names_squatter.things', store_name => 'names_shop.products', ledger_schema => 'names_other');
INSERT INTO names_squatter.things VALUES (1, 5);
SET ROLE regress_names_shop;
CREATE TABLE names_shop.products (id integer PRIMARY KEY, stock integer);
CREATE TABLE names_shop.others (id integer PRIMARY KEY, stock integer);
INSERT INTO names_shop.products VALUES (1, 50);
SELECT inventory.attach('names_shop.products', ledger_schema => 'names_books');
SELECT names_shop.buy_item('ann', 1, 7) IS NULL AS sold;
SELECT names_shop.available_stock(1), names_books.restock_item(1, 1), inventory.available_stock('names_shop.products', 1, NULL::integer);
SET ROLE regress_names_squatter;
SELECT names_squatter.available_stock(1), inventory.available_stock('names_shop.products', 1, NULL::integer);
SELECT attempt($$SELECT inventory.verify('names_shop.products')$$);
RESET ROLE;
\echo '-- an owner has it only once; a role with the rights of both must not get the one or the other'
SET ROLE regress_names_shop;
SELECT attempt($$SELECT inventory.attach('names_shop.others', store_name => 'names_shop.products', ledger_schema => 'names_books')$$);
SET ROLE regress_names_both;
SELECT attempt($$SELECT inventory.available_stock('names_shop.products', 1, NULL::integer)$$);
SELECT inventory.available_stock('names_nowhere', 1, NULL::integer);
RESET ROLE;
\echo '-- both have one owner: neither is sold from for the other'
BEGIN;
REASSIGN OWNED BY regress_names_squatter TO regress_names_shop;
SELECT attempt('SELECT names_shop.available_stock(1)'), attempt('SELECT names_squatter.available_stock(1)');
SELECT s.store_name, v.problem FROM inventory.store AS s CROSS JOIN LATERAL inventory.verify(s.items) AS v WHERE s.store_name LIKE 'names%';
SET LOCAL ROLE regress_names_shop;
SELECT inventory.detach('names_squatter.things');
SELECT names_shop.available_stock(1), attempt('SELECT names_squatter.available_stock(1)');
SELECT inventory.attach('names_squatter.things', store_name => 'other name', ledger_schema => 'names_other');
SELECT names_shop.available_stock(1), names_squatter.available_stock(1);
ROLLBACK;
SELECT names_shop.available_stock(1), names_squatter.available_stock(1);
\echo '-- a superuser who restores both for one owner gets both, and is warned'
BEGIN;
CREATE TEMP TABLE rows ON COMMIT DROP AS SELECT * FROM inventory.store WHERE items = 'names_squatter.things'::regclass;
DELETE FROM inventory.store WHERE items = 'names_squatter.things'::regclass;
REASSIGN OWNED BY regress_names_squatter TO regress_names_shop;
INSERT INTO inventory.store TABLE rows RETURNING items;
ROLLBACK;

\echo '-- what the worker has to hold of a row has a limit'
SELECT change, attempt(format('UPDATE inventory.store SET %s WHERE items = %L::regclass', change, 'names_squatter.things')) FROM (VALUES
	($$store_name = repeat('n', 256)$$), ($$user_claim = repeat('c', 256)$$), ($$argument_prefix = repeat('p', 41)$$),
	($$settings = ARRAY[repeat('s', 10000)]$$), ($$settings = array_fill(NULL::text, '{10001}')$$)) AS v(change);

\echo '-- schemas that another role has taken'
GRANT CREATE ON DATABASE :"db" TO regress_names_squatter, regress_names_shop;
SET ROLE regress_names_squatter;
CREATE SCHEMA others_stock;
CREATE SCHEMA names_shop_others_stock;
SELECT 'others_' || left(md5('names_shop.others'), 8) || '_stock' AS third \gset
CREATE SCHEMA :"third";
SET ROLE regress_names_shop;
SELECT inventory.attach('names_shop.others', api_schema => 'names_api');
SELECT regexp_replace(movements::text, '[0-9a-f]{16}', '...') FROM inventory.store WHERE items = 'names_shop.others'::regclass;
RESET ROLE;
REVOKE CREATE ON DATABASE :"db" FROM regress_names_squatter, regress_names_shop;
\pset tuples_only off
DROP OWNED BY regress_names_shop, regress_names_squatter CASCADE;
DROP FUNCTION insert_row, attempt;
DROP ROLE regress_names_both, regress_names_shop, regress_names_squatter;
SELECT count(*) AS stores FROM inventory.store WHERE store_name LIKE 'names%';
