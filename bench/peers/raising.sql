-- The limit of a refusal: a function that only raises the same error.

-- @setup
CREATE FUNCTION buy_item(p_user bigint, p_item bigint, p_quantity integer) RETURNS bigint
    LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'out_of_stock' USING ERRCODE = 'IV001',
        DETAIL = format('Item "%s": %s asked for, 0 available.', p_item, p_quantity),
        HINT = 'Ask for less, or try again after a restock.';
END
$$;

-- @buy
SELECT buy_item(:user, :item, 1);
