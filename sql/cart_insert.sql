-- Tests of a cart whose rows are inserted together: ids and movements are in the order of the
-- lines, and every row gets its index entries, is checked and refers to what exists, as if each
-- were inserted alone.
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
\set schema cart_insert
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
CREATE EXTENSION amcheck SCHEMA cart_insert;
CREATE TABLE users (id text PRIMARY KEY);
INSERT INTO users VALUES ('ada'), ('bob');
INSERT INTO items (id, stock) SELECT n, 1000 FROM generate_series(1, 200) AS n;
ALTER TABLE orders ADD FOREIGN KEY (user_id) REFERENCES users, ADD FOREIGN KEY (item_id) REFERENCES items,
	ADD CONSTRAINT not_13 CHECK (quantity <> 13), ALTER note SET STORAGE EXTERNAL;
CREATE INDEX of_many ON orders (item_id) WHERE quantity > 2;
CREATE INDEX of_user ON orders (user_id, quantity);
SELECT inventory.attach('items', 'orders', ledger_schema => 'cart_insert_stock');
-- n lines, of which every third has three units
CREATE FUNCTION lines(n integer) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_agg(jsonb_build_object('item_id', 1 + (i * 7) % 200, 'quantity', 1 + (i % 3 = 0)::integer * 2) ORDER BY i)
	FROM generate_series(1, n) AS i $$;
CREATE FUNCTION one(item bigint, quantity integer) RETURNS jsonb LANGUAGE sql AS $$ SELECT jsonb_build_object('item_id', item, 'quantity', quantity) $$;
-- are the answer, the orders and the movements of a cart in the order of its lines?
CREATE FUNCTION in_order(n integer) RETURNS text LANGUAGE sql AS $$
	WITH answer AS (SELECT row_number() OVER () AS i, * FROM cart_insert.buy_cart('ada', lines(n))),
		 given AS (SELECT i, (line ->> 'item_id')::bigint AS item, (line ->> 'quantity')::integer AS units
				   FROM jsonb_array_elements(lines(n)) WITH ORDINALITY AS l(line, i))
	SELECT format('%s lines, ids in order: %s', count(*), bool_and(a.order_id = first + a.i - 1 AND a.item_id = g.item AND a.quantity = g.units))
	FROM answer AS a JOIN given AS g USING (i), LATERAL (SELECT min(order_id) AS first FROM answer) AS f $$;
CREATE FUNCTION left_behind() RETURNS text LANGUAGE sql AS $$
	SELECT format('%s orders, %s movements in order: %s', count(*), count(m), bool_and(m.item_id = o.item_id AND m.delta = -o.quantity AND m.user_id = o.user_id AND m.position = o.position))
	FROM (SELECT *, row_number() OVER (ORDER BY id) AS position FROM orders) AS o
	LEFT JOIN (SELECT *, row_number() OVER (ORDER BY movement_id) AS position FROM movements WHERE kind = 'sale') AS m ON m.order_id = o.id $$;

\echo '-- one line, some, and more than are inserted together'
SELECT in_order(n) FROM unnest(ARRAY[1, 2, 10, 64, 65, 66, 129, 200, 400]) AS n;
SELECT left_behind();
-- rows that fill several pages, and rows that are stored in part in another table
ALTER TABLE orders ADD big text NOT NULL DEFAULT repeat('big', 500), ALTER note SET DEFAULT repeat('note', 2000);
SELECT in_order(150);
SELECT left_behind(), (SELECT count(*) FROM orders WHERE length(note) = 8000 AND length(big) = 1500);
ALTER TABLE orders DROP big, ALTER note SET DEFAULT 'none';

\echo '-- a row that is refused: none of the cart is there'
CREATE FUNCTION refused(lines jsonb, buyer text DEFAULT 'ada') RETURNS text LANGUAGE sql AS $$ SELECT attempt(format('SELECT count(*) FROM cart_insert.buy_cart(%L, %L)', buyer, lines)) $$;
SELECT refused(jsonb_build_array(one(1, 1), one(2, 13), one(3, 1)));
SELECT refused(lines(70), 'eve');
ALTER TABLE orders ADD serial bigint NOT NULL DEFAULT 0;
CREATE SEQUENCE serials MAXVALUE 3 CYCLE;
UPDATE orders SET serial = -id;
ALTER TABLE orders ALTER serial SET DEFAULT nextval('serials'), ADD CONSTRAINT serial UNIQUE (serial);
SELECT refused(lines(4));
SELECT setval('serials', 3);
SELECT refused(lines(3));
ALTER TABLE orders DROP CONSTRAINT serial, ADD CONSTRAINT serial UNIQUE (serial) DEFERRABLE INITIALLY DEFERRED;
BEGIN;
SELECT refused(lines(2));
SAVEPOINT s;
SELECT refused(lines(2)), count(*) FROM orders WHERE serial > 0;
\set VERBOSITY sqlstate
SET CONSTRAINTS serial IMMEDIATE;
\set VERBOSITY terse
ROLLBACK TO s;
UPDATE orders SET serial = -id;
COMMIT;
ALTER TABLE orders DROP serial;
SELECT left_behind();

\echo '-- a trigger sees the rows before its own, and no later one'
CREATE FUNCTION counts() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
	NEW.note := (SELECT count(*) FROM orders WHERE note LIKE 'seen %');
	NEW.note := 'seen ' || NEW.note;
	RETURN NEW;
END $$;
CREATE TRIGGER counts BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION counts();
SELECT refused(lines(3));
DROP TRIGGER counts ON orders;
SELECT note FROM orders WHERE note LIKE 'seen %' ORDER BY id;
CREATE FUNCTION number() RETURNS text LANGUAGE sql SET search_path FROM CURRENT AS $$ SELECT 'number ' || count(*) FROM orders WHERE note LIKE 'number %' $$;
ALTER TABLE orders ALTER note SET DEFAULT number();
SELECT refused(lines(3));
ALTER TABLE orders ALTER note SET DEFAULT 'none';
SELECT note FROM orders WHERE note LIKE 'number %' ORDER BY id;

\echo '-- holds, and what is sold of them'
SELECT count(*) FROM confirm_reservation((SELECT reservation_id FROM try_reserve_cart('bob', lines(70))));
SELECT left_behind();

\echo '-- heap and indexes'
SELECT x.indrelid::regclass, count(*) FROM pg_index AS x, LATERAL (SELECT bt_index_parent_check(x.indexrelid::regclass, true, true)) AS c
	WHERE x.indrelid IN ('items'::regclass, 'orders'::regclass, 'movements'::regclass, 'reservations'::regclass) GROUP BY 1 ORDER BY 1;
SELECT t, v.* FROM unnest(ARRAY['items', 'orders', 'movements', 'reservations']::regclass[]) AS t, verify_heapam(t) AS v;
SELECT * FROM inventory.verify('items');
DROP SCHEMA cart_insert, cart_insert_stock CASCADE;
