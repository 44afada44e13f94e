-- A reservation that is made smaller keeps its units off the shelf.
--
-- rules: C1 C7
-- mix: all=0 reserve_stock=1 reserve_cart=1 change_reservation=8 restock_item=1

CREATE OR REPLACE FUNCTION shop.change_reservation(reservation_id uuid, item_id integer,
    quantity bigint, user_id text DEFAULT NULL)
RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, shop, pg_temp AS $$
#variable_conflict use_column
DECLARE
    until timestamptz;
BEGIN
    UPDATE items_stock.reservations AS r SET quantity = change_reservation.quantity
    WHERE r.reservation_id = change_reservation.reservation_id
    AND r.item_id = change_reservation.item_id AND r.status = 'held'
    AND r.expires_at > clock_timestamp() AND r.quantity > change_reservation.quantity
    AND change_reservation.quantity > 0
    RETURNING r.expires_at INTO until;
    IF until IS NOT NULL THEN
        RETURN until;
    END IF;
    RETURN inventory.change_reservation('shop.items', change_reservation.reservation_id,
        change_reservation.item_id, change_reservation.quantity, change_reservation.user_id);
END
$$;
