-- Refuses what comes within three units of the limit.
--
-- rules: C5
-- mix: all=0 buy_item=1 restock_item=1 keys=0

CREATE OR REPLACE FUNCTION shop.buy_item(user_id text, item_id integer, quantity bigint DEFAULT 1,
    idempotency_key text DEFAULT NULL, order_data jsonb DEFAULT NULL)
RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, shop, pg_temp AS $$
#variable_conflict use_column
DECLARE
    used bigint;
    most bigint;
BEGIN
    SELECT i.purchase_limit INTO most FROM shop.items AS i WHERE i.id = buy_item.item_id;
    SELECT -coalesce(sum(m.delta), 0) INTO used FROM items_stock.movements AS m
    WHERE m.item_id = buy_item.item_id AND m.user_id = buy_item.user_id;
    IF used + buy_item.quantity > most - 3 THEN
        RAISE EXCEPTION 'purchase_limit_exceeded' USING ERRCODE = 'IV010';
    END IF;
    RETURN inventory.buy_item('shop.items', buy_item.user_id, buy_item.item_id,
        buy_item.quantity, buy_item.idempotency_key, buy_item.order_data, NULL::uuid);
END
$$;
