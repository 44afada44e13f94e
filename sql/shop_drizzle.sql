-- Tests of a Drizzle shop: identity and serial keys, numeric prices, jsonb and array columns,
-- order_items under orders.  Laid out after the schema files of the Drizzle documentation
-- (pgTable, generatedAlwaysAsIdentity, jsonb, numeric).
-- A line references items twice, for the item bought and for a substitute, so attach must
-- be told which column is meant.
\set SHOW_CONTEXT never
CREATE SCHEMA shop_drizzle;
SET search_path = shop_drizzle;

CREATE TYPE order_status AS ENUM ('draft', 'placed', 'refused');
CREATE TABLE products (
	id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
	name varchar(255) NOT NULL,
	price numeric(10, 2) NOT NULL,
	stock integer DEFAULT 0 NOT NULL,
	attributes jsonb DEFAULT '{}'::jsonb NOT NULL
);
CREATE TABLE orders (
	id serial PRIMARY KEY NOT NULL,
	user_id integer NOT NULL,
	status order_status DEFAULT 'draft' NOT NULL,
	created_at timestamp DEFAULT now() NOT NULL
);
CREATE TABLE order_items (
	id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
	order_id integer NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
	product_id integer NOT NULL REFERENCES products (id),
	substitute_id integer REFERENCES products (id),
	quantity integer NOT NULL,
	unit_price numeric(10, 2) NOT NULL,
	line_total numeric(12, 2) GENERATED ALWAYS AS (quantity * unit_price) STORED,
	options jsonb DEFAULT '{}'::jsonb NOT NULL,
	gift_tags text[] DEFAULT '{}'::text[] NOT NULL
);

INSERT INTO products (name, price, stock, attributes)
VALUES ('Pen', 2.50, 10, '{"ink": "blue"}'), ('Ink', 7.00, 1, '{}'), ('Case', 12.00, 4, '{}');

SELECT inventory.attach('products', 'order_items', ledger_schema => 'shop_drizzle_stock',
						user_id_type => 'integer', order_columns => '{order_id,unit_price}');
SELECT inventory.attach('products', 'order_items', order_item_id => 'product_id',
						ledger_schema => 'shop_drizzle_stock', user_id_type => 'integer',
						order_columns => '{order_id,unit_price,options,gift_tags,substitute_id}');

-- db.transaction: insert the order returning its id, then the cart
BEGIN;
INSERT INTO orders (user_id) VALUES (7) RETURNING id AS order_id \gset
SELECT * FROM buy_cart(7,
	'[{"item_id": 3, "unit_price": 12.00, "options": {"engraving": {"text": "A \"B\"", "lines": [1, 2]}}},
	  {"item_id": 1, "unit_price": "2.50", "quantity": 4, "gift_tags": ["to, Ada", "with {love}"]},
	  {"item_id": 1, "unit_price": 2.25, "quantity": 5, "options": null, "substitute_id": 2}]',
	order_data => jsonb_build_object('order_id', :order_id));
\echo :SQLSTATE
ROLLBACK;
-- options is NOT NULL, so a null is refused; a line without options gets the default
BEGIN;
INSERT INTO orders (user_id) VALUES (7) RETURNING id AS order_id \gset
SELECT * FROM buy_cart(7,
	'[{"item_id": 3, "unit_price": 12.00, "options": {"engraving": {"text": "A \"B\"", "lines": [1, 2]}}},
	  {"item_id": 1, "unit_price": "2.50", "quantity": 4, "gift_tags": ["to, Ada", "with {love}"]},
	  {"item_id": 1, "unit_price": 2.25, "quantity": 5, "substitute_id": 2}]',
	order_data => jsonb_build_object('order_id', :order_id));
UPDATE orders SET status = 'placed' WHERE id = :order_id;
COMMIT;

-- a shop that keeps refused orders uses try_buy_cart, so that the transaction can continue
BEGIN;
INSERT INTO orders (user_id) VALUES (8) RETURNING id AS order_id \gset
SELECT * FROM try_buy_cart(8,
	'[{"item_id": 1, "unit_price": 2.50, "quantity": 2}, {"item_id": 99, "unit_price": 1},
	  {"item_id": 3, "unit_price": 12.00}]',
	order_data => jsonb_build_object('order_id', :order_id));
UPDATE orders SET status = 'refused' WHERE id = :order_id;
COMMIT;

SELECT user_id, status FROM orders ORDER BY id;
SELECT product_id, quantity, line_total, options, gift_tags, substitute_id
  FROM order_items ORDER BY id;
SELECT id, name, stock, attributes FROM products ORDER BY id;
SELECT item_id, delta, kind, user_id FROM shop_drizzle_stock.movements WHERE kind <> 'opening' ORDER BY movement_id;
SELECT * FROM inventory.verify('products');
