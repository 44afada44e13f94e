-- Archiving old orders: they leave the tables of the shop, and no stock moves.

CREATE EXTENSION IF NOT EXISTS inventory;

CREATE TABLE products (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, stock int NOT NULL);
CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id bigint NOT NULL,
    status text NOT NULL DEFAULT 'paid',
    created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE order_items (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id bigint NOT NULL REFERENCES orders ON DELETE CASCADE,
    product_id bigint NOT NULL REFERENCES products,
    quantity int NOT NULL);
CREATE INDEX ON order_items (order_id);

-- order_final says which orders are over: deleting one of them gives nothing back.
SELECT inventory.attach('products', 'order_items', order_header => 'orders', order_writes => 'follow',
    order_units => $$CASE WHEN header.status <> 'cancelled' THEN line.quantity END$$,
    order_final => $$header.status = 'shipped'$$);

CREATE TABLE old_orders (LIKE orders);
CREATE TABLE old_order_items (LIKE order_items);

-- Moves orders that were shipped and are older than a time; returns how many.
CREATE FUNCTION archive_orders(before timestamptz) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    old bigint[];
BEGIN
    SELECT array_agg(o.id) INTO old FROM (
        SELECT id FROM orders WHERE status = 'shipped' AND created_at < before
        ORDER BY id LIMIT 1000 FOR UPDATE) AS o;
    INSERT INTO old_order_items SELECT * FROM order_items WHERE order_id = ANY (old);
    WITH moved AS (DELETE FROM orders WHERE id = ANY (old) RETURNING *)
    INSERT INTO old_orders SELECT * FROM moved;
    RETURN coalesce(cardinality(old), 0);
END $$;

-- The ledger of that time becomes one movement for each product.  What was refunded stays.  A line that is
-- archived and closed can no longer be refunded: leave as much time as customers have.
--     SELECT products_stock.close_ledger(now() - interval '2 years');
-- Holds that have ended, and idempotency keys:
--     SELECT products_stock.prune('30 days');

-- A shop that does not follow its orders closes the ledger first and deletes the lines then; otherwise verify
-- reports lines that are missing.
