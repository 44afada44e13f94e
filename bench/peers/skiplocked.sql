-- The stock of an item is split over 16 rows.  A buyer takes from a row that is not
-- locked.  If there is none with enough units, the buyer locks all rows and takes
-- from them together.

-- @setup
CREATE TABLE stripes (
    item_id  bigint NOT NULL,
    stripe   integer NOT NULL,
    stock    integer NOT NULL,
    PRIMARY KEY (item_id, stripe)
);
INSERT INTO stripes
SELECT id, s, stock / 16 + CASE WHEN s <= stock % 16 THEN 1 ELSE 0 END
FROM items, generate_series(1, 16) AS s;

CREATE FUNCTION buy_item(p_user bigint, p_item bigint, p_quantity integer) RETURNS bigint
    LANGUAGE plpgsql AS $$
DECLARE
    v_stripe stripes;
    v_left integer := p_quantity;
    v_order bigint;
BEGIN
    SELECT * INTO v_stripe FROM stripes WHERE item_id = p_item AND stock >= p_quantity
        LIMIT 1 FOR UPDATE SKIP LOCKED;
    IF FOUND THEN
        UPDATE stripes SET stock = stock - p_quantity
            WHERE item_id = p_item AND stripe = v_stripe.stripe;
    ELSE
        FOR v_stripe IN
            SELECT * FROM stripes WHERE item_id = p_item ORDER BY stripe FOR UPDATE
        LOOP
            UPDATE stripes SET stock = stock - least(stock, v_left)
                WHERE item_id = p_item AND stripe = v_stripe.stripe AND stock > 0;
            v_left := v_left - least(v_stripe.stock, v_left);
            EXIT WHEN v_left = 0;
        END LOOP;
        IF v_left > 0 THEN
            RAISE EXCEPTION 'out of stock';
        END IF;
    END IF;
    INSERT INTO orders (user_id, item_id, quantity) VALUES (p_user, p_item, p_quantity)
        RETURNING id INTO v_order;
    RETURN v_order;
END
$$;

-- @buy
SELECT buy_item(:user, :item, 1);
