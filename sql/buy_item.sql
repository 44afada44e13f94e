-- Tests of buy_item: one call takes the stock, inserts the order row and writes the
-- movement, or changes nothing.
\set schema buy_item
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
ALTER TABLE items ALTER stock SET NOT NULL;
ALTER TABLE orders ALTER user_id SET NOT NULL, ALTER quantity TYPE smallint, ADD FOREIGN KEY (item_id) REFERENCES items;
INSERT INTO items (id, stock) VALUES (1, 10), (2, 1), (3, 0), (4, 10), (5, 50000);
UPDATE items SET live = false WHERE id = 4;
SELECT inventory.attach('items', 'orders', ledger_schema => 'buy_item_stock', sellable => 'live',
						order_columns => '{id,price,note}');

-- the answer is the key of the order; the quantity defaults to 1
SELECT buy_item('ada', 1);
SELECT buy_item('bob', 1, 3);
SELECT buy_item(item_id => 1, user_id => 'ada', quantity => 2);
SELECT * FROM orders ORDER BY id;
SELECT item_id, delta, kind, user_id, order_id, reason FROM movements WHERE kind <> 'opening' ORDER BY movement_id;
SELECT available_stock(1), stock FROM items WHERE id = 1;

-- order_data sets the columns that order_columns allows, the key among them; null is
-- a value, and a column that is absent takes its default
SELECT buy_item('ada', 1, order_data => '{"id": 1000, "price": 5.005, "note": "gift"}');
SELECT buy_item('ada', 1, order_data => '{"note": null}');
SELECT buy_item('ada', 1, order_data => '{}');
SELECT * FROM orders WHERE id NOT IN (1, 2, 3) ORDER BY id;

-- the last unit; after that the item is sold out
SELECT buy_item('ada', 2);
SELECT buy_item('bob', 2);
\echo :SQLSTATE
SELECT buy_item('bob', 1, 2);
\echo :SQLSTATE
SELECT buy_item('bob', 3);
\echo :SQLSTATE

-- an item that does not exist, and one that is not for sale
SELECT buy_item('ada', 99);
\echo :SQLSTATE
SELECT buy_item('ada', 4);
\echo :SQLSTATE

-- if the order cannot be written, nothing is sold
SELECT buy_item(NULL, 1);
\echo :SQLSTATE
SELECT buy_item('ada', 5, 40000);
\echo :SQLSTATE
SELECT buy_item('ada', 1, order_data => '{"id": 1000}');
\echo :SQLSTATE
SELECT buy_item('ada', 1, order_data => '{"price": "dear"}');
\echo :SQLSTATE
CREATE FUNCTION object() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF 'swallow' IN (NEW.note, NEW.user_id) THEN
		RETURN NULL;
	ELSIF NEW.note = TG_WHEN THEN
		RAISE EXCEPTION 'the shop objects' USING ERRCODE = 'ZZ001';
	END IF;
	RETURN NEW;
END
$$;
CREATE TRIGGER before BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION object();
CREATE CONSTRAINT TRIGGER after AFTER INSERT ON orders DEFERRABLE INITIALLY DEFERRED
	FOR EACH ROW EXECUTE FUNCTION object();
SELECT buy_item('ada', 1, order_data => '{"note": "BEFORE"}');
\echo :SQLSTATE
SELECT buy_item('ada', 1, order_data => '{"note": "AFTER"}');
\echo :SQLSTATE
SELECT buy_item('ada', 1, order_data => '{"note": "swallow"}');
\echo :SQLSTATE
SELECT buy_item('swallow', 1);
\echo :SQLSTATE
DROP TRIGGER before ON orders;
DROP TRIGGER after ON orders;
SELECT id, stock FROM items ORDER BY id;
SELECT count(*) AS orders, sum(quantity) AS units FROM orders;

-- a purchase that is rolled back takes nothing
BEGIN;
SELECT buy_item('ada', 5, 1000);
SELECT stock FROM items WHERE id = 5;
ROLLBACK;
SELECT stock FROM items WHERE id = 5;

-- many calls in one statement
SELECT count(buy_item('ada', 5)) FROM generate_series(1, 100);
SELECT available_stock(5);
SELECT * FROM inventory.verify('items');

-- a store without orders: the caller gives the reference
CREATE SCHEMA buy_item_own;
CREATE TABLE buy_item_own.variants (sku text PRIMARY KEY, stock bigint);
INSERT INTO buy_item_own.variants VALUES ('S', 3), ('M', 3);
SELECT inventory.attach('buy_item_own.variants', ledger_schema => 'buy_item_own_stock');
SELECT buy_item_own.buy_item('ada', 'S', 2, order_data => '{"order_id": "cart-7"}');
SELECT buy_item_own.buy_item(NULL, 'M') IS NULL AS no_reference;
SELECT buy_item_own.buy_item('ada', 'M', order_data => '{"order_id": 7}');
SELECT buy_item_own.buy_item('ada', 'M', order_data => '{"note": "gift"}');
\echo :SQLSTATE
SELECT item_id, delta, kind, user_id, order_id FROM buy_item_own_stock.movements
	WHERE kind <> 'opening' ORDER BY movement_id;
SELECT * FROM buy_item_own.variants ORDER BY sku;
SELECT * FROM inventory.verify('buy_item_own.variants');

-- keys of type smallint can be given as integer literals
CREATE SCHEMA buy_item_small;
CREATE TABLE buy_item_small.items (id smallint PRIMARY KEY, stock smallint);
CREATE TABLE buy_item_small.orders (id smallint PRIMARY KEY DEFAULT 7, user_id smallint, item_id smallint);
INSERT INTO buy_item_small.items VALUES (1, 32767);
SELECT inventory.attach('buy_item_small.items', 'buy_item_small.orders',
						ledger_schema => 'buy_item_small_stock');
SELECT buy_item_small.buy_item(1, 1), pg_typeof(buy_item_small.available_stock(1));
SELECT buy_item_small.buy_item(1, 40000);
\echo :SQLSTATE
SELECT * FROM buy_item_small.orders;
SELECT * FROM inventory.verify('buy_item_small.items');

DROP SCHEMA buy_item, buy_item_stock, buy_item_own, buy_item_own_stock, buy_item_small,
	buy_item_small_stock CASCADE;
SELECT count(*) FROM inventory.store WHERE store_name LIKE 'buy\_item%';
