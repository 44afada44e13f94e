-- Sums what a user has before it locks anything: two purchases of one user at the same time both
-- find room.
--
-- rules: C4
-- mix: all=0 buy_item=1 restock_item=1 keys=0

CREATE OR REPLACE FUNCTION shop.buy_item(user_id text, item_id integer, quantity bigint DEFAULT 1,
    idempotency_key text DEFAULT NULL, order_data jsonb DEFAULT NULL)
RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, shop, pg_temp
SET session_replication_role = replica AS $$
#variable_conflict use_column
DECLARE
    seen shop.items;
    made uuid := gen_random_uuid();
    used bigint;
BEGIN
    SELECT * INTO seen FROM shop.items AS i WHERE i.id = buy_item.item_id;
    SELECT -coalesce(sum(m.delta), 0) INTO used FROM items_stock.movements AS m
    WHERE m.item_id = buy_item.item_id AND m.user_id = buy_item.user_id;
    IF used + buy_item.quantity > seen.purchase_limit THEN
        RAISE EXCEPTION 'purchase_limit_exceeded' USING ERRCODE = 'IV010';
    END IF;
    IF seen.purchase_limit IS NOT NULL THEN
        PERFORM pg_sleep(0.15);
    END IF;
    UPDATE shop.items AS i SET stock = i.stock - buy_item.quantity
    WHERE i.id = buy_item.item_id AND i.stock - buy_item.quantity >= i.stock_floor;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'out_of_stock' USING ERRCODE = 'IV001';
    END IF;
    INSERT INTO shop.orders (id, user_id, item_id, quantity, token)
    VALUES (made, buy_item.user_id, buy_item.item_id, buy_item.quantity,
            buy_item.order_data->>'token');
    INSERT INTO items_stock.movements (item_id, delta, kind, user_id, order_id, actor, created_at)
    VALUES (buy_item.item_id, -buy_item.quantity, 'sale', buy_item.user_id, made, current_user,
            clock_timestamp());
    RETURN made;
END
$$;
