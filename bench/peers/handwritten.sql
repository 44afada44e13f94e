-- A correct hand-written function: lock the row, check, sell.  No ledger.

-- @setup
CREATE FUNCTION buy_item(p_user bigint, p_item bigint, p_quantity integer) RETURNS bigint
    LANGUAGE plpgsql AS $$
DECLARE
    v_stock integer;
    v_order bigint;
BEGIN
    SELECT stock INTO v_stock FROM items WHERE id = p_item FOR UPDATE;
    IF NOT FOUND THEN
        RAISE no_data_found;
    END IF;
    IF v_stock < p_quantity THEN
        RAISE EXCEPTION 'out of stock';
    END IF;
    UPDATE items SET stock = stock - p_quantity WHERE id = p_item AND stock >= p_quantity;
    INSERT INTO orders (user_id, item_id, quantity) VALUES (p_user, p_item, p_quantity)
        RETURNING id INTO v_order;
    RETURN v_order;
END
$$;

CREATE TABLE holds (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id     bigint NOT NULL,
    item_id     bigint NOT NULL,
    quantity    integer NOT NULL,
    status      text NOT NULL DEFAULT 'held',
    expires_at  timestamptz NOT NULL DEFAULT now() + interval '15 minutes'
);
CREATE INDEX ON holds (expires_at) WHERE status = 'held';

CREATE FUNCTION reserve(p_user bigint, p_item bigint, p_quantity integer) RETURNS uuid
    LANGUAGE plpgsql AS $$
DECLARE
    v_stock integer;
    v_hold uuid;
BEGIN
    SELECT stock INTO v_stock FROM items WHERE id = p_item FOR UPDATE;
    IF v_stock < p_quantity THEN
        RAISE EXCEPTION 'out of stock';
    END IF;
    UPDATE items SET stock = stock - p_quantity WHERE id = p_item;
    INSERT INTO holds (user_id, item_id, quantity) VALUES (p_user, p_item, p_quantity)
        RETURNING id INTO v_hold;
    RETURN v_hold;
END
$$;

CREATE FUNCTION confirm(p_hold uuid) RETURNS bigint
    LANGUAGE plpgsql AS $$
DECLARE
    v_hold holds;
    v_order bigint;
BEGIN
    UPDATE holds SET status = 'confirmed'
        WHERE id = p_hold AND status = 'held' AND expires_at > now()
        RETURNING * INTO v_hold;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the hold has expired';
    END IF;
    INSERT INTO orders (user_id, item_id, quantity)
        VALUES (v_hold.user_id, v_hold.item_id, v_hold.quantity)
        RETURNING id INTO v_order;
    RETURN v_order;
END
$$;

CREATE TABLE refunds (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id    bigint NOT NULL,
    quantity    integer NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON refunds (order_id);

CREATE FUNCTION refund(p_order bigint) RETURNS integer
    LANGUAGE plpgsql AS $$
DECLARE
    v_order orders;
    v_left integer;
BEGIN
    SELECT * INTO STRICT v_order FROM orders WHERE id = p_order FOR UPDATE;
    SELECT v_order.quantity - coalesce(sum(quantity), 0) INTO v_left
        FROM refunds WHERE order_id = p_order;
    IF v_left = 0 THEN
        RAISE EXCEPTION 'refunded already';
    END IF;
    UPDATE items SET stock = stock + v_left WHERE id = v_order.item_id;
    INSERT INTO refunds (order_id, quantity) VALUES (p_order, v_left);
    RETURN v_left;
END
$$;

-- with an idempotency key: the first call keeps its order, a repetition returns it
CREATE TABLE requests (
    user_id   bigint NOT NULL,
    key       text NOT NULL,
    order_id  bigint NOT NULL,
    PRIMARY KEY (user_id, key)
);

CREATE FUNCTION buy_item_once(p_user bigint, p_item bigint, p_quantity integer, p_key text) RETURNS bigint
    LANGUAGE plpgsql AS $$
DECLARE
    v_order bigint;
BEGIN
    SELECT order_id INTO v_order FROM requests WHERE user_id = p_user AND key = p_key;
    IF FOUND THEN
        RETURN v_order;
    END IF;
    v_order := buy_item(p_user, p_item, p_quantity);
    INSERT INTO requests VALUES (p_user, p_key, v_order);
    RETURN v_order;
END
$$;

-- @buy
SELECT buy_item(:user, :item, 1);

-- ten calls in one transaction, each of them a round trip
-- @cart
BEGIN;
\each SELECT buy_item(:user, :item, 1);
COMMIT;

-- the same calls in one statement
-- @cart_statement
SELECT buy_item(:user, i, 1) FROM unnest(:items::bigint[]) AS i;

-- @key
SELECT buy_item_once(:user, :item, 1, 'key ' || :next);

-- @reserve
SELECT reserve(:user, :item, 1);

-- @hold
SELECT reserve(:user, :item, 1);
SELECT confirm(:last::uuid);

-- @refund
SELECT refund(:next);
