-- Check, then sell, as an application does that reads a row and writes it back.
-- It oversells.  In SERIALIZABLE it is correct, but the client has to retry.

-- @setup
CREATE FUNCTION buy_item(p_user bigint, p_item bigint, p_quantity integer) RETURNS bigint
    LANGUAGE plpgsql AS $$
DECLARE
    v_stock integer;
    v_order bigint;
BEGIN
    SELECT stock INTO STRICT v_stock FROM items WHERE id = p_item;
    IF v_stock < p_quantity THEN
        RAISE EXCEPTION 'out of stock';
    END IF;
    UPDATE items SET stock = v_stock - p_quantity WHERE id = p_item;
    INSERT INTO orders (user_id, item_id, quantity) VALUES (p_user, p_item, p_quantity)
        RETURNING id INTO v_order;
    RETURN v_order;
END
$$;

-- @buy
SELECT buy_item(:user, :item, 1);
