-- Holds units of one item: the function that attach() makes, its answer in a variable.

CREATE OR REPLACE FUNCTION shop.reserve_stock(user_id text, item_id integer,
    quantity bigint DEFAULT 1, ttl interval DEFAULT NULL, idempotency_key text DEFAULT NULL,
    reservation_id uuid DEFAULT NULL)
RETURNS uuid LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, shop, pg_temp
AS $$
DECLARE
    made uuid;
BEGIN
    made := inventory.reserve_stock('shop.items', reserve_stock.user_id, reserve_stock.item_id,
        reserve_stock.quantity, reserve_stock.ttl, reserve_stock.idempotency_key, reserve_stock.reservation_id);
    RETURN made;
END
$$;
