-- Migrations: what a shop's schema goes through, with inventory attached.
--
-- Each part is one migration.  Each runs in one transaction, and can be rolled back.  Frameworks do not
-- show the NOTICE of attach: read it once in psql.

-- ---------------------------------------------------------------- 1: the tables, as the framework makes them

CREATE TABLE products (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    price numeric(10, 2) NOT NULL,
    stock int NOT NULL CHECK (stock >= 0));
CREATE TABLE order_items (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id bigint NOT NULL,
    product_id bigint NOT NULL REFERENCES products,
    quantity int NOT NULL);
INSERT INTO products (name, price, stock) VALUES ('guitar', 1200, 3);

-- ---------------------------------------------------------------- 2: attach

-- As a superuser, or in template1 so that new databases have it:
CREATE EXTENSION IF NOT EXISTS inventory;
-- As the owner of the tables.  Down: SELECT inventory.detach('products'), which keeps every table.
SELECT inventory.attach('products', 'order_items');
SELECT buy_item(7, 1);

-- ---------------------------------------------------------------- 3: the same again, in each deployment

-- Where nothing differs it changes nothing and waits for no call.
SELECT inventory.attach('products', 'order_items');

-- ---------------------------------------------------------------- 4: a new column, which a purchase fills

-- A column that is NOT NULL needs a default, or each sale fails until something fills it.
BEGIN;
ALTER TABLE order_items ADD COLUMN unit_price numeric(10, 2);
SELECT inventory.attach('products', 'order_items', order_values => '{"unit_price": "price"}');
UPDATE order_items AS o SET unit_price = p.price FROM products AS p WHERE p.id = o.product_id;
ALTER TABLE order_items ALTER COLUMN unit_price SET NOT NULL;
COMMIT;
SELECT buy_item(7, 1);

-- ---------------------------------------------------------------- 5: another name

-- Names are free: the binding, expressions and functions follow.
ALTER TABLE products RENAME COLUMN stock TO quantity_in_stock;
ALTER TABLE order_items RENAME TO lines;
SELECT buy_item(7, 1);

-- ---------------------------------------------------------------- 6: another type

-- ALTER TABLE … TYPE is refused for a column that is bound; its hint is this call.
SELECT inventory.retype('products', 'quantity_in_stock', 'bigint');
SELECT products_stock.restock_item(1, 5000000000);

-- What is in force now, as the statement for the next migration:
SELECT inventory.describe('products');
