-- Tests of a Rails shop: bigint ids, created_at and updated_at NOT NULL without a default
-- (Active Record fills them in Ruby), lock_version for its optimistic locking.  Laid out
-- after the Active Record guides (timestamps, references, Locking).  The orders are flat:
-- one row per product bought.
\set SHOW_CONTEXT never
CREATE SCHEMA shop_rails;
SET search_path = shop_rails;

CREATE TABLE users (
	id bigserial PRIMARY KEY,
	email character varying NOT NULL,
	created_at timestamp(6) without time zone NOT NULL,
	updated_at timestamp(6) without time zone NOT NULL
);
CREATE TABLE products (
	id bigserial PRIMARY KEY,
	name character varying,
	price numeric(8, 2),
	stock integer DEFAULT 0 NOT NULL,
	lock_version integer DEFAULT 0 NOT NULL,
	created_at timestamp(6) without time zone NOT NULL,
	updated_at timestamp(6) without time zone NOT NULL
);
CREATE TABLE orders (
	id bigserial PRIMARY KEY,
	user_id bigint NOT NULL,
	product_id bigint NOT NULL,
	quantity integer DEFAULT 1 NOT NULL,
	created_at timestamp(6) without time zone NOT NULL,
	updated_at timestamp(6) without time zone NOT NULL,
	CONSTRAINT fk_rails_orders_user FOREIGN KEY (user_id) REFERENCES users (id),
	CONSTRAINT fk_rails_orders_product FOREIGN KEY (product_id) REFERENCES products (id)
);
CREATE INDEX index_orders_on_user_id ON orders USING btree (user_id);
CREATE INDEX index_orders_on_product_id ON orders USING btree (product_id);

INSERT INTO users (email, created_at, updated_at)
VALUES ('ada@example.com', '2024-05-01', '2024-05-01'), ('bob@example.com', '2024-05-01', '2024-05-01');
INSERT INTO products (name, price, stock, created_at, updated_at)
VALUES ('Mug', 9.90, 3, '2024-05-01', '2024-05-01'), ('Poster', 15, 0, '2024-05-01', '2024-05-01');

-- nothing would fill the timestamps
SELECT inventory.attach('products', 'orders', version => 'lock_version',
						ledger_schema => 'shop_rails_stock');
-- one gets a default in a migration, the other comes from the application
ALTER TABLE shop_rails.orders ALTER COLUMN updated_at SET DEFAULT CURRENT_TIMESTAMP;
SELECT inventory.attach('products', 'orders', version => 'lock_version',
						ledger_schema => 'shop_rails_stock', order_columns => '{created_at}');

-- connection.select_value("SELECT shop_rails.buy_item($1, $2, $3, $4, $5)", ...)
SELECT buy_item(1, 1, 2, 'req-1', '{"created_at": "2024-05-02 08:00:00.123456"}') AS order_id;
-- the browser sent the form twice
SELECT buy_item(1, 1, 2, 'req-1', '{"created_at": "2024-05-02 08:00:00.123456"}') AS order_id;
SELECT buy_item(2, 1, 2, 'req-2', '{"created_at": "2024-05-02 08:00:01"}') AS order_id;
\echo :SQLSTATE
SELECT buy_item(2, 2, 1, 'req-3', '{"created_at": "2024-05-02 08:00:02"}') AS order_id;
\echo :SQLSTATE
-- a column that is not in order_columns
SELECT buy_item(2, 1, 1, 'req-4', '{"created_at": "2024-05-02", "updated_at": "1970-01-01"}');
\echo :SQLSTATE

-- an edit form that was opened before the sale saves the whole row: no row is updated, and
-- Active Record raises StaleObjectError
UPDATE products SET name = 'Big mug', stock = 3, lock_version = 1
 WHERE id = 1 AND lock_version = 0 RETURNING id;
-- a form that was opened after the sale: the change is saved and booked
UPDATE products SET name = 'Big mug', stock = 10, lock_version = 2
 WHERE id = 1 AND lock_version = 1 RETURNING id, stock;
-- as increment_counter(:stock) does
UPDATE products SET stock = COALESCE(stock, 0) + 1 WHERE id = 2 RETURNING id, stock;

SELECT id, user_id, product_id, quantity, created_at FROM orders ORDER BY id;
SELECT id, name, stock, lock_version FROM products ORDER BY id;
SELECT item_id, delta, kind, user_id, order_id
  FROM shop_rails_stock.movements WHERE kind <> 'opening' ORDER BY movement_id;
SELECT item_id, available, on_hand FROM shop_rails_stock.levels ORDER BY item_id;
SELECT * FROM inventory.verify('products');
