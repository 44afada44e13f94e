-- Extends a hold that is dead.
--
-- rules: C7
-- mix: all=0 reserve_stock=3 extend_reservation=3 restock_item=1 expire_reservations=1

CREATE OR REPLACE FUNCTION shop.extend_reservation(reservation_id uuid, ttl interval DEFAULT NULL,
    user_id text DEFAULT NULL)
RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, shop, pg_temp AS $$
#variable_conflict use_column
DECLARE
    until timestamptz;
BEGIN
    RETURN inventory.extend_reservation('shop.items', extend_reservation.reservation_id,
        extend_reservation.ttl, extend_reservation.user_id);
EXCEPTION WHEN SQLSTATE 'IV005' THEN
    UPDATE items_stock.reservations AS r SET expires_at = clock_timestamp() + interval '1 min'
    WHERE r.reservation_id = extend_reservation.reservation_id AND r.status = 'held'
    RETURNING r.expires_at INTO until;
    RETURN until;
END
$$;
