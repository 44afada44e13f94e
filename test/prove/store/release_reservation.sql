-- Gives back what a reservation holds: the function that attach() makes, its answer in a
-- variable.

CREATE OR REPLACE FUNCTION shop.release_reservation(reservation_id uuid, user_id text DEFAULT NULL)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, shop, pg_temp
AS $$
DECLARE
    released boolean;
BEGIN
    released := inventory.release_reservation('shop.items', release_reservation.reservation_id,
        release_reservation.user_id);
    RETURN released;
END
$$;
