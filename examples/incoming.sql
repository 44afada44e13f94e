-- Selling what is on its way: a product can be sold against deliveries that are announced.
--
-- The floor of a product is minus what is announced.  The stock may go down to it; a stock of -3 is
-- three units that are sold and have not arrived yet.

CREATE EXTENSION IF NOT EXISTS inventory;

CREATE TABLE products (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    stock int NOT NULL,
    stock_floor int NOT NULL DEFAULT 0);
CREATE TABLE order_items (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id bigint NOT NULL,
    product_id bigint NOT NULL REFERENCES products,
    quantity int NOT NULL);
SELECT inventory.attach('products', 'order_items');     -- finds stock_floor by its name

CREATE TABLE deliveries (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    product_id bigint NOT NULL REFERENCES products,
    quantity int NOT NULL CHECK (quantity > 0),
    expected_on date NOT NULL);     -- a row is a delivery that has not arrived

-- Announcing a delivery, changing it and taking it back move the floor.
CREATE FUNCTION move_floor() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        UPDATE products SET stock_floor = stock_floor + OLD.quantity WHERE id = OLD.product_id;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        UPDATE products SET stock_floor = stock_floor - NEW.quantity WHERE id = NEW.product_id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER move_floor AFTER INSERT OR UPDATE OR DELETE ON deliveries
    FOR EACH ROW EXECUTE FUNCTION move_floor();

-- A delivery arrives, with as many units as were counted.
CREATE FUNCTION receive_delivery(delivery bigint, counted int) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    product bigint;
BEGIN
    DELETE FROM deliveries WHERE id = delivery RETURNING product_id INTO product;
    IF NOT FOUND THEN
        RAISE 'delivery % does not exist or has arrived', delivery;
    END IF;
    PERFORM products_stock.restock_item(product, counted, 'delivery ' || delivery);
END $$;

-- What is sold and cannot be shipped yet; not empty without deliveries: too few units arrived.
CREATE VIEW backorders AS
SELECT item_id AS product_id, -on_hand AS units FROM products_stock.levels WHERE on_hand < 0;
