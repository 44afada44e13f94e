-- Once in twenty times a purchase is done twice, each with stock and movement.
--
-- rules: C2 C3

CREATE OR REPLACE FUNCTION shop.buy_item(user_id text, item_id integer, quantity bigint DEFAULT 1,
    idempotency_key text DEFAULT NULL, order_data jsonb DEFAULT NULL)
RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, shop, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF random() < 0.05 THEN
        PERFORM inventory.buy_item('shop.items', buy_item.user_id, buy_item.item_id,
        buy_item.quantity, NULL, buy_item.order_data, NULL::uuid);
    END IF;
    RETURN inventory.buy_item('shop.items', buy_item.user_id, buy_item.item_id,
        buy_item.quantity, buy_item.idempotency_key, buy_item.order_data, NULL::uuid);
END
$$;
