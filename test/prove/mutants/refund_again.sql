-- A refund that is tried again with its key is paid again.
--
-- rules: C2 C3 C7
-- mix: keys=100 again=30

CREATE OR REPLACE FUNCTION items_stock.refund_order(order_id uuid, quantity bigint DEFAULT NULL,
    restock boolean DEFAULT true, reason text DEFAULT NULL,
    idempotency_key text DEFAULT NULL)
RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, shop, pg_temp
SET session_replication_role = replica AS $$
#variable_conflict use_column
DECLARE
    again boolean := EXISTS (SELECT FROM items_stock.requests AS r
                             WHERE r.key = refund_order.idempotency_key);
    refunded integer;
BEGIN
    refunded := inventory.refund_order('shop.items', refund_order.order_id, refund_order.quantity,
        refund_order.restock, refund_order.reason, refund_order.idempotency_key, NULL::integer);
    IF again THEN
        UPDATE shop.items AS i SET stock = i.stock + refunded FROM shop.orders AS o
        WHERE i.id = o.item_id AND o.id = refund_order.order_id;
        INSERT INTO items_stock.movements (item_id, delta, kind, user_id, order_id, reason, actor,
        created_at)
        SELECT o.item_id, refunded, 'refund', o.user_id, o.id, refund_order.reason, current_user,
            clock_timestamp()
        FROM shop.orders AS o WHERE o.id = refund_order.order_id;
    END IF;
    RETURN refunded;
END
$$;
