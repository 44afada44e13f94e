-- A correction that the floor forbids is made all the same, and booked.
--
-- rules: C4
-- mix: all=0 buy_item=3 adjust_stock=2 restock_item=1 keys=0

CREATE OR REPLACE FUNCTION items_stock.adjust_stock(item_id integer, delta bigint, reason text,
    expected bigint DEFAULT NULL, kind text DEFAULT 'adjustment',
    idempotency_key text DEFAULT NULL)
RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, shop, pg_temp
SET session_replication_role = replica AS $$
#variable_conflict use_column
DECLARE
    left_over integer;
BEGIN
    RETURN inventory.adjust_stock('shop.items', adjust_stock.item_id, adjust_stock.delta,
        adjust_stock.reason, adjust_stock.expected, adjust_stock.kind, adjust_stock.idempotency_key,
        NULL::integer);
EXCEPTION WHEN SQLSTATE 'IV001' THEN
    UPDATE shop.items AS i SET stock = i.stock + adjust_stock.delta
    WHERE i.id = adjust_stock.item_id
    RETURNING greatest(i.stock - i.stock_floor, 0) INTO left_over;
    INSERT INTO items_stock.movements (item_id, delta, kind, reason, actor, created_at)
    VALUES (adjust_stock.item_id, adjust_stock.delta, 'adjustment', adjust_stock.reason,
            current_user, clock_timestamp());
    RETURN left_over;
END
$$;
