-- Lets a reservation last longer: the function that attach() makes, its answer in a variable.

CREATE OR REPLACE FUNCTION shop.extend_reservation(reservation_id uuid, ttl interval DEFAULT NULL,
    user_id text DEFAULT NULL)
RETURNS timestamptz LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, shop, pg_temp
AS $$
DECLARE
    until timestamptz;
BEGIN
    until := inventory.extend_reservation('shop.items', extend_reservation.reservation_id,
        extend_reservation.ttl, extend_reservation.user_id);
    RETURN until;
END
$$;
