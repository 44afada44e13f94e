-- Gives back what overdue reservations hold: the function that attach() makes, its answer in a
-- variable.

CREATE OR REPLACE FUNCTION items_stock.expire_reservations(max_rows integer DEFAULT 1000)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, shop, pg_temp
AS $$
DECLARE
    expired bigint;
BEGIN
    expired := inventory.expire_reservations('shop.items', expire_reservations.max_rows);
    RETURN expired;
END
$$;
