-- Sells one item without the engine: locks the row, compares, and writes stock, order and movement.
--
-- Items with a purchase limit, and sales that must be refused, are left to the engine.  With
-- session_replication_role = replica the guard books nothing, so that each sale is booked once.

CREATE OR REPLACE FUNCTION shop.buy_item(user_id text, item_id integer, quantity bigint DEFAULT 1,
    idempotency_key text DEFAULT NULL, order_data jsonb DEFAULT NULL)
RETURNS uuid LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, shop, pg_temp
SET session_replication_role = replica AS $$
DECLARE
    item shop.items;
    made uuid := gen_random_uuid();
BEGIN
    SELECT * INTO item FROM shop.items AS i
    WHERE i.id = buy_item.item_id AND i.purchase_limit IS NULL
    FOR NO KEY UPDATE;
    IF item.id IS NULL OR item.stock - buy_item.quantity < item.stock_floor THEN
        RETURN inventory.buy_item('shop.items', buy_item.user_id, buy_item.item_id,
            buy_item.quantity, buy_item.idempotency_key, buy_item.order_data, NULL::uuid);
    END IF;
    UPDATE shop.items AS i SET stock = i.stock - buy_item.quantity
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
