-- Adds a delivery to the stock: the function that attach() makes, its answer in a variable.

CREATE OR REPLACE FUNCTION items_stock.restock_item(item_id integer, quantity bigint,
    reason text DEFAULT NULL, idempotency_key text DEFAULT NULL)
RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, shop, pg_temp
AS $$
DECLARE
    available integer;
BEGIN
    available := inventory.restock_item('shop.items', restock_item.item_id, restock_item.quantity,
        restock_item.reason, restock_item.idempotency_key, NULL::integer);
    RETURN available;
END
$$;
