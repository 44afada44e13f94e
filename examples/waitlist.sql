-- A waitlist: units that come back go to the customers who wait, in their order.
--
-- A unit comes back by a restock, a refund, a released or an expired hold.  The transaction that
-- brings it back also reserves it for the head of the queue, so that no other buyer can be faster.
-- The first in the queue is served first: an entry that asks for more than there is blocks the
-- entries behind it.
--
-- For items that are not hot.  Hot items: call serve_waitlist every minute instead.

CREATE EXTENSION IF NOT EXISTS inventory;

CREATE TABLE products (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, stock int NOT NULL);
CREATE TABLE order_items (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id bigint NOT NULL,
    product_id bigint NOT NULL REFERENCES products,
    quantity int NOT NULL);
SELECT inventory.attach('products', 'order_items');

CREATE TABLE waitlist (
    waitlist_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    product_id bigint NOT NULL REFERENCES products,
    user_id bigint NOT NULL,
    quantity int NOT NULL DEFAULT 1 CHECK (quantity > 0),
    reservation_id uuid,            -- null: still waiting
    UNIQUE (product_id, user_id));
CREATE INDEX ON waitlist (product_id, waitlist_id) WHERE reservation_id IS NULL;

-- Reserves what there is for those who wait, the first first.
CREATE FUNCTION serve_waitlist(product bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    entry waitlist;
    answer record;
BEGIN
    FOR entry IN
        SELECT * FROM waitlist WHERE product_id = product AND reservation_id IS NULL
        ORDER BY waitlist_id FOR UPDATE
    LOOP
        SELECT * INTO answer FROM try_reserve_cart(entry.user_id,
            jsonb_build_array(jsonb_build_object('item_id', product, 'quantity', entry.quantity)), '30 minutes');
        EXIT WHEN answer.status <> 'ok';
        UPDATE waitlist SET reservation_id = answer.reservation_id WHERE waitlist_id = entry.waitlist_id;
        PERFORM pg_notify('waitlist', entry.waitlist_id::text);     -- tell the customer
    END LOOP;
END $$;

-- Every change of stock is a row of movements.
CREATE FUNCTION stock_came_back() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM serve_waitlist(NEW.item_id);
    RETURN NULL;
END $$;
CREATE TRIGGER serve_waitlist AFTER INSERT ON products_stock.movements
    FOR EACH ROW WHEN (NEW.delta > 0) EXECUTE FUNCTION stock_came_back();

-- A customer joins the queue.  The lock makes transactions that bring units back wait for this one or
-- this one for them, so that none of them overlooks the new entry.
CREATE FUNCTION join_waitlist(customer bigint, product bigint, units int DEFAULT 1) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM products WHERE id = product FOR NO KEY UPDATE;
    INSERT INTO waitlist (product_id, user_id, quantity) VALUES (product, customer, units);
    PERFORM serve_waitlist(product);
END $$;

-- The customer pays:      SELECT * FROM confirm_reservation(reservation_id) …
-- The customer gives up:  SELECT release_reservation(reservation_id) …, and the next one is served.
