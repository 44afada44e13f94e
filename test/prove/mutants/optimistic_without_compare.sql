-- Reads the version and raises it, but never compares it: two buyers of one version both win.
--
-- rules: C1 C4
-- mix: keys=0

CREATE OR REPLACE FUNCTION shop.buy_item(user_id text, item_id integer, quantity bigint DEFAULT 1,
    idempotency_key text DEFAULT NULL, order_data jsonb DEFAULT NULL)
RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, shop, pg_temp
SET session_replication_role = replica AS $$
#variable_conflict use_column
DECLARE
    seen shop.items;
    made uuid := gen_random_uuid();
BEGIN
    SELECT * INTO seen FROM shop.items AS i WHERE i.id = buy_item.item_id;
    IF seen.purchase_limit IS NOT NULL THEN
        RETURN inventory.buy_item('shop.items', buy_item.user_id, buy_item.item_id,
            buy_item.quantity, buy_item.idempotency_key, buy_item.order_data, NULL::uuid);
    END IF;
    IF seen.stock - buy_item.quantity < seen.stock_floor THEN
        RAISE EXCEPTION 'out_of_stock' USING ERRCODE = 'IV001';
    END IF;
    UPDATE shop.items AS i SET stock = seen.stock - buy_item.quantity, version = seen.version + 1
    WHERE i.id = buy_item.item_id;
    INSERT INTO shop.orders (id, user_id, item_id, quantity, token)
    VALUES (made, buy_item.user_id, buy_item.item_id, buy_item.quantity,
            buy_item.order_data->>'token');
    INSERT INTO items_stock.movements (item_id, delta, kind, user_id, order_id, actor, created_at)
    VALUES (buy_item.item_id, -buy_item.quantity, 'sale', buy_item.user_id, made, current_user,
            clock_timestamp());
    RETURN made;
END
$$;
