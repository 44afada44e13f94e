-- Locks the rows of a cart in the order of its lines: two carts in opposite order deadlock.
--
-- rules: C0
-- mix: transactions=0

CREATE OR REPLACE FUNCTION shop.buy_cart(user_id text, lines jsonb,
    idempotency_key text DEFAULT NULL, order_data jsonb DEFAULT NULL)
RETURNS SETOF items_stock.line
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, shop, pg_temp AS $$
#variable_conflict use_column
DECLARE
    line jsonb;
BEGIN
    FOR line IN SELECT * FROM jsonb_array_elements(buy_cart.lines) LOOP
        PERFORM FROM shop.items AS i WHERE i.id = (line->>'item_id')::integer FOR NO KEY UPDATE;
        PERFORM pg_sleep(0.001);
    END LOOP;
    RETURN QUERY SELECT * FROM inventory.buy_cart('shop.items', buy_cart.user_id, buy_cart.lines,
        buy_cart.idempotency_key, buy_cart.order_data, NULL::items_stock.line);
END
$$;
