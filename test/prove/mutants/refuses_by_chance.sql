-- Says out of stock once in a hundred times, though there is enough.
--
-- rules: C5
-- mix: all=0 buy_item=3 restock_item=1 keys=0

CREATE OR REPLACE FUNCTION shop.buy_item(user_id text, item_id integer, quantity bigint DEFAULT 1,
    idempotency_key text DEFAULT NULL, order_data jsonb DEFAULT NULL)
RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, shop, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF random() < 0.01 THEN
        RAISE EXCEPTION 'out_of_stock' USING ERRCODE = 'IV001';
    END IF;
    RETURN inventory.buy_item('shop.items', buy_item.user_id, buy_item.item_id,
        buy_item.quantity, buy_item.idempotency_key, buy_item.order_data, NULL::uuid);
END
$$;
