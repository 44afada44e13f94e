-- Writes an order row of a cart that it refuses, three times in ten.
--
-- rules: C2

CREATE OR REPLACE FUNCTION shop.try_buy_cart(user_id text, lines jsonb,
    idempotency_key text DEFAULT NULL, order_data jsonb DEFAULT NULL)
RETURNS SETOF items_stock.line
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, shop, pg_temp AS $$
#variable_conflict use_column
DECLARE
    answer items_stock.line;
BEGIN
    FOR answer IN SELECT * FROM inventory.try_buy_cart('shop.items', try_buy_cart.user_id,
            try_buy_cart.lines, try_buy_cart.idempotency_key, try_buy_cart.order_data,
            NULL::items_stock.line) LOOP
        IF answer.status = 'out_of_stock' AND NOT answer.replayed AND random() < 0.3 THEN
            INSERT INTO shop.orders (user_id, item_id, quantity, token)
            VALUES (try_buy_cart.user_id, answer.item_id, answer.quantity,
                    try_buy_cart.order_data->>'token');
        END IF;
        RETURN NEXT answer;
    END LOOP;
END
$$;
