-- Refunds an order: the function that attach() makes, its answer in a variable.

CREATE OR REPLACE FUNCTION items_stock.refund_order(order_id uuid, quantity bigint DEFAULT NULL,
    restock boolean DEFAULT true, reason text DEFAULT NULL, idempotency_key text DEFAULT NULL)
RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, shop, pg_temp
AS $$
DECLARE
    refunded bigint;
BEGIN
    refunded := inventory.refund_order('shop.items', refund_order.order_id, refund_order.quantity,
        refund_order.restock, refund_order.reason, refund_order.idempotency_key, NULL::integer);
    RETURN refunded;
END
$$;
