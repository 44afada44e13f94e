-- Refuses while the units are in holds that are overdue: nobody gives them back before the worker
-- comes.
--
-- rules: C5
-- mix: all=0 buy_item=3 reserve_stock=3 restock_item=1 keys=0

CREATE OR REPLACE FUNCTION shop.buy_item(user_id text, item_id integer, quantity bigint DEFAULT 1,
    idempotency_key text DEFAULT NULL, order_data jsonb DEFAULT NULL)
RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, shop, pg_temp AS $$
#variable_conflict use_column
DECLARE
    above bigint;
BEGIN
    SELECT i.stock - i.stock_floor INTO above FROM shop.items AS i WHERE i.id = buy_item.item_id;
    IF above < buy_item.quantity THEN
        RAISE EXCEPTION 'out_of_stock' USING ERRCODE = 'IV001';
    END IF;
    RETURN inventory.buy_item('shop.items', buy_item.user_id, buy_item.item_id,
        buy_item.quantity, buy_item.idempotency_key, buy_item.order_data, NULL::uuid);
END
$$;
