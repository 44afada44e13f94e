-- Sums the refunds of an order before it locks anything: two at the same time both find something
-- left.
--
-- rules: C7
-- mix: all=0 buy_item=2 restock_item=1 refund_order=4 keys=0

CREATE OR REPLACE FUNCTION items_stock.refund_order(order_id uuid, quantity bigint DEFAULT NULL,
    restock boolean DEFAULT true, reason text DEFAULT NULL,
    idempotency_key text DEFAULT NULL)
RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, shop, pg_temp
SET session_replication_role = replica AS $$
#variable_conflict use_column
DECLARE
    bought shop.orders;
    refunded bigint;
    units bigint;
BEGIN
    SELECT * INTO bought FROM shop.orders AS o WHERE o.id = refund_order.order_id;
    SELECT coalesce(sum(m.delta), 0) INTO refunded FROM items_stock.movements AS m
    WHERE m.order_id = refund_order.order_id AND m.kind = 'refund';
    units := coalesce(refund_order.quantity, bought.quantity - refunded);
    IF units < 1 OR refunded + units > bought.quantity THEN
        RAISE EXCEPTION 'refund_exceeds_order' USING ERRCODE = 'IV008';
    END IF;
    PERFORM pg_sleep(0.02);
    UPDATE shop.items AS i SET stock = i.stock + units
    WHERE i.id = bought.item_id AND refund_order.restock;
    INSERT INTO items_stock.movements (item_id, delta, kind, user_id, order_id, reason, actor,
        created_at)
    VALUES (bought.item_id, units, 'refund', bought.user_id, bought.id, refund_order.reason,
            current_user, clock_timestamp());
    IF NOT refund_order.restock THEN
        INSERT INTO items_stock.movements (item_id, delta, kind, order_id, reason, actor,
            created_at)
        VALUES (bought.item_id, -units, 'write_off', bought.id, refund_order.reason, current_user,
                clock_timestamp());
    END IF;
    RETURN refunded + units;
END
$$;
