-- Refunds more than was bought, if it is asked to.
--
-- rules: C7
-- mix: keys=0

CREATE OR REPLACE FUNCTION items_stock.refund_order(order_id uuid, quantity bigint DEFAULT NULL,
    restock boolean DEFAULT true, reason text DEFAULT NULL,
    idempotency_key text DEFAULT NULL)
RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, shop, pg_temp
SET session_replication_role = replica AS $$
#variable_conflict use_column
DECLARE
    refunded integer;
BEGIN
    RETURN inventory.refund_order('shop.items', refund_order.order_id, refund_order.quantity,
        refund_order.restock, refund_order.reason, refund_order.idempotency_key, NULL::integer);
EXCEPTION WHEN SQLSTATE 'IV008' THEN
    UPDATE shop.items AS i SET stock = i.stock + 1 FROM shop.orders AS o
    WHERE refund_order.restock AND i.id = o.item_id AND o.id = refund_order.order_id;
    INSERT INTO items_stock.movements (item_id, delta, kind, user_id, order_id, reason, actor,
        created_at)
    SELECT o.item_id, k.delta, k.kind, o.user_id, o.id, refund_order.reason, current_user,
        clock_timestamp()
    FROM shop.orders AS o, (VALUES (1, 'refund'), (-1, 'write_off')) AS k (delta, kind)
    WHERE o.id = refund_order.order_id AND (k.kind = 'refund' OR NOT refund_order.restock);
    SELECT sum(m.delta) INTO refunded FROM items_stock.movements AS m
    WHERE m.order_id = refund_order.order_id AND m.kind = 'refund';
    RETURN refunded;
END
$$;
