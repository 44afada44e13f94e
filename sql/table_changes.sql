-- Tests of changes to the tables of a store: renames are followed, other changes are refused,
-- or sales end in an error; another column or table with the old name is never written.
\set SHOW_CONTEXT never
\set VERBOSITY sqlstate
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA table_changes;
CREATE SCHEMA table_changes_api;
SET search_path = table_changes, table_changes_api, items_stock;
-- Call functions of each kind: how each ended.
CREATE FUNCTION attempts(OUT call text, OUT answer text) RETURNS SETOF record LANGUAGE plpgsql AS $$
BEGIN
	FOREACH call IN ARRAY '{"buy_item(''u'', 1)","buy_cart(''u'', ''[{\"item_id\": 1}]'')","reserve_stock(''u'', 1)","available_stock(1)",
		"restock_item(1, 1)","expire_reservations()"}'::text[]
	LOOP
		BEGIN
			EXECUTE 'SELECT x::text FROM ' || call || ' AS x' INTO answer;
			answer := 'done';
		EXCEPTION WHEN OTHERS THEN
			answer := SQLSTATE;
		END;
		RETURN NEXT;
	END LOOP;
END
$$;
CREATE FUNCTION done() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(answer, ', ' ORDER BY first) FROM (SELECT answer || ' x' || count(*) AS answer, min(n) AS first
		FROM attempts() WITH ORDINALITY AS a(call, answer, n) GROUP BY a.answer) AS s
$$;
CREATE FUNCTION open() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	DROP TABLE IF EXISTS items, orders, old_items, old_orders CASCADE;
	DROP SCHEMA IF EXISTS items_stock CASCADE;
	DELETE FROM inventory.store WHERE store_name = 'table_changes.items';
	CREATE TABLE items (id bigint PRIMARY KEY, stock integer NOT NULL);
	CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id text, item_id bigint, quantity integer);
	INSERT INTO items VALUES (1, 10);
	PERFORM inventory.attach('items', 'orders', api_schema => 'table_changes_api');
END
$$;
-- a store without changes; afterwards this session has its plans
SELECT open();
SELECT done();
TABLE items;

\echo '-- columns are renamed, and others get their old names'
ALTER TABLE items RENAME stock TO pieces;
ALTER TABLE items RENAME id TO key;
ALTER TABLE items ADD stock integer NOT NULL DEFAULT 1000, ADD id bigint DEFAULT 1;
ALTER TABLE orders RENAME quantity TO units;
ALTER TABLE orders RENAME item_id TO what;
ALTER TABLE orders ADD quantity integer, ADD item_id bigint;
SELECT done();
SELECT key, pieces, stock, id FROM items;
SELECT what, units, quantity, item_id FROM orders ORDER BY id;
SELECT * FROM inventory.verify('items');
-- two columns swap their names
ALTER TABLE items RENAME pieces TO other;
ALTER TABLE items RENAME stock TO pieces;
ALTER TABLE items RENAME other TO stock;
SELECT done();
SELECT key, pieces, stock, id FROM items;
SELECT * FROM inventory.verify('items');

\echo '-- dropping a column or changing its type is refused; with CASCADE the store is gone'
ALTER TABLE items DROP COLUMN stock;
ALTER TABLE items ALTER stock TYPE numeric;
ALTER TABLE items ALTER stock TYPE bigint;
ALTER TABLE items ALTER key TYPE text;
ALTER TABLE orders ALTER units TYPE smallint;
ALTER TABLE orders DROP COLUMN units;
SELECT done();
ALTER TABLE items DROP COLUMN stock CASCADE;
SELECT done();
SELECT key, pieces, id FROM items;
SELECT count(*) FROM orders;
SELECT open();
SELECT done();
ALTER TABLE orders DROP COLUMN quantity CASCADE;
SELECT done();
TABLE items;
SELECT count(*) FROM orders;

\echo '-- to change a type: detach, alter, attach'
SELECT open();
SELECT done();
SELECT inventory.detach('items');
SELECT done();
ALTER TABLE items ALTER stock TYPE smallint;
SELECT inventory.attach('items', 'orders', api_schema => 'table_changes_api');
SELECT pg_typeof(available_stock(1)), done();
TABLE items;
SELECT * FROM inventory.verify('items');

\echo '-- the key loses its primary key'
ALTER TABLE items DROP CONSTRAINT items_pkey;
SELECT done();
INSERT INTO items VALUES (1, 10);
SELECT split_part(call, '(', 1), answer = 'done' AS done FROM attempts();
SELECT stock FROM items ORDER BY stock;

\echo '-- tables are dropped or renamed, and others get their names'
SELECT open();
SELECT done();
DROP TABLE items;
DROP TABLE items CASCADE;
SELECT done();
CREATE TABLE items (id bigint PRIMARY KEY, stock integer NOT NULL);
INSERT INTO items VALUES (1, 10);
SELECT done();
SELECT open();
SELECT done();
DROP TABLE orders;
SELECT done();
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id text, item_id bigint, quantity integer);
SELECT done();
TABLE items;
TABLE orders;
SELECT open();
SELECT done();
ALTER TABLE items RENAME TO old_items;
ALTER TABLE orders RENAME TO old_orders;
CREATE TABLE items (LIKE old_items INCLUDING ALL);
CREATE TABLE orders (LIKE old_orders INCLUDING ALL);
INSERT INTO items VALUES (1, 1000);
SELECT done();
TABLE items;
SELECT count(*) FROM orders;
TABLE old_items;
SELECT count(*) FROM old_orders;
SELECT * FROM inventory.verify('old_items');

\echo '-- each table of the ledger is dropped'
CREATE FUNCTION without(relation text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	before integer;
	sold bigint;
	answers jsonb;
BEGIN
	PERFORM open(), done();
	EXECUTE format('DROP TABLE items_stock.%I CASCADE', relation);
	before := (SELECT stock FROM items);
	sold := (SELECT sum(quantity) FROM orders);
	answers := (SELECT jsonb_object_agg(split_part(call, '(', 1), (answer = 'done')::integer) FROM attempts());
	sold := (SELECT sum(quantity) FROM orders) - sold;
	RETURN concat_ws(' ', relation,
		CASE WHEN sold = (answers ->> 'buy_item')::integer + (answers ->> 'buy_cart')::integer THEN 'orders fit,' ELSE 'ORDERS DO NOT FIT' END,
		CASE WHEN (SELECT stock FROM items) = before - sold - (answers ->> 'reserve_stock')::integer + (answers ->> 'restock_item')::integer
			THEN 'stock fits' ELSE 'STOCK DOES NOT FIT' END);
END
$$;
-- calls that still work do everything, and calls that fail change nothing
SELECT without('movements');
SELECT without('reservations');
SELECT without('requests');

\echo '-- inheritance children and rules that are added after the attach'
SELECT open();
SELECT done();
CREATE TABLE more () INHERITS (items);
INSERT INTO more VALUES (1, 500);
SELECT done();
SELECT tableoid::regclass, stock FROM items ORDER BY 2;
DROP TABLE more;
CREATE RULE swallow AS ON UPDATE TO items DO INSTEAD NOTHING;
SELECT split_part(call, '(', 1), answer = 'done' AS done FROM attempts();
TABLE items;
DROP RULE swallow ON items;
CREATE RULE swallow AS ON INSERT TO orders DO INSTEAD NOTHING;
SELECT split_part(call, '(', 1), answer = 'done' AS done FROM attempts();
TABLE items;
DROP RULE swallow ON orders;
SELECT done();
SELECT * FROM inventory.verify('items');
\pset tuples_only off
DROP SCHEMA table_changes, table_changes_api, items_stock CASCADE;
