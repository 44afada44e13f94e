-- Sells a cart line by line, and when one is short the lines before stay sold.
--
-- rules: C2
-- mix: keys=0

CREATE OR REPLACE FUNCTION shop.try_buy_cart(user_id text, lines jsonb,
    idempotency_key text DEFAULT NULL, order_data jsonb DEFAULT NULL)
RETURNS SETOF items_stock.line
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, shop, pg_temp AS $$
#variable_conflict use_column
DECLARE
    line jsonb;
    answer items_stock.line;
BEGIN
    FOR line IN SELECT * FROM jsonb_array_elements(try_buy_cart.lines) LOOP
        SELECT * INTO answer FROM inventory.try_buy_cart('shop.items', try_buy_cart.user_id,
            jsonb_build_array(line), NULL, try_buy_cart.order_data, NULL::items_stock.line);
        RETURN NEXT answer;
    END LOOP;
END
$$;
