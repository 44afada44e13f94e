-- Sells a cart or says why not: the function that attach() makes, answering line by line.

CREATE OR REPLACE FUNCTION shop.try_buy_cart(user_id text, lines jsonb,
    idempotency_key text DEFAULT NULL, order_data jsonb DEFAULT NULL)
RETURNS SETOF items_stock.line LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, shop, pg_temp
AS $$
DECLARE
    answer items_stock.line;
BEGIN
    FOR answer IN SELECT * FROM inventory.try_buy_cart('shop.items', try_buy_cart.user_id,
        try_buy_cart.lines, try_buy_cart.idempotency_key, try_buy_cart.order_data,
        NULL::items_stock.line)
    LOOP
        RETURN NEXT answer;
    END LOOP;
END
$$;
