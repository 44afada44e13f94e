-- What an overdue hold held comes back twice, with a movement each time.
--
-- rules: C1

CREATE OR REPLACE FUNCTION items_stock.expire_reservations(max_rows integer DEFAULT 1000)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, shop, pg_temp
SET session_replication_role = replica AS $$
#variable_conflict use_column
DECLARE
    known bigint := (SELECT max(m.movement_id) FROM items_stock.movements AS m);
    lines bigint;
BEGIN
    lines := inventory.expire_reservations('shop.items', expire_reservations.max_rows);
    UPDATE shop.items AS i SET stock = i.stock + e.units
    FROM (SELECT m.item_id, sum(m.delta) AS units FROM items_stock.movements AS m
          WHERE m.movement_id > known AND m.kind = 'expiry' GROUP BY m.item_id) AS e
    WHERE i.id = e.item_id;
    INSERT INTO items_stock.movements (item_id, delta, kind, user_id, reservation_id, actor,
        created_at)
    SELECT m.item_id, m.delta, m.kind, m.user_id, m.reservation_id, current_user,
        clock_timestamp()
    FROM items_stock.movements AS m WHERE m.movement_id > known AND m.kind = 'expiry';
    RETURN lines;
END
$$;
