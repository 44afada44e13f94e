-- Releases a reservation that was confirmed, and gives back what was sold.
--
-- rules: C7

CREATE OR REPLACE FUNCTION shop.release_reservation(reservation_id uuid, user_id text DEFAULT NULL)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, shop, pg_temp
SET session_replication_role = replica AS $$
#variable_conflict use_column
BEGIN
    RETURN inventory.release_reservation('shop.items', release_reservation.reservation_id,
        release_reservation.user_id);
EXCEPTION WHEN SQLSTATE 'IV006' THEN
    UPDATE shop.items AS i SET stock = i.stock + r.quantity FROM items_stock.reservations AS r
    WHERE i.id = r.item_id AND r.reservation_id = release_reservation.reservation_id
    AND r.status = 'confirmed';
    INSERT INTO items_stock.movements (item_id, delta, kind, user_id, reservation_id, actor,
        created_at)
    SELECT r.item_id, r.quantity, 'release', r.user_id, r.reservation_id, current_user,
        clock_timestamp()
    FROM items_stock.reservations AS r
    WHERE r.reservation_id = release_reservation.reservation_id AND r.status = 'confirmed';
    UPDATE items_stock.reservations AS r SET status = 'released'
    WHERE r.reservation_id = release_reservation.reservation_id AND r.status = 'confirmed';
    RETURN true;
END
$$;
