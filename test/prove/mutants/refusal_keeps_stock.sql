-- A cart that is refused keeps a unit of its first line, with a movement and without an order.
--
-- rules: C1
-- mix: transactions=0

CREATE OR REPLACE FUNCTION shop.try_buy_cart(user_id text, lines jsonb,
    idempotency_key text DEFAULT NULL, order_data jsonb DEFAULT NULL)
RETURNS SETOF items_stock.line
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, shop, pg_temp
SET session_replication_role = replica AS $$
#variable_conflict use_column
DECLARE
    answer items_stock.line;
    first boolean := true;
BEGIN
    FOR answer IN SELECT * FROM inventory.try_buy_cart('shop.items', try_buy_cart.user_id,
            try_buy_cart.lines, try_buy_cart.idempotency_key, try_buy_cart.order_data,
            NULL::items_stock.line) LOOP
        IF first AND answer.status = 'not_taken' AND NOT answer.replayed THEN
            UPDATE shop.items AS i SET stock = i.stock - 1 WHERE i.id = answer.item_id;
            INSERT INTO items_stock.movements (item_id, delta, kind, actor, created_at)
            VALUES (answer.item_id, -1, 'sale', current_user, clock_timestamp());
        END IF;
        first := false;
        RETURN NEXT answer;
    END LOOP;
END
$$;
