-- A reservation that is confirmed already becomes orders once more.
--
-- rules: C2 C3 C7

CREATE OR REPLACE FUNCTION shop.confirm_reservation(reservation_id uuid, user_id text DEFAULT NULL,
    order_data jsonb DEFAULT NULL)
RETURNS SETOF items_stock.line
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, shop, pg_temp AS $$
#variable_conflict use_column
BEGIN
    INSERT INTO shop.orders (user_id, item_id, quantity, token)
    SELECT r.user_id, r.item_id, r.quantity, confirm_reservation.order_data->>'token'
    FROM items_stock.reservations AS r
    WHERE r.reservation_id = confirm_reservation.reservation_id AND r.status = 'confirmed';
    RETURN QUERY SELECT * FROM inventory.confirm_reservation('shop.items',
        confirm_reservation.reservation_id,
        confirm_reservation.user_id, confirm_reservation.order_data,
        NULL::items_stock.line);
END
$$;
