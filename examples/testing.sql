-- The test database of a shop.
--
-- Once for each server, so that the databases that a test framework creates have the extension:
--     psql -d template1 -c 'CREATE EXTENSION inventory'

CREATE EXTENSION IF NOT EXISTS inventory;

CREATE TABLE products (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, stock int NOT NULL);
CREATE TABLE order_items (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id bigint NOT NULL,
    product_id bigint NOT NULL REFERENCES products,
    quantity int NOT NULL);
SELECT inventory.attach('products', 'order_items');

-- Tests in a transaction that is rolled back work as they do without inventory.
BEGIN;
INSERT INTO products (name, stock) VALUES ('guitar', 1);
SELECT status FROM try_buy_item(7, (SELECT max(id) FROM products));
SELECT status FROM try_buy_item(8, (SELECT max(id) FROM products));
ROLLBACK;

-- Between tests that commit, frameworks empty all tables in one statement.  Holds, keys and movements of
-- what was there are over with it.
INSERT INTO products (name, stock) VALUES ('guitar', 1);
SELECT reserve_stock(7, (SELECT max(id) FROM products), 1, NULL, 'click-1') IS NOT NULL AS held;
TRUNCATE products, order_items RESTART IDENTITY CASCADE;
INSERT INTO products (name, stock) VALUES ('guitar', 1);
SELECT buy_item(7, 1, 1, 'click-1');

-- Good at the end of a test suite: no rows.
SELECT * FROM inventory.verify('products');
