-- Tests of a foreign key from orders to items: the check of an order of an item that the call
-- has just written is left out, and no order of an item that is gone can come of it.
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
\set schema item_foreign_key
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
INSERT INTO items (id, stock) SELECT n, CASE n WHEN 3 THEN NULL ELSE 100 END FROM generate_series(1, 5) AS n;
ALTER TABLE orders ADD CONSTRAINT item FOREIGN KEY (item_id) REFERENCES items;
SELECT inventory.attach('items', 'orders', ledger_schema => 'item_foreign_key_stock');
SELECT inventory.heat('items', 2);
\set orphans 'SELECT count(*) FROM orders AS o WHERE NOT EXISTS (SELECT FROM items AS i WHERE i.id = o.item_id);'

-- a cold, a hot and an untracked item, and a cart of them
SELECT buy_item('u', 1) > 0, buy_item('u', 2) > 0, buy_item('u', 3) > 0;
SELECT count(*) FROM buy_cart('u', '[{"item_id": 1}, {"item_id": 2}, {"item_id": 3}, {"item_id": 4}]');
SELECT item_id, count(*) FROM orders GROUP BY 1 ORDER BY 1;

-- code of the shop deletes the item while it is sold
CREATE FUNCTION deletes() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
	IF TG_RELID = 'orders'::regclass THEN
		DELETE FROM items WHERE id = NEW.item_id;
	ELSE
		DELETE FROM items WHERE id = NEW.id;
	END IF;
	RETURN NEW;
END $$;
INSERT INTO items (id, stock) SELECT n, 100 FROM generate_series(10, 59) AS n;
-- items that nothing else refers to
CREATE FUNCTION sold(item bigint) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT attempt(call) FROM unnest(ARRAY[format('SELECT buy_item(''u'', %s)', item),
		format('SELECT * FROM buy_cart(''u'', ''[{"item_id": %s}, {"item_id": %s}]'')', item + 1, item + 2),
		format('SELECT * FROM confirm_reservation(reserve_stock(''u'', %s))', item + 3)]) AS call $$;
SELECT sold(10);
CREATE TRIGGER deletes BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION deletes();
SELECT sold(20);
DROP TRIGGER deletes ON orders;
CREATE TRIGGER deletes AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION deletes();
SELECT sold(30);
DROP TRIGGER deletes ON orders;
CREATE TRIGGER deletes AFTER UPDATE ON items FOR EACH ROW EXECUTE FUNCTION deletes();
SELECT sold(40);
DROP TRIGGER deletes ON items;
:orphans

-- and so does what a domain of items, or an index, calls when the row is written
SET client_min_messages = warning;
CREATE SCHEMA item_foreign_key_parts;
CREATE FUNCTION sinks(item integer) RETURNS boolean LANGUAGE plpgsql IMMUTABLE SET search_path FROM CURRENT AS $$
BEGIN
	IF item = 7 THEN
		EXECUTE 'DELETE FROM parts WHERE id = 1';
	END IF;
	RETURN true;
END $$;
ALTER FUNCTION sinks VOLATILE;
CREATE DOMAIN units AS integer CHECK (sinks(VALUE));
CREATE TABLE parts (id integer PRIMARY KEY, stock units);
CREATE TABLE part_orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, item_id integer REFERENCES parts, quantity integer, user_id text);
INSERT INTO parts VALUES (1, 10), (2, 10);
SELECT inventory.attach('parts', 'part_orders', ledger_schema => 'item_foreign_key_parts', api_schema => 'item_foreign_key_parts');
SELECT attempt($$ SELECT * FROM item_foreign_key_parts.buy_cart('u', '[{"item_id": 1, "quantity": 2}, {"item_id": 2, "quantity": 3}]') $$);
SELECT count(*) FROM part_orders;

-- the item is deleted later in the transaction; the key is deferred
DELETE FROM items WHERE id = 5;
\echo :SQLSTATE
ALTER TABLE orders ALTER CONSTRAINT item DEFERRABLE INITIALLY DEFERRED;
INSERT INTO items (id, stock) VALUES (6, 100);
BEGIN;
SELECT buy_item('u', 6) > 0;
DELETE FROM items WHERE id = 6;
-- which of the two checks finds it depends on whether that of the insertion was left out
\set VERBOSITY sqlstate
COMMIT;
\set VERBOSITY terse
BEGIN;
SELECT buy_item('u', 6) > 0;
SAVEPOINT s;
SELECT buy_item('u', 6) > 0;
ROLLBACK TO s;
COMMIT;
SELECT count(*) FROM orders WHERE item_id = 6;
:orphans
-- with statements, and a key to other columns or of another type, the server checks
SET inventory.direct_access = off;
SELECT sold(50);
RESET inventory.direct_access;
SELECT inventory.cool('items');
SELECT * FROM inventory.verify('items');
DROP SCHEMA item_foreign_key, item_foreign_key_stock, item_foreign_key_parts CASCADE;
