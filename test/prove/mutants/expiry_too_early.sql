-- Holds expire a second before their time.
--
-- rules: C7
-- mix: all=0 reserve_stock=3 extend_reservation=3 restock_item=1 expire_reservations=1

CREATE OR REPLACE FUNCTION items_stock.expire_reservations(max_rows integer DEFAULT 1000)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, shop, pg_temp AS $$
#variable_conflict use_column
BEGIN
    UPDATE items_stock.reservations AS r SET expires_at = clock_timestamp()
    WHERE r.status = 'held'
    AND r.expires_at BETWEEN clock_timestamp() AND clock_timestamp() + interval '1 s';
    RETURN inventory.expire_reservations('shop.items', expire_reservations.max_rows);
END
$$;
