-- Overdue holds expire, and their units never come back.
--
-- rules: C1 C7

CREATE OR REPLACE FUNCTION items_stock.expire_reservations(max_rows integer DEFAULT 1000)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, shop, pg_temp AS $$
#variable_conflict use_column
DECLARE
    lines bigint;
BEGIN
    UPDATE items_stock.reservations AS r SET status = 'expired'
    WHERE r.status = 'held' AND r.expires_at <= clock_timestamp();
    GET DIAGNOSTICS lines = ROW_COUNT;
    RETURN lines;
END
$$;
