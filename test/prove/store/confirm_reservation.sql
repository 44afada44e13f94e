-- Turns a reservation into orders: the function that attach() makes, answering line by line.

CREATE OR REPLACE FUNCTION shop.confirm_reservation(reservation_id uuid, user_id text DEFAULT NULL,
    order_data jsonb DEFAULT NULL)
RETURNS SETOF items_stock.line LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, shop, pg_temp
AS $$
DECLARE
    answer items_stock.line;
BEGIN
    FOR answer IN SELECT * FROM inventory.confirm_reservation('shop.items',
        confirm_reservation.reservation_id, confirm_reservation.user_id,
        confirm_reservation.order_data, NULL::items_stock.line)
    LOOP
        RETURN NEXT answer;
    END LOOP;
END
$$;
