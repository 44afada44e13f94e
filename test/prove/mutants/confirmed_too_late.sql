-- Confirms a hold that is dead, as long as nobody gave its units back.
--
-- rules: C7

CREATE OR REPLACE FUNCTION shop.confirm_reservation(reservation_id uuid, user_id text DEFAULT NULL,
    order_data jsonb DEFAULT NULL)
RETURNS SETOF items_stock.line
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, shop, pg_temp AS $$
#variable_conflict use_column
BEGIN
    UPDATE items_stock.reservations AS r SET expires_at = r.expires_at + interval '1 h'
    WHERE r.reservation_id = confirm_reservation.reservation_id AND r.status = 'held';
    RETURN QUERY SELECT * FROM inventory.confirm_reservation('shop.items',
        confirm_reservation.reservation_id,
        confirm_reservation.user_id, confirm_reservation.order_data,
        NULL::items_stock.line);
    UPDATE items_stock.reservations AS r SET expires_at = r.expires_at - interval '1 h'
    WHERE r.reservation_id = confirm_reservation.reservation_id AND r.status = 'confirmed'
    AND r.expires_at > clock_timestamp() + interval '30 min';
END
$$;
