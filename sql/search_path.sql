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

-- a default
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
-- indexes of items, which are written without a statement, too
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
SELECT inventory.cool('items');
SELECT * FROM inventory.verify('items');
DROP SCHEMA search_path_caller CASCADE;
