-- Sells a cart: the function that attach() makes.

CREATE OR REPLACE FUNCTION shop.buy_cart(user_id text, lines jsonb,
    idempotency_key text DEFAULT NULL, order_data jsonb DEFAULT NULL)
RETURNS SETOF items_stock.line LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, shop, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT * FROM inventory.buy_cart('shop.items', buy_cart.user_id,
        buy_cart.lines,
        buy_cart.idempotency_key, buy_cart.order_data, NULL::items_stock.line);
END
$$;
