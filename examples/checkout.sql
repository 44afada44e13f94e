-- Checkout: a hold for each cart, and a payment that arrives late, or whose message arrives twice.

CREATE EXTENSION IF NOT EXISTS inventory;

CREATE TABLE products (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, stock int NOT NULL);
CREATE TABLE order_items (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id bigint NOT NULL,
    product_id bigint NOT NULL REFERENCES products,
    quantity int NOT NULL);
SELECT inventory.attach('products', 'order_items');

CREATE TABLE carts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id bigint NOT NULL,
    reservation_id uuid,
    payment_id text);
CREATE TABLE cart_lines (
    cart_id bigint NOT NULL REFERENCES carts,
    product_id bigint NOT NULL REFERENCES products,
    quantity int NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (cart_id, product_id));

CREATE FUNCTION lines_of(cart bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_agg(jsonb_build_object('item_id', product_id, 'quantity', quantity) ORDER BY product_id)
    FROM cart_lines WHERE cart_id = cart
$$;

-- The customer goes to the payment page, perhaps again.  The cart remembers its hold: while it lasts
-- it is the answer, and when it has ended the cart is held again.
CREATE FUNCTION hold_cart(cart bigint) RETURNS TABLE (status text, expires_at timestamptz, short_lines jsonb)
LANGUAGE plpgsql AS $$
DECLARE
    c carts;
    answer record;
BEGIN
    SELECT * INTO STRICT c FROM carts WHERE id = cart FOR UPDATE;
    SELECT 'ok', h.expires_at INTO status, expires_at FROM my_reservations(c.user_id) AS h
    WHERE h.reservation_id = c.reservation_id LIMIT 1;
    IF NOT FOUND THEN
        SELECT * INTO answer FROM try_reserve_cart(c.user_id, lines_of(cart), '15 minutes');
        UPDATE carts SET reservation_id = answer.reservation_id WHERE id = cart;
        status := answer.status; expires_at := answer.expires_at; short_lines := answer.short_lines;
    END IF;
    RETURN NEXT;
END $$;

-- The provider's webhook.  Returns ok, or why the payment must be refunded.  The same message again gets
-- the same answer: a confirmed hold stays confirmed, and the cart's sale has the payment as its key, so
-- that a refusal is kept as well.
CREATE FUNCTION payment_received(payment text, cart bigint) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    c carts;
BEGIN
    SELECT * INTO STRICT c FROM carts WHERE id = cart FOR UPDATE;
    IF c.payment_id <> payment THEN
        RETURN 'paid_already';
    END IF;
    UPDATE carts SET payment_id = payment WHERE id = cart;
    BEGIN
        PERFORM confirm_reservation(c.reservation_id, c.user_id);
        RETURN 'ok';
    EXCEPTION WHEN OTHERS THEN
        IF SQLERRM NOT IN ('reservation_expired', 'reservation_released') THEN
            RAISE;
        END IF;
    END;
    -- Too late: sell the cart now, if it is still there.
    RETURN (SELECT min(b.status) FILTER (WHERE b.status <> 'not_taken')
        FROM try_buy_cart(c.user_id, lines_of(cart), payment) AS b);
END $$;
