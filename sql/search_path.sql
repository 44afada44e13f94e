-- Tests of the search_path of a call: whatever runs code of the shop, a trigger, a default, a
-- constraint or an index, does so under the path of the store, also where no
-- statement writes the row.  Each piece of code says under which path it runs.
\set schema search_path
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
\set VERBOSITY terse
INSERT INTO items (id, stock) VALUES (1, 1000), (2, 1000);
SELECT inventory.attach('items', 'orders', ledger_schema => 'search_path_stock');
\set include :abs_srcdir '/sql/include/no_worker.sql'
\i :include
\set quiet 'SET client_min_messages = warning;'
\set loud 'SET client_min_messages = notice;'
:loud
SELECT inventory.heat('items', 2);
-- under which path the server runs it during DDL depends on its version, and is not shown
CREATE FUNCTION seen(what text) RETURNS integer LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
	RAISE NOTICE '%: %', what, current_setting('search_path');
	RETURN 1;
END
$$;
CREATE SCHEMA search_path_caller;
SET search_path = search_path_caller, search_path;
-- cold and hot; the second time all plans exist
SELECT buy_item('ada', 1), buy_item('ada', 2);
SELECT buy_item('ada', 1), buy_item('ada', 2);
SELECT current_setting('search_path');

\echo '-- a default'
:quiet
ALTER TABLE orders ADD one integer DEFAULT search_path.seen('default' || left(now()::text, 0));
:loud
SELECT buy_item('ada', 1), buy_item('ada', 2);
SELECT buy_item('ada', 2);
ALTER TABLE orders DROP one;
-- a constraint
:quiet
ALTER TABLE orders ADD CONSTRAINT one CHECK (search_path.seen('check') = 1) NOT VALID;
:loud
SELECT buy_item('ada', 1), buy_item('ada', 2);
SELECT buy_item('ada', 2);
ALTER TABLE orders DROP CONSTRAINT one;
-- an index on an expression, and a partial one; the server computes constants of them beforehand
:quiet
CREATE INDEX one ON orders ((search_path.seen(left(user_id, 1))));
:loud
SELECT buy_item('ada', 1), buy_item('ada', 2);
SELECT buy_item('ada', 2);
DROP INDEX one;
:quiet
CREATE INDEX one ON orders (id) WHERE search_path.seen(left(user_id, 2)) = 1;
:loud
SELECT buy_item('ada', 1), buy_item('ada', 2);
SELECT buy_item('ada', 2);
DROP INDEX one;
:quiet
CREATE INDEX one ON items (id) WHERE search_path.seen(left(id::text, 0)) = 1;
:loud
SELECT available_stock(2);
SELECT available_stock(2);
DROP INDEX one;
-- a generated column
:quiet
ALTER TABLE orders ADD one integer GENERATED ALWAYS AS (search_path.seen(left(user_id, 3))) STORED;
:loud
SELECT buy_item('ada', 1), buy_item('ada', 2);
SELECT buy_item('ada', 2);
ALTER TABLE orders DROP one;
-- a domain
CREATE DOMAIN search_path.one AS integer CHECK (search_path.seen('domain ' || VALUE) = VALUE);
:quiet
ALTER TABLE orders ADD one search_path.one DEFAULT 1;
:loud
SELECT buy_item('ada', 1), buy_item('ada', 2);
SELECT buy_item('ada', 2);
ALTER TABLE orders DROP one;
-- functions of the server that look up a name when they run
CREATE SEQUENCE search_path.late;
CREATE SEQUENCE search_path_caller.late START 1000;
GRANT ALL ON SEQUENCE search_path_caller.late TO PUBLIC;
:quiet
ALTER TABLE orders ADD one bigint DEFAULT nextval(('late'::text)::regclass);
:loud
SELECT buy_item('ada', 1), buy_item('ada', 2);
SELECT buy_item('ada', 1), buy_item('ada', 2);
SELECT array_agg(one ORDER BY id) FROM (SELECT * FROM orders ORDER BY id DESC LIMIT 4) AS o;
ALTER TABLE orders DROP one;
:quiet
ALTER TABLE items ADD one text DEFAULT 'late';
ALTER TABLE items ADD CONSTRAINT one CHECK (to_regclass(one) = 'search_path.late'::regclass) NOT VALID;
ALTER TABLE orders ADD one text DEFAULT current_schema, ADD CONSTRAINT one CHECK (one IS DISTINCT FROM 'search_path_caller' AND one = current_schema()) NOT VALID;
:loud
SELECT buy_item('ada', 1), buy_item('ada', 2);
SELECT buy_item('ada', 1), buy_item('ada', 2);
ALTER TABLE items DROP one;
ALTER TABLE orders DROP one;
DROP SEQUENCE search_path.late, search_path_caller.late;
-- triggers
CREATE FUNCTION search_path.saw() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE NOTICE '% %: %', TG_WHEN, TG_LEVEL, current_setting('search_path');
	RETURN NEW;
END
$$;
CREATE TRIGGER one BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION search_path.saw();
SELECT buy_item('ada', 1), buy_item('ada', 2);
SELECT buy_item('ada', 2);
DROP TRIGGER one ON orders;
CREATE TRIGGER one AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION search_path.saw();
SELECT buy_item('ada', 1), buy_item('ada', 2);
SELECT buy_item('ada', 2);
DROP TRIGGER one ON orders;
CREATE TRIGGER one AFTER INSERT ON search_path_stock.movements FOR EACH ROW EXECUTE FUNCTION search_path.saw();
SELECT buy_item('ada', 2);
SELECT buy_item('ada', 2);
DROP TRIGGER one ON search_path_stock.movements;
-- a trigger that changes the path: what runs after it has that of the store again
CREATE FUNCTION search_path.leave() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('search_path', 'search_path_caller', false);
	RETURN NEW;
END
$$;
CREATE TRIGGER leave AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION search_path.leave();
CREATE TRIGGER saw AFTER INSERT ON search_path_stock.movements FOR EACH ROW EXECUTE FUNCTION search_path.saw();
SELECT search_path.buy_item('ada', 1);
SELECT search_path.buy_item('ada', 2);
SELECT search_path.buy_item('ada', 2);
DROP TRIGGER leave ON search_path.orders;
DROP TRIGGER saw ON search_path_stock.movements;
SET search_path = search_path_caller, search_path;
-- the path of the caller is there after a call and after an error, in a savepoint as well
BEGIN;
SELECT buy_item('ada', 1);
SAVEPOINT s;
SELECT buy_item('ada', 1, 5000);
ROLLBACK TO s;
SHOW search_path;
COMMIT;
SHOW search_path;
\echo '-- indexes of items, which are written without a statement, too'
:quiet
CREATE INDEX one ON items ((search_path.seen('index of items ' || left(stock::text, 0))));
:loud
SELECT buy_item('ada', 1);
SELECT buy_item('ada', 1);
DROP INDEX one;
:quiet
CREATE INDEX one ON items (stock) WHERE search_path.seen('index on items where ' || left(id::text, 0)) = 1;
:loud
SELECT buy_item('ada', 1);
SELECT buy_item('ada', 1);
DROP INDEX one;
-- domains are checked with the new stock
CREATE DOMAIN search_path.units AS integer CHECK (search_path.seen('units ' || VALUE) = 1);
:quiet
CREATE SCHEMA search_path_parts;
CREATE TABLE search_path.parts (id integer PRIMARY KEY, stock search_path.units);
INSERT INTO search_path.parts VALUES (1, 10);
SELECT inventory.attach('search_path.parts', ledger_schema => 'search_path_parts', api_schema => 'search_path_parts');
:loud
SELECT search_path_parts.buy_item(user_id => 'ada', item_id => 1) IS NULL;
SELECT search_path_parts.buy_item(user_id => 'ada', item_id => 1) IS NULL;
:quiet
SELECT inventory.detach('search_path.parts');
DROP SCHEMA search_path_parts CASCADE;
DROP TABLE search_path.parts;
:loud
-- Code that the server runs when it plans, or when its memory of an index or a partition is
-- built again, which can be at any call: a warning tells that the path was that of the caller.
CREATE FUNCTION search_path.early(what text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
	IF current_setting('search_path') LIKE 'search_path_caller%' THEN
		RAISE WARNING '% under the path of the caller', what;
	END IF;
	RETURN true;
END
$$;
\set silent 'SET client_min_messages = error;'
\set warn 'SET client_min_messages = warning;'
-- the WHEN of a trigger whose function is the server's
:silent
ALTER TABLE orders ADD words tsvector, ADD phrase text;
CREATE TRIGGER one BEFORE INSERT ON orders FOR EACH ROW WHEN (search_path.early('when ' || NEW.user_id))
	EXECUTE FUNCTION tsvector_update_trigger(words, 'pg_catalog.english', phrase);
:warn
SELECT buy_item('ada', 1), buy_item('ada', 2);
SELECT buy_item('ada', 2);
SELECT buy_item('ada', 1);
DROP TRIGGER one ON orders;
ALTER TABLE orders DROP words, DROP phrase;
-- predicates of which the server's memory has only the result
:silent
CREATE INDEX one ON items (stock) WHERE search_path.early('predicate on items');
CREATE INDEX two ON orders (id) WHERE search_path.early('predicate on orders');
:warn
SELECT buy_item('ada', 1);
SELECT buy_item('ada', 1);
:silent
ALTER INDEX search_path.one SET (fillfactor = 80);
ALTER INDEX search_path.two SET (fillfactor = 80);
:warn
SELECT buy_item('ada', 1);
SELECT buy_item('ada', 2);
DROP INDEX search_path.one, search_path.two;
-- the check of a foreign key: a query of another table
:silent
CREATE TABLE search_path.users (id text PRIMARY KEY, level integer DEFAULT 5);
CREATE INDEX ON search_path.users (level) WHERE search_path.early('predicate on users');
INSERT INTO search_path.users VALUES ('ada');
ALTER TABLE orders ADD CONSTRAINT one FOREIGN KEY (user_id) REFERENCES search_path.users NOT VALID;
:warn
SELECT buy_item('ada', 1), buy_item('ada', 2);
SELECT buy_item('ada', 1), buy_item('ada', 2);
:silent
ANALYZE search_path.users;
:warn
SELECT buy_item('ada', 1);
:silent
ANALYZE search_path.users;
:warn
SELECT buy_item('ada', 2);
ALTER TABLE orders DROP CONSTRAINT one;
-- the same of items, whose row a hot item's buyer does not write
:silent
ALTER TABLE orders ADD CONSTRAINT one FOREIGN KEY (item_id) REFERENCES items NOT VALID;
CREATE INDEX one ON items (stock) WHERE search_path.early('predicate on items');
:warn
SELECT buy_item('ada', 2);
:silent
ANALYZE items;
:warn
SELECT buy_item('ada', 2);
ALTER TABLE orders DROP CONSTRAINT one;
DROP INDEX search_path.one;
-- a result type that the server's JSON functions convert to
CREATE DOMAIN search_path.checked AS integer CHECK (search_path.early('domain ' || VALUE));
:silent
SELECT CASE WHEN current_setting('server_version_num')::integer >= 170000 THEN 'json_value(data, ''$.a'' RETURNING search_path.checked)'
	ELSE '(data ->> ''a'')::search_path.checked' END AS value \gset
ALTER TABLE items ADD data jsonb DEFAULT '{"a": 5}', ADD CONSTRAINT one CHECK (:value > 0) NOT VALID;
:warn
SELECT buy_item('ada', 1);
SELECT buy_item('ada', 1);
ALTER TABLE items DROP data;
-- orders that are a partition
:silent
CREATE FUNCTION search_path.part(integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	RETURN CASE WHEN search_path.early('partition') THEN $1 END;
END
$$;
CREATE SCHEMA search_path_parts;
CREATE TABLE search_path.parts (id integer PRIMARY KEY, stock integer);
INSERT INTO search_path.parts VALUES (1, 10);
CREATE TABLE search_path.all_orders (id bigint NOT NULL, item_id integer, quantity integer, user_id text) PARTITION BY RANGE (search_path.part(item_id));
CREATE SEQUENCE search_path.numbers;
CREATE TABLE search_path.part_orders PARTITION OF search_path.all_orders (id DEFAULT nextval('search_path.numbers') PRIMARY KEY) FOR VALUES FROM (0) TO (10);
SELECT inventory.attach('search_path.parts', 'search_path.part_orders', ledger_schema => 'search_path_parts', api_schema => 'search_path_parts');
:warn
SELECT search_path_parts.buy_item('ada', 1);
SELECT search_path_parts.buy_item('ada', 1);
:silent
SELECT inventory.detach('search_path.parts');
DROP SCHEMA search_path_parts CASCADE;
DROP TABLE search_path.parts, search_path.all_orders;
SELECT inventory.cool('items');
:warn
SELECT * FROM inventory.verify('items');
DROP SCHEMA search_path_caller CASCADE;
