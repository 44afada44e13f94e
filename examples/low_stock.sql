-- Low stock: an alert when a product falls to its reorder point, once until it is above it again.

CREATE EXTENSION IF NOT EXISTS inventory;

CREATE TABLE products (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    stock int NOT NULL,
    reorder_point int NOT NULL DEFAULT 5);
CREATE TABLE order_items (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id bigint NOT NULL,
    product_id bigint NOT NULL REFERENCES products,
    quantity int NOT NULL);
SELECT inventory.attach('products', 'order_items');

-- levels is exact, also for hot items.
CREATE VIEW low_stock AS
SELECT p.id AS product_id, p.name, l.available, p.reorder_point
FROM products AS p JOIN products_stock.levels AS l ON l.item_id = p.id
WHERE l.available <= p.reorder_point;

CREATE TABLE low_stock_alerts (
    product_id bigint PRIMARY KEY REFERENCES products,
    since timestamptz NOT NULL DEFAULT now());

-- Returns the products that are low for the first time, and forgets those that are not any more.  For a
-- job that runs every minute: sales pay nothing for it.
CREATE FUNCTION new_low_stock() RETURNS SETOF low_stock
LANGUAGE sql AS $$
    DELETE FROM low_stock_alerts AS a WHERE a.product_id NOT IN (SELECT product_id FROM low_stock);
    WITH alerted AS (
        INSERT INTO low_stock_alerts (product_id) SELECT product_id FROM low_stock
        ON CONFLICT DO NOTHING RETURNING product_id)
    SELECT l.* FROM low_stock AS l JOIN alerted USING (product_id)
$$;
