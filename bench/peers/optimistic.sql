-- Read stock and version, write if the version is unchanged, otherwise read again.

-- @setup
ALTER TABLE items ADD version integer NOT NULL DEFAULT 0;

CREATE FUNCTION buy_item(p_user bigint, p_item bigint, p_quantity integer) RETURNS bigint
    LANGUAGE plpgsql AS $$
DECLARE
    v_item items;
    v_order bigint;
BEGIN
    LOOP
        SELECT * INTO STRICT v_item FROM items WHERE id = p_item;
        IF v_item.stock < p_quantity THEN
            RAISE EXCEPTION 'out of stock';
        END IF;
        UPDATE items SET stock = stock - p_quantity, version = version + 1
            WHERE id = p_item AND version = v_item.version;
        EXIT WHEN FOUND;
    END LOOP;
    INSERT INTO orders (user_id, item_id, quantity) VALUES (p_user, p_item, p_quantity)
        RETURNING id INTO v_order;
    RETURN v_order;
END
$$;

-- @buy
SELECT buy_item(:user, :item, 1);
