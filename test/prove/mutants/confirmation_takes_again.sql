-- What was held is taken from the stock once more when it is confirmed.
--
-- rules: C1

CREATE OR REPLACE FUNCTION shop.confirm_reservation(reservation_id uuid, user_id text DEFAULT NULL,
    order_data jsonb DEFAULT NULL)
RETURNS SETOF items_stock.line
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, shop, pg_temp
SET session_replication_role = replica AS $$
#variable_conflict use_column
DECLARE
    answer items_stock.line;
BEGIN
    FOR answer IN SELECT * FROM inventory.confirm_reservation('shop.items',
        confirm_reservation.reservation_id,
            confirm_reservation.user_id, confirm_reservation.order_data,
        NULL::items_stock.line) LOOP
        IF NOT answer.replayed THEN
            UPDATE shop.items AS i SET stock = i.stock - answer.quantity
            WHERE i.id = answer.item_id;
        END IF;
        RETURN NEXT answer;
    END LOOP;
END
$$;
