-- The first minute of a shop: a database without the extension, its tables, one sale.
CREATE EXTENSION IF NOT EXISTS inventory;
SET client_min_messages = warning;
CREATE TABLE products (id bigint PRIMARY KEY, stock integer NOT NULL);
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id text NOT NULL,
					 product_id bigint NOT NULL REFERENCES products, quantity integer NOT NULL);
INSERT INTO products VALUES (1, 1);
SELECT FROM inventory.attach('products', 'orders');

DO $$
BEGIN
	PERFORM buy_item('7', 1);
	ASSERT (SELECT count(*) FROM orders) = 1, 'no order';
	ASSERT (SELECT stock FROM products) = 0, 'the unit is still there';
	BEGIN
		PERFORM buy_item('8', 1);
		ASSERT false, 'sold twice';
	EXCEPTION WHEN SQLSTATE 'IV001' THEN
		NULL;
	END;
	ASSERT NOT EXISTS (SELECT FROM inventory.verify('products')), 'the ledger is wrong';
END
$$;

SELECT FROM inventory.detach('products');
DROP TABLE orders, products;
DROP SCHEMA products_stock CASCADE;
