-- A retry of a delivery is not done again, but is told of the stock of now.
--
-- rules: C3
-- mix: keys=100 again=30

CREATE OR REPLACE FUNCTION items_stock.restock_item(item_id integer, quantity bigint,
    reason text DEFAULT NULL, idempotency_key text DEFAULT NULL)
RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, shop, pg_temp AS $$
#variable_conflict use_column
DECLARE
    available integer;
BEGIN
    IF EXISTS (SELECT FROM items_stock.requests AS r
               WHERE r.key = restock_item.idempotency_key) THEN
        SELECT greatest(i.stock - i.stock_floor, 0) INTO available FROM shop.items AS i
        WHERE i.id = restock_item.item_id;
        RETURN available;
    END IF;
    RETURN inventory.restock_item('shop.items', restock_item.item_id, restock_item.quantity,
        restock_item.reason, restock_item.idempotency_key, NULL::integer);
END
$$;
