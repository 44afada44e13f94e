-- Keeps keys without their last character, and whoever comes later with such a key gets the order
-- of the first.
--
-- rules: C2 C3
-- mix: keys=100 again=30

CREATE OR REPLACE FUNCTION shop.buy_item(user_id text, item_id integer, quantity bigint DEFAULT 1,
    idempotency_key text DEFAULT NULL, order_data jsonb DEFAULT NULL)
RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, shop, pg_temp AS $$
#variable_conflict use_column
DECLARE
    kept jsonb;
BEGIN
    SELECT r.result INTO kept FROM items_stock.requests AS r
    WHERE r.operation = 'buy_item' AND r.key ^@ left(buy_item.idempotency_key, -1) LIMIT 1;
    IF kept IS NOT NULL THEN
        RETURN kept #>> '{}';
    END IF;
    RETURN inventory.buy_item('shop.items', buy_item.user_id, buy_item.item_id,
        buy_item.quantity, buy_item.idempotency_key, buy_item.order_data, NULL::uuid);
END
$$;
