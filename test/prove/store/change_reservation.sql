-- Changes what a reservation holds: the function that attach() makes, its answer in a variable.

CREATE OR REPLACE FUNCTION shop.change_reservation(reservation_id uuid, item_id integer,
    quantity bigint, user_id text DEFAULT NULL)
RETURNS timestamptz LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, shop, pg_temp
AS $$
DECLARE
    until timestamptz;
BEGIN
    until := inventory.change_reservation('shop.items', change_reservation.reservation_id,
        change_reservation.item_id, change_reservation.quantity, change_reservation.user_id);
    RETURN until;
END
$$;
