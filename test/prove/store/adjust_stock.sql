-- Corrects a stock: the function that attach() makes, its answer in a variable.

CREATE OR REPLACE FUNCTION items_stock.adjust_stock(item_id integer, delta bigint, reason text,
    expected bigint DEFAULT NULL, kind text DEFAULT 'adjustment',
    idempotency_key text DEFAULT NULL)
RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, shop, pg_temp
AS $$
DECLARE
    available integer;
BEGIN
    available := inventory.adjust_stock('shop.items', adjust_stock.item_id, adjust_stock.delta,
        adjust_stock.reason, adjust_stock.expected, adjust_stock.kind, adjust_stock.idempotency_key,
        NULL::integer);
    RETURN available;
END
$$;
